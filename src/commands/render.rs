//! `mtp render`: write `rendered/` from `tenants/`; with `--check`, only say whether it is as it is to be.
#![expect(clippy::disallowed_methods, reason = "this is the shell: it tells people how long it took")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;
use time::OffsetDateTime;

use super::{Shell, Stream};
use crate::certs::secret::holds_private_key;
use crate::cli::Exit;
use crate::diagnostic::{Diagnostic, has_errors};
use crate::disk::{self, Look};
use crate::inputs::Inputs;
use crate::removals::removals;
use crate::rendered::{File, RENDERED, Rendered};
use crate::report::{ChangedFile, Report, count, line, unified};
use crate::rules::admission::at as ends;
use crate::tree::{self, Change, ChangeKind, Have};

/// Options of the command.
#[derive(Debug, Args)]
pub struct Options {
    /// Write nothing; exit 1 if rendered/ is not what tenants/ renders to
    #[arg(long)]
    check: bool,
    /// With --check: print the paths of stale files, one a line, and nothing else
    #[arg(long, requires = "check")]
    list: bool,
    /// With --check: judge what ends at this time as well: RFC 3339, or `now`
    #[arg(long, requires = "check", value_name = "TIME", value_parser = super::clock::at)]
    at: Option<OffsetDateTime>,
    /// Write even where rendered/ holds manifests of others, or where nobody would keep a platform
    #[arg(long, conflicts_with = "check")]
    force: bool,
}

/// How long a run takes before progress is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs the command.
pub fn run(options: &Options, shell: &mut Shell<'_>) -> Result<Exit> {
    let start = Instant::now();
    let root = shell.root()?;
    disk::refuse_link(&root, RENDERED)?;
    // Where an earlier run left its mark, nobody may write between our look and our writing.
    let lock = if options.check || !disk::is_marked(&root) { None } else { Some(disk::lock(&root)?) };
    let (inputs, look) = rayon::join(|| disk::read(&root), || Look::new(&root));
    let (inputs, look) = (inputs?, look?);
    shell.detail(&format!("read {}", count(inputs.len(), "file")));
    let (rendered, diagnostics) = crate::render_each(&inputs, &|folder, files| look.at(folder, files));
    let command = if options.check { "render --check" } else { "render" };
    if has_errors(&diagnostics) {
        let report = Report { command, diagnostics, ..Report::default() };
        shell.report(&report, &inputs, Stream::Err)?;
        return Ok(Exit::Failed);
    }
    let seen = Seen { root: &root, inputs: &inputs, rendered: &rendered, have: look.finish(&rendered)? };
    let done = if options.check {
        check(options, &seen, diagnostics, shell)
    } else {
        write(options, &seen, diagnostics, lock, start, shell)
    };
    // The process ends here: giving back a fleet piece by piece would take longer than writing one of its files.
    std::mem::forget((inputs, rendered));
    done
}

/// What is to be there, and what is.
struct Seen<'a> {
    root: &'a Path,
    inputs: &'a Inputs,
    rendered: &'a Rendered,
    have: Have,
}

fn check(options: &Options, seen: &Seen<'_>, mut diagnostics: Vec<Diagnostic>, shell: &mut Shell<'_>) -> Result<Exit> {
    let Seen { inputs, rendered, have, .. } = seen;
    let changes = tree::changes(have, rendered);
    let gone = removals(&have.other, rendered);
    let refused = has_errors(&gone);
    let ends = options.at.zip(rendered.plan()).map(|(at, plan)| ends(plan, at)).unwrap_or_default();
    let exit = match (refused, changes.is_empty() && !has_errors(&ends)) {
        (true, _) => Exit::Failed,
        (false, false) => Exit::Findings,
        (false, true) => Exit::Clean,
    };
    if options.list {
        let paths: String = changes.iter().map(|c| format!("{}\n", line(&c.path))).collect();
        shell.answer(&paths)?;
        let more: Vec<_> = gone.into_iter().chain(ends).collect();
        if !more.is_empty() {
            let report = Report { command: "render --check", diagnostics: more, ..Report::default() };
            shell.report(&report, inputs, Stream::Err)?;
        }
        return Ok(exit);
    }
    diagnostics.extend(gone);
    diagnostics.extend(ends);
    let remedy = remedy(&changes, refused);
    let changes = described(&changes, have, rendered);
    let clean = exit == Exit::Clean;
    let report =
        Report { command: "render --check", diagnostics, changes, same: have.same, remedy, ..Report::default() };
    shell.report(&report, inputs, Stream::Out)?;
    if clean && !shell.machine_reads() && !shell.is_quiet() {
        shell.answer(&format!("{RENDERED}/ is up to date: {}\n", count(have.same, "file")))?;
    }
    Ok(exit)
}

/// The one command that puts it right.
fn remedy(changes: &[Change], refused: bool) -> Option<String> {
    let foreign = changes.iter().filter(|c| c.kind == ChangeKind::Foreign).count();
    match (refused, foreign == changes.len()) {
        (true, _) => None,
        _ if changes.is_empty() => None,
        (false, true) => {
            Some(format!("move the foreign files out of {RENDERED}/: mtp does not touch what it did not write"))
        }
        (false, false) => Some("run `mtp render` and commit the result".to_owned()),
    }
}

/// How many lines of diff a file gets, and how large a file may be that is compared line by line.
const DIFF_LINES: usize = 40;
const DIFF_BYTES: usize = 256 * 1024;

