//! `mtp diff`: what a change means for tenants; refuses what weakens the platform without saying so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail};
use clap::Args;
use gix::objs::tree::EntryKind;
use rayon::prelude::*;
use time::OffsetDateTime;

use super::{Shell, Stream};
use crate::cli::Exit;
use crate::contract::review::Class;
use crate::diagnostic::{Diagnostic, Findings, has_errors};
use crate::disk;
use crate::history::{Files, History, Revision};
use crate::inputs::Inputs;
use crate::objects::meta;
use crate::plan::Plan;
use crate::rendered::{File, MARKER, RENDERED, Rendered};
use crate::report::review::{Named, ReviewReport};
use crate::report::{Format, Report, count};
use crate::review::map::map;
use crate::review::sides::{Differing, Sides, edits, of_manifests};
use crate::review::{Change, Gate, manifest, review};
use crate::tree::is_ours;

/// Options of the command.
#[derive(Debug, Args)]
pub struct Options {
    /// A folder of manifests, made by anything, instead of a revision
    #[arg(value_name = "OLD_DIR", requires = "new", conflicts_with_all = ["base", "head"])]
    old: Option<PathBuf>,
    /// The folder that it is compared with
    #[arg(value_name = "NEW_DIR")]
    new: Option<PathBuf>,
    /// The revision to compare with; of a branch, the commit that both sides come from
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    base: String,
    /// The revision that is reviewed, or `worktree`: what tenants/ holds now
    #[arg(long, value_name = "REV", default_value = WORKTREE)]
    head: String,
    /// Classes of findings that are refused, instead of those of the Platform's `review.deny`; `none`: nothing is
    #[arg(long, value_name = "CLASS,…", value_delimiter = ',', value_parser = class)]
    deny: Option<Vec<Deny>>,
    /// Exit 1 if anything differs at all
    #[arg(long)]
    exit_code: bool,
    /// Compare with a cluster instead: what `mtp sync` would change, by object, field and who set it
    #[arg(long, conflicts_with_all = ["old", "base", "head", "deny", "at"])]
    against_cluster: bool,
    #[command(flatten)]
    about: super::sync::About,
    /// When approvals are judged: RFC 3339, or `now` (default: when head was committed)
    #[arg(long, value_name = "TIME", value_parser = super::clock::at)]
    at: Option<OffsetDateTime>,
}

const WORKTREE: &str = "worktree";

/// A class to refuse, or the word for none of them.
#[derive(Debug, Clone, Copy)]
struct Deny(Option<Class>);

fn class(text: &str) -> Result<Deny, String> {
    if text == "none" {
        return Ok(Deny(None));
    }
    let found = Class::ALL.into_iter().find(|class| class.as_str() == text);
    found.map(|class| Deny(Some(class))).ok_or_else(|| {
        let known = crate::yaml::shape::list(Class::ALL.into_iter().map(Class::as_str).chain(["none"]));
        format!("expected {known}")
    })
}

/// Runs the command.
pub fn run(options: &Options, shell: &mut Shell<'_>) -> Result<Exit> {
    if options.against_cluster {
        return super::sync::against_cluster(&options.about, options.exit_code, shell);
    }
    if let Some(flag) = options.about.first() {
        bail!("{flag} is about a cluster, and goes with --against-cluster");
    }
    if options.deny.as_ref().is_some_and(|classes| classes.len() > 1 && classes.iter().any(|class| class.0.is_none())) {
        bail!("`--deny none` refuses nothing, and stands alone");
    }
    match (&options.old, &options.new) {
        (Some(old), Some(new)) => folders(options, old, new, shell),
        _ => revisions(options, shell),
    }
}

impl Options {
    fn gate(&self, at: Option<OffsetDateTime>) -> Gate<'static> {
        let deny = self.deny.as_ref().map(|classes| classes.iter().filter_map(|class| class.0).collect());
        Gate { deny, at, ..Gate::default() }
    }

    fn exit(&self, report: &ReviewReport) -> Exit {
        let differs = self.exit_code && !report.review.is_empty();
        if report.review.denied() > 0 || differs { Exit::Findings } else { Exit::Clean }
    }
}

