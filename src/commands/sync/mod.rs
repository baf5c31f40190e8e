//! `mtp sync`: applies what was reviewed to a cluster, and keeps it there.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the shell: a cluster, its clock, and what tells processes apart"
)]

mod source;
mod watch;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use time::OffsetDateTime;

use self::source::{Checkout, Read};
use super::connection::{client, runtime, seed};
use super::{Shell, Stream};
use crate::cli::Exit;
use crate::cluster::Settings;
use crate::cluster::gateway::{Counts, Gateway};
use crate::cluster::pass::{Held, Progress, pass};
use crate::cluster::preview::{Preview, preview};
use crate::disk;
use crate::report::{Report, sync as report};
use crate::sync::Unit;
use crate::sync::gates::Budget;
use crate::sync::outcome::Outcome;
use crate::sync::want::Source as _;

/// Options of the command.
#[derive(Debug, Args)]
pub struct Options {
    /// Apply once and end (the default)
    #[arg(long)]
    once: bool,
    /// Go on: apply each new commit, and put right what somebody changes
    #[arg(long, conflicts_with_all = ["once", "status", "dry_run"])]
    watch: bool,
    /// Where /healthz, /readyz and /metrics are answered (default: nowhere)
    #[arg(long, value_name = "ADDR", requires = "watch", conflicts_with_all = ["once", "status", "dry_run"])]
    listen: Option<String>,
    /// Say what would be done, object by object and field by field, and do nothing
    #[arg(long, conflicts_with = "status")]
    dry_run: bool,
    /// Say how the cluster is: which commit, and of each tenant what differs or is held, and why
    #[arg(long, conflicts_with = "once")]
    status: bool,
    #[command(flatten)]
    about: About,
    /// How many objects this run may delete, where it refused to because they are many
    #[arg(long, value_name = "N")]
    allow_deletions: Option<usize>,
    /// For how many seconds a tenant's objects may take until they work or are gone
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u32).range(0..=3600))]
    wait: u32,
}