/// Files that are reported with their differences; of the others only the path is printed anyway.
const DIFF_FILES: usize = 50;

fn described(changes: &[Change], have: &Have, rendered: &Rendered) -> Vec<ChangedFile> {
    let each = changes.iter().enumerate().map(|(index, change)| {
        let old = have.other.get(&change.path);
        let file = rendered.file(&change.path);
        let cause = match file.and_then(File::first) {
            Some(object) => Some(object.at.to_string()),
            None => old.and_then(|bytes| tree::source(bytes)).map(str::to_owned),
        };
        // What stands in the place of a Secret may be one that somebody decrypted.
        let is_secret = change.path.rsplit('/').next().is_some_and(|name| name.starts_with("secret-"))
            || old.is_some_and(|bytes| bytes.len() <= DIFF_BYTES && holds_private_key(bytes));
        let compared =
            matches!(change.kind, ChangeKind::Changed | ChangeKind::Conflicted) && index < DIFF_FILES && !is_secret;
        let diff =
            old.zip(tree::wanted(rendered, &change.path)).filter(|_| compared).and_then(|(old, new)| diff(old, new));
        ChangedFile { path: change.path.clone(), kind: change.kind, cause, diff }
    });
    each.collect()
}

fn diff(old: &[u8], new: &[u8]) -> Option<String> {
    if old.len() + new.len() > DIFF_BYTES {
        return None;
    }
    let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
    Some(unified(&old, &new, 2, DIFF_LINES, "…"))
}

fn write(
    options: &Options,
    seen: &Seen<'_>,
    diagnostics: Vec<Diagnostic>,
    lock: Option<disk::Lock>,
    start: Instant,
    shell: &mut Shell<'_>,
) -> Result<Exit> {
    let Seen { root, inputs, rendered, have } = seen;
    if let Some(why) = disk::refuse_to_write(root, have, options.force) {
        bail!("{why}");
    }
    let _lock = match lock {
        Some(lock) => lock,
        None => take_over(options, root, have, rendered)?,
    };
    let gone = removals(&have.other, rendered);
    if has_errors(&gone) {
        let report = Report { command: "render", diagnostics: [diagnostics, gone].concat(), ..Report::default() };
        shell.report(&report, inputs, Stream::Err)?;
        return Ok(Exit::Failed);
    }
    let changes = tree::changes(have, rendered);
    apply(seen, &changes, start, shell)?;

    let (foreign, done): (Vec<Change>, Vec<Change>) = changes.into_iter().partition(|c| c.kind == ChangeKind::Foreign);
    let removed = done.iter().filter(|c| !tree::is_wanted(rendered, &c.path)).count();
    let written = done.len() - removed;
    let exit = if foreign.is_empty() { Exit::Clean } else { Exit::Findings };
    let remedy = remedy(&foreign, false);
    // A warning of removals (none today) or of the input is worth a look; what was written is not a problem.
    let report = Report {
        command: "render",
        diagnostics,
        changes: described(&foreign, have, rendered),
        same: have.same,
        remedy,
        ..Report::default()
    };
    shell.report(&report, inputs, Stream::Err)?;
    if !shell.machine_reads() && !shell.is_quiet() {
        let tenants = rendered.plan().map_or(0, |plan| plan.tenants.len());
        shell.answer(&format!(
            "{RENDERED}/: {written} written, {removed} removed, {} unchanged; {} of {} in {:.2} s\n",
            have.same,
            count(rendered.total, "object"),
            count(tenants, "tenant"),
            start.elapsed().as_secs_f64(),
        ))?;
    }
    Ok(exit)
}

/// A folder that no earlier run has marked is taken over only if nothing of others is in it.
fn take_over(options: &Options, root: &Path, have: &Have, rendered: &Rendered) -> Result<disk::Lock> {
    let foreign = tree::changes(have, rendered).into_iter().find(|c| c.kind == ChangeKind::Foreign);
    if let Some(foreign) = foreign.filter(|_| !options.force) {
        bail!(
            "{RENDERED}/ is not ours: it holds {}; move it away, or run `mtp render --force`, which leaves it alone",
            foreign.path
        );
    }
    disk::lock(root)
}

fn apply(seen: &Seen<'_>, changes: &[Change], start: Instant, shell: &mut Shell<'_>) -> Result<()> {
    let Seen { root, rendered, have, .. } = seen;
    let folders: BTreeSet<&str> = changes.iter().filter_map(|c| c.path.rsplit_once('/').map(|(f, _)| f)).collect();
    shell.detail(&format!("{} to change in {}", count(changes.len(), "file"), count(folders.len(), "folder")));
    if !shell.shows_progress() {
        return disk::apply(root, changes, have, rendered, &|_| {});
    }
    let done = AtomicUsize::new(0);
    let shown = Mutex::new((start, shell.err()));
    let progress = |n: usize| {
        let done = done.fetch_add(n, Ordering::Relaxed) + n;
        // Whoever comes while another one prints has nothing to add.
        let Ok(mut shown) = shown.try_lock() else { return };
        if start.elapsed() > PATIENCE && shown.0.elapsed() > Duration::from_millis(100) {
            shown.0 = Instant::now();
            let _ = write!(shown.1, "\rwriting {done} of {} files", changes.len());
        }
    };
    let applied = disk::apply(root, changes, have, rendered, &progress);
    if start.elapsed() > PATIENCE {
        let _ = write!(shell.err(), "\r\x1b[K");
    }
    applied
}
