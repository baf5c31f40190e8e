//! `mtp certs status`: how far a rotation is, and what is due.

use std::path::Path;

use anyhow::Result;
use clap::Args;
use time::OffsetDateTime;

use super::required_lock;
use crate::certs::due::{self, Due};
use crate::certs::lock::{Lock, Phase};
use crate::certs::x509::Certificate;
use crate::cli::Exit;
use crate::commands::Shell;
use crate::commands::clock::at;

/// Options of the command.
#[derive(Debug, Args)]
pub struct Options {
    /// Judge dates at this time: RFC 3339, or `now`
    #[arg(long, value_name = "TIME", value_parser = at)]
    at: Option<OffsetDateTime>,
}

/// Runs the command.
pub fn run(options: &Options, root: &Path, shell: &mut Shell<'_>) -> Result<Exit> {
    let lock = required_lock(root)?;
    let mut text = format!("phase: {}\n", lock.phase.as_str());
    for certificate in &lock.trusted {
        text.push_str(&line("trusted", certificate));
    }
    for (name, certificate) in [("served", &lock.served), ("next", &lock.next)] {
        text.extend(certificate.iter().map(|certificate| line(name, certificate)));
    }
    let step = step(&lock, options.at);
    let nothing = if options.at.is_some() {
        "nothing"
    } else {
        "nothing, dates aside: they are judged with --at TIME or --at now"
    };
    text.push_str(&format!("due: {}\n", step.as_deref().unwrap_or(nothing)));
    shell.answer(&text)?;
    Ok(if step.is_some() { Exit::Findings } else { Exit::Clean })
}

fn line(name: &str, certificate: &Certificate) -> String {
    let (from, until) = (due::written(certificate.not_before), due::written(certificate.not_after));
    format!("{name}: {} from {from} until {until}\n", &certificate.sha256[..16])
}

/// The step that is due. One that a rotation waits for always is; whether one is to begin depends on the time.
fn step(lock: &Lock, at: Option<OffsetDateTime>) -> Option<String> {
    match lock.phase {
        Phase::Staged => return Some("`mtp certs rotate`, once every cluster trusts both authorities".to_owned()),
        Phase::Switched => return Some("`mtp certs retire`, once every replica serves the new certificate".to_owned()),
        Phase::Serving | Phase::External => {}
    }
    let (due, end) = due::of_lock(lock, at?)?;
    let what = match lock.phase {
        Phase::External => "`mtp certs issue --ca FILE --force`, with whoever keeps the Secret",
        _ => "`mtp certs rotate`",
    };
    let end = due::written(end);
    match due {
        Due::Later => None,
        Due::Soon => Some(format!("{what}: the end is {end}")),
        Due::Now => Some(format!("{what}, at once: the end is {end}")),
        Due::Over => Some(format!(
            "{what}, at once: it does not hold at that time, and the API server refuses every pod; its end is {end}"
        )),
    }
}