/// What is applied, and to which cluster.
#[derive(Debug, Default, Args)]
pub struct About {
    /// Only these tenants, and nothing of the platform (repeatable)
    #[arg(long = "tenant", value_name = "NAME")]
    tenants: Vec<String>,
    /// Take rendered/ as it is, without looking at tenants/
    #[arg(long)]
    rendered_only: bool,
    /// The Platform's name, where tenants/ does not say it (with --rendered-only)
    #[arg(long, value_name = "NAME", requires = "rendered_only")]
    installation: Option<String>,
    /// The context of the kubeconfig (default: its current one; inside a cluster: that cluster)
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

impl About {
    /// The first of these options that was given.
    pub fn first(&self) -> Option<&'static str> {
        let given = [
            ("--tenant", !self.tenants.is_empty()),
            ("--rendered-only", self.rendered_only),
            ("--installation", self.installation.is_some()),
            ("--context", self.context.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }
}

/// Runs the command.
pub fn run(options: &Options, shell: &mut Shell<'_>) -> Result<Exit> {
    if options.watch {
        return watch::run(&options.about, options.budget(), options.wait, options.listen.as_deref(), shell);
    }
    if options.status || options.dry_run {
        let Some(preview) = look(&options.about, !options.status, "sync", options.budget(), shell)? else {
            return Ok(Exit::Failed);
        };
        let held = preview.units.iter().flat_map(|unit| &unit.changes).any(|(_, c)| report::preview::is_held(c));
        let differs = preview.units.iter().any(|unit| !unit.changes.is_empty());
        let text = if options.status {
            report::preview::status(&preview)
        } else {
            report::preview::text(&preview, shell.is_quiet())
        };
        show_preview(&preview, "sync", &text, shell)?;
        // Of a cluster it is asked whether it is as it should be; of a trial whether it would succeed.
        return Ok(if held || options.status && differs { Exit::Findings } else { Exit::Clean });
    }
    let Some(checkout) = read(&options.about, "sync", shell)? else { return Ok(Exit::Failed) };
    let settings = settings(&options.about, options.budget(), options.wait, &checkout)?;
    let held = Held::of(&*checkout.source)?;
    let before = memory("VmRSS");
    let mut counts = Counts::default();
    let outcome = runtime()?.block_on(async {
        let gateway = Gateway::new(client(options.about.context.as_deref()).await?, seed()?);
        let progress = RefCell::new(|progress: Progress<'_>| show(&progress, shell));
        let outcome = pass(&gateway, &settings, &*checkout.source, &held, &progress).await;
        counts = gateway.counts();
        outcome
    });
    let Counts { lists, gets, writes } = counts;
    shell.detail(&format!(
        "{lists} pages of lists, {gets} objects read, {writes} writes; {before} MiB of memory before, at most {} MiB",
        memory("VmHWM")
    ));
    if shell.shows_progress() {
        let _ = write!(shell.err(), "\r\x1b[K");
    }
    let exit = answer(&outcome?, shell);
    // The process ends here: giving back a fleet piece by piece takes longer than it is worth.
    std::mem::forget((checkout, held));
    exit
}

impl Options {
    fn budget(&self) -> Budget {
        Budget { allowed: self.allow_deletions, ..Budget::default() }
    }
}

/// `mtp diff --against-cluster`: what a pass would change.
pub fn against_cluster(about: &About, exit_code: bool, shell: &mut Shell<'_>) -> Result<Exit> {
    let Some(preview) = look(about, true, "diff", Budget::default(), shell)? else { return Ok(Exit::Failed) };
    let text = report::preview::text(&preview, shell.is_quiet());
    show_preview(&preview, "diff", &text, shell)?;
    let differs = preview.units.iter().any(|unit| !unit.changes.is_empty());
    Ok(if exit_code && differs { Exit::Findings } else { Exit::Clean })
}

fn show_preview(preview: &Preview, command: &str, text: &str, shell: &mut Shell<'_>) -> Result<()> {
    let json = || report::preview::json(command, preview);
    shell.answer_as(command, text, &json)
}

/// What would be done, or how the cluster is; nothing where authors made mistakes, which are reported.
fn look(
    about: &About,
    trials: bool,
    command: &'static str,
    budget: Budget,
    shell: &mut Shell<'_>,
) -> Result<Option<Preview>> {
    let Some(checkout) = read(about, command, shell)? else { return Ok(None) };
    let settings = settings(about, budget, 0, &checkout)?;
    let held = Held::of(&*checkout.source)?;
    let preview = runtime()?.block_on(async {
        let gateway = Gateway::new(client(about.context.as_deref()).await?, seed()?);
        preview(&gateway, &settings, &*checkout.source, &held, trials).await
    })?;
    Ok(Some(preview))
}

/// A folder that was read, and where it is.
struct Folder {
    root: PathBuf,
    source: Box<Checkout>,
}

/// Reads what is to be applied; nothing where authors made mistakes, which are reported.
fn read(about: &About, command: &'static str, shell: &mut Shell<'_>) -> Result<Option<Folder>> {
    // A link that moves, as git-sync makes it, is followed once: all of a pass is of one revision.
    let root = disk::canonical(&shell.root()?)?;
    let source = match Checkout::read(&root, about.rendered_only)? {
        Read::Whole(checkout) => checkout,
        Read::Mistakes(diagnostics, inputs) => {
            shell.problems(&Report { command, diagnostics, ..Report::default() }, &inputs, Stream::Err)?;
            return Ok(None);
        }
    };
    for name in &about.tenants {
        if !source.units().contains(&Unit::Tenant(name.as_str().into())) {
            bail!("there is no tenant `{}` in {}", crate::report::line(name), root.display());
        }
    }
    Ok(Some(Folder { root, source }))
}

/// What the system says of this process's memory, in MiB; 0 where it says nothing.
fn memory(field: &str) -> u64 {
    let status = disk::read_small(Path::new("/proc/self/status")).ok().flatten().unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).map_or(0, |kib| kib / 1024)
}

fn settings(about: &About, budget: Budget, wait: u32, folder: &Folder) -> Result<Settings> {
    let named = folder.source.installation().or_else(|| about.installation.clone());
    let installation = match named {
        Some(name) => name,
        None => platform_name(&folder.root)?
            .context("the Platform's name is not known without tenants/; name it with --installation")?,
    };
    Ok(Settings {
        installation,
        namespace: folder.source.namespace()?,
        tenants: about.tenants.clone(),
        budget,
        inside: std::env::var_os("POD_NAME").is_some(),
        // A folder that no commit vouches for may be half of one.
        deletes: !about.rendered_only || folder.source.pinned,
        wait: Duration::from_secs(wait.into()),
        identity: identity()?,
        lease: Duration::from_secs(15),
        clock: OffsetDateTime::now_utc,
    })
}

/// The Platform's name out of `tenants/`, whatever else is wrong there.
fn platform_name(root: &Path) -> Result<Option<String>> {
    let inputs = disk::read(root)?;
    let (parsed, _) = crate::parse::parse(&inputs);
    Ok(parsed.platforms.first().map(|platform| platform.content.metadata.name.value.clone()))
}

/// What tells this process from all others that want the Lease.
fn identity() -> Result<String> {
    let name = std::env::var("POD_NAME").or_else(|_| std::env::var("HOSTNAME")).ok();
    let name = match name.filter(|name| !name.is_empty()) {
        Some(name) => name,
        None => disk::read_small(Path::new("/etc/hostname"))?.map_or_else(String::new, |name| name.trim().to_owned()),
    };
    Ok(format!("{name}_{:016x}", seed()?))
}

/// Progress, on a terminal alone.
fn show(progress: &Progress<'_>, shell: &mut Shell<'_>) {
    match progress {
        Progress::Doing(what) if shell.shows_progress() => {
            let _ = write!(shell.err(), "\r\x1b[K{what}");
        }
        Progress::Unit(outcome, done, of) => {
            if shell.shows_progress() {
                let _ = write!(shell.err(), "\r\x1b[K{done} of {of} tenants: {}", outcome.unit);
            }
        }
        Progress::Doing(what) => shell.detail(what),
    }
}

fn answer(outcome: &Outcome, shell: &mut Shell<'_>) -> Result<Exit> {
    let exit = if outcome.is_clean() { Exit::Clean } else { Exit::Findings };
    let text = report::text(outcome, shell.is_quiet());
    shell.answer_as("sync", &text, &|| report::json(outcome))?;
    Ok(exit)
}