/// Compares two folders of manifests.
fn folders(options: &Options, old: &Path, new: &Path, shell: &mut Shell<'_>) -> Result<Exit> {
    let mut findings = Findings::default();
    let mut sides = Vec::with_capacity(2);
    for folder in [old, new] {
        let files = disk::read_manifests(&[folder.to_path_buf()])?;
        shell.detail(&format!("read {} of {}", count(files.len(), "file"), folder.display()));
        let read: Vec<_> = files
            .par_iter()
            .map(|(path, bytes)| {
                let mut findings = Findings::default();
                (manifest::read(&Arc::from(path.as_str()), bytes, &mut findings), findings)
            })
            .collect();
        let mut all = Vec::new();
        for (mut manifests, found) in read {
            all.append(&mut manifests);
            findings.merge(found);
        }
        sides.push(all);
    }
    let (Some(after), Some(before)) = (sides.pop(), sides.pop()) else { bail!("expected two folders") };
    let change = of_manifests(before, after, &mut findings);
    let diagnostics = findings.into_sorted();
    if has_errors(&diagnostics) {
        return failed(diagnostics, &Inputs::default(), shell);
    }
    let review = review(&change, None, &options.gate(options.at));
    let named = |folder: &Path| Named { name: folder.display().to_string(), commit: None };
    let report = ReviewReport {
        name: String::new(),
        prefix: String::new(),
        base: named(old),
        head: named(new),
        at: options.at,
        review,
        map: None,
    };
    shell.review(&report)?;
    Ok(options.exit(&report))
}

/// Why nobody can tell what a change means.
fn failed(diagnostics: Vec<Diagnostic>, inputs: &Inputs, shell: &mut Shell<'_>) -> Result<Exit> {
    let report = Report { command: "diff", diagnostics, ..Report::default() };
    shell.problems(&report, inputs, Stream::Err)?;
    Ok(Exit::Failed)
}

/// Compares what was committed at a revision with what is rendered from another one.
fn revisions(options: &Options, shell: &mut Shell<'_>) -> Result<Exit> {
    let root = shell.root()?;
    let history = History::open(&root)?;
    let in_worktree = options.head == WORKTREE;
    let tip = history.revision(if in_worktree { "HEAD" } else { &options.head })?;
    let base = history.merge_base(&history.revision(&options.base)?, &tip)?;
    let inputs = if in_worktree { disk::read(&root)? } else { history.inputs(&tip)? };
    let (committed, old) = (history.files(&base, RENDERED)?, history.inputs(&base)?);
    if !in_worktree && inputs.is_empty() {
        bail!("{} has no tenants/", tip.name);
    }
    shell.detail(&format!("comparing with {} ({})", base.name, base.commit));

    let committed_is_empty = committed.is_empty();
    let base_files = if committed_is_empty { rendered_base(&old) } else { Base::Committed(&history, committed) };
    let (sides, after, diagnostics) = against(&base_files, &inputs)?;
    if has_errors(&diagnostics) {
        return failed(diagnostics, &inputs, shell);
    }
    let edits = edits(&old, &inputs);
    let is_same_input = edits.is_empty();
    let mut change = Change { edits, ..Change::default() };

    // What the base's tenants/ renders to with this mtp: what of the difference no author asked for.
    let mut before = None;
    let mut tool = BTreeMap::new();
    if is_same_input {
        tool = sides.prints();
    } else if !old.is_empty() {
        let (other, rendered, found) = against(&base_files, &old)?;
        if let Some(first) = found.iter().find(|d| d.severity == crate::diagnostic::Severity::Error) {
            change.unknown.push(format!(
                "the base's tenants/ does not render with this mtp, so that its policies, exemptions and tiers are not compared: {} ({})",
                first.message, first.at
            ));
        } else {
            tool = other.prints();
            before = Some(rendered);
        }
    } else if committed_is_empty {
        // A root that was moved, or a first commit: nobody can tell what of it is new.
        change
            .unknown
            .push("the base has neither tenants/ nor rendered/ here, so that everything is taken for new".to_owned());
    }
    let (pairs, same, unreadable) = sides.into_pairs(&after, &tool);
    change.unknown.extend(unreadable.iter().map(|d| format!("{}: {}", d.at, d.message)));
    (change.pairs, change.same) = (pairs, same);
    let later = after.plan();
    change.plans = [if is_same_input { later } else { before.as_ref().and_then(Rendered::plan) }, later];

    // The base is not what its tenants/ renders to: what authors changed is looked at on its own as well.
    let mut authored = None;
    if let Some(before) = before.as_ref().filter(|_| !tool.is_empty()) {
        let (own, again, _) = against(&rendered_base(&old), &inputs)?;
        let (pairs, same, _) = own.into_pairs(&again, &BTreeMap::new());
        let edits = change.edits.clone();
        authored = Some(Change { pairs, same, plans: [before.plan(), later], edits, ..Change::default() });
    }

    let at = options.at.or(Some(tip.time));
    let is_base_unknown = !change.unknown.is_empty();
    let named_before = if is_base_unknown { named_in(&old, later) } else { BTreeSet::new() };
    let gate = Gate {
        plans: change.plans.map(|plan| plan.map(|plan| &plan.platform.review)),
        is_base_unknown,
        named_before,
        ..options.gate(at)
    };
    let report = ReviewReport {
        name: later.map(|plan| plan.platform.doc.content.metadata.name.value.clone()).unwrap_or_default(),
        prefix: history.prefix().to_owned(),
        base: named(&base),
        head: if in_worktree { Named { name: WORKTREE.to_owned(), commit: None } } else { named(&tip) },
        at,
        review: review(&change, authored.as_ref(), &gate),
        map: if shell.writes(&[Format::Html, Format::Json]) { map(&change) } else { None },
    };
    shell.review(&report)?;
    let exit = options.exit(&report);
    // The process ends here: giving back a fleet piece by piece would take longer than reading it.
    std::mem::forget((change.pairs, change.same, inputs, old));
    std::mem::forget((before, after));
    Ok(exit)
}

