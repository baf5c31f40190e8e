//! `mtp sync --watch`: a folder whose content changes, until told to end.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::source::{Checkout, Read};
use super::{About, Folder, client, runtime, seed, settings};
use crate::cli::Exit;
use crate::cluster::Settings;
use crate::cluster::gateway::Gateway;
use crate::cluster::pass::Held;
use crate::cluster::watch::{End, Revision, Revisions, Tally, Watcher, serve};
use crate::commands::Shell;
use crate::disk;
use crate::history::History;
use crate::server::Log;
use crate::sync::gates::Budget;

/// A folder, as it was named: links in its path are followed anew each time.
struct Place<'p> {
    root: PathBuf,
    about: &'p About,
    budget: Budget,
    wait: u32,
    /// Who this is, for as long as the process lives.
    identity: String,
}

impl Revisions for Place<'_> {
    fn key(&self) -> String {
        let Ok(root) = disk::canonical(&self.root) else { return "nothing is there".to_owned() };
        let commit = History::open(&root).and_then(|history| history.revision("HEAD"));
        let commit = commit.map_or_else(|_| "no commit".to_owned(), |head| head.commit.to_string());
        format!("{} at {commit}", root.display())
    }

    fn read(&self) -> Result<Revision> {
        let root = disk::canonical(&self.root)?;
        let source = match Checkout::read(&root, self.about.rendered_only)? {
            Read::Whole(source) => source,
            Read::Mistakes(diagnostics, _) => {
                let errors = diagnostics.iter().filter(|d| d.severity == crate::diagnostic::Severity::Error);
                let all: Vec<String> = errors.map(|d| format!("{}: {}", d.at, d.message)).collect();
                bail!("{}", all.join("; "));
            }
        };
        let folder = Folder { root, source };
        let settings =
            Settings { identity: self.identity.clone(), ..settings(self.about, self.budget, self.wait, &folder)? };
        let held = Held::of(&*folder.source)?;
        Ok(Revision { source: folder.source, held, settings })
    }
}

/// Watches until SIGTERM or SIGINT.
pub fn run(about: &About, budget: Budget, wait: u32, listen: Option<&str>, shell: &mut Shell<'_>) -> Result<Exit> {
    let log = Log::new(Box::new(std::io::stderr()), shell.is_quiet());
    let place = Place { root: shell.root()?, about, budget, wait, identity: super::identity()? };
    runtime()?.block_on(async {
        let gateway = Gateway::new(client(about.context.as_deref()).await?, seed()?);
        let (tally, end) = (Tally::new(), End::default());
        let say = |level: &str, message: &str| log.say(level, message, json!({}));
        let watcher = Watcher { gateway: &gateway, revisions: &place, tally: &tally, say: &say, end: &end };
        let mut terminated = signal(SignalKind::terminate()).context("cannot listen for signals")?;
        let mut interrupted = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
        let told = async {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = interrupted.recv() => {}
            }
            end.tell();
            std::future::pending::<()>().await;
        };
        let pages = async {
            match listen {
                Some(place) => serve(place, &tally).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = watcher.run() => Ok(()),
            () = told => Ok(()),
            failed = pages => failed,
        }
    })?;
    Ok(Exit::Clean)
}