/// The findings that head approves and that an input which cannot be resolved names somewhere.
fn named_in(inputs: &Inputs, plan: Option<&Plan>) -> BTreeSet<String> {
    let approved = plan.into_iter().flat_map(|plan| &plan.platform.review.approvals).map(|a| a.finding.clone());
    let texts: Vec<&str> = inputs.iter().filter_map(|(path, _)| inputs.text(path)).collect();
    approved.filter(|id| texts.iter().any(|text| text.contains(id.as_str()))).collect()
}

fn named(revision: &Revision) -> Named {
    Named { name: revision.name.clone(), commit: Some(revision.commit.to_string()) }
}

/// The files of the earlier side.
enum Base<'h> {
    /// As they were committed.
    Committed(&'h History, Files),
    /// As this mtp renders them, where none were.
    Rendered(BTreeMap<String, Vec<u8>>),
}

/// Renders the input of a base without `rendered/`. With errors in it, there is nothing: all of head is new then.
fn rendered_base(inputs: &Inputs) -> Base<'static> {
    let (rendered, _) = crate::render(inputs);
    let files = rendered.files.into_iter().filter_map(|file| Some((file.path, file.content?.bytes)));
    Base::Rendered(files.collect())
}

/// Renders an input, and notes what of it is not as in the base. Files that are the same are never read, only their ids.
fn against(base: &Base<'_>, inputs: &Inputs) -> Result<(Differing, Rendered, Vec<Diagnostic>)> {
    let sides = Sides::default();
    let failure: Mutex<Option<anyhow::Error>> = Mutex::new(None);
    let (rendered, diagnostics) = crate::render_each(inputs, &|_, files| {
        if let Err(error) = compare(base, files, &sides) {
            failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error);
        }
    });
    if let Some(error) = failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error);
    }
    if !has_errors(&diagnostics) {
        gone(base, &rendered, &sides)?;
    }
    Ok((sides.read(), rendered, diagnostics))
}

/// Whether an object in it says that it is ours, whatever became of the file's first line.
fn is_marked(bytes: &[u8]) -> bool {
    let mark = format!("{}: {}", meta::MANAGED_BY, meta::K8S_MTP);
    bytes.windows(mark.len()).any(|window| window == mark.as_bytes())
}

fn compare(base: &Base<'_>, files: &mut [File], sides: &Sides) -> Result<()> {
    // Taken, so that a fleet is compared in the memory of what differs.
    let taken = files.iter_mut().filter_map(|file| Some((file.path.as_str(), file.content.take()?)));
    match base {
        Base::Committed(history, all) => {
            let reader = history.reader();
            for (path, content) in taken {
                let before = match all.get(path) {
                    Some((EntryKind::Blob | EntryKind::BlobExecutable, id))
                        if reader.id(&content.bytes) == Some(*id) =>
                    {
                        continue;
                    }
                    Some((EntryKind::Blob | EntryKind::BlobExecutable, id)) => {
                        Some(reader.read(*id).with_context(|| format!("cannot read {path} of the base"))?)
                    }
                    _ => None,
                };
                sides.differ(path, before.as_deref(), Some((&content.bytes, &content.objects)));
            }
        }
        Base::Rendered(all) => {
            for (path, content) in taken {
                let before = all.get(path).map(Vec::as_slice);
                if before != Some(&content.bytes) {
                    sides.differ(path, before, Some((&content.bytes, &content.objects)));
                }
            }
        }
    }
    Ok(())
}

/// Files of ours that the base has and that are not rendered any more.
fn gone(base: &Base<'_>, rendered: &Rendered, sides: &Sides) -> Result<()> {
    match base {
        Base::Committed(history, all) => {
            let reader = history.reader();
            let kept: BTreeSet<&str> = rendered.files.iter().map(|file| file.path.as_str()).collect();
            for (path, (kind, id)) in all.iter().filter(|(path, _)| !kept.contains(path.as_str())) {
                if !matches!(kind, EntryKind::Blob | EntryKind::BlobExecutable) {
                    continue;
                }
                let bytes = reader.read(*id).with_context(|| format!("cannot read {path} of the base"))?;
                if path != MARKER && (is_ours(path, &bytes) || is_marked(&bytes)) {
                    sides.differ(path, Some(&bytes), None);
                }
            }
        }
        Base::Rendered(all) => {
            for (path, bytes) in all.iter().filter(|(path, _)| rendered.file(path).is_none()) {
                sides.differ(path, Some(bytes), None);
            }
        }
    }
    Ok(())
}
