//! `lint`: what is wrong with files of manifests, whoever made them. Files in, findings out; nothing is read or written here.
//!
//! A file is parsed once and looked at by every rule that needs no other file; what rules about the whole tree need is kept as
//! [`Facts`], and the file is let go. All files are looked at in parallel.

pub mod api;
mod facts;
mod file;
mod found;
mod grants;
mod layout;
mod mask;
mod readers;
pub mod rules;
mod selectors;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

pub use found::{Edit, edited};
pub use mask::mask;

use crate::diagnostic::Diagnostic;
use crate::inputs::{Input, Inputs};
use facts::Facts;
use file::File;
use found::Found;
use layout::{Layout, Role, Unit};
use readers::Reader;
use rules::Check;

/// The folder of git's own files, which is no part of a tree.
pub const GIT: &str = ".git";

/// What is known beside the files.
#[derive(Debug, Default, Clone)]
pub struct Options {
    /// The folder that was asked for, as paths are reported: nothing, or a prefix of all paths.
    pub base: String,
    /// The same folder as its repository knows it: what Argo CD and Flux call it.
    pub repository: String,
    /// Ids of rules whose findings nobody wants.
    pub ignore: BTreeSet<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Linted {
    /// Problems, by file and line.
    pub diagnostics: Vec<Diagnostic>,
    /// What would put some of them right, by file and place; never in files that the renderer wrote.
    pub edits: Vec<Edit>,
    /// What was not looked at, and why.
    pub notes: Vec<String>,
    /// How many objects were looked at.
    pub objects: usize,
}

/// All that is known of the tree.
pub struct Tree {
    /// Which files belong together.
    layout: Layout,
    /// What is kept of the files.
    facts: Facts,
}

impl Tree {
    /// The unit that a file belongs to.
    fn unit(&self, path: &str) -> Option<Unit> {
        self.layout.unit(path, &self.facts.readers)
    }

    /// Things of files, in the order of their paths, by unit; without those that nobody reads.
    fn units<'t, T>(&self, all: impl Iterator<Item = (&'t Arc<str>, T)>) -> BTreeMap<Unit, Vec<T>> {
        let mut units: BTreeMap<Unit, Vec<T>> = BTreeMap::new();
        let mut all = all.peekable();
        while let Some((path, first)) = all.next() {
            let unit = self.unit(path);
            let rest = std::iter::from_fn(|| all.next_if(|(other, _)| *other == path).map(|(_, item)| item));
            let items = std::iter::once(first).chain(rest);
            match unit {
                Some(unit) => units.entry(unit).or_default().extend(items),
                None => items.for_each(drop),
            }
        }
        units
    }

    /// Who is known to read a file.
    fn readers<'t>(&'t self, path: &'t str) -> impl Iterator<Item = &'t Reader> {
        layout::folders(path).filter_map(|folder| self.facts.readers.get(folder)).flatten()
    }
}

/// Looks at all files.
pub fn lint(inputs: &Inputs, options: &Options) -> Linted {
    let layout = Layout::new(inputs, &options.base);
    let files = wanted(inputs);
    let (mut found, mut facts) = files
        .par_iter()
        .fold(Default::default, |(mut found, mut facts): (Found, Facts), (path, input)| {
            look(path, input, &layout, options, &mut found, &mut facts);
            (found, facts)
        })
        .reduce(Default::default, |(mut found, mut facts), (more, seen)| {
            found.merge(more);
            facts.merge(seen);
            (found, facts)
        });
    facts.settle(&layout.files, &options.base);
    let charts = layout.charts.iter();
    let notes =
        charts.map(|chart| format!("{}: a Helm chart is not looked at: lint what it renders", shown(chart))).collect();
    let objects = facts.objects.len();
    let tree = Tree { layout, facts };
    for rule in rules::RULES {
        if let Check::Tree(check) = rule.check {
            check(&tree, &mut found);
        }
    }
    // What only a reader of folders stumbles over is no problem where nobody reads.
    let read =
        |d: &Diagnostic| !rules::find(d.rule).is_some_and(|rule| rule.in_units) || tree.unit(&d.at.path).is_some();
    let (diagnostics, edits) = found.into_parts(&options.ignore, read);
    Linted { diagnostics, edits, notes, objects }
}

/// How many objects the files hold: the reading alone, which benches hold the rest against.
pub fn objects(inputs: &Inputs) -> usize {
    let count = |(path, _): &(&Arc<str>, &Input)| {
        let text = inputs.text(path).unwrap_or_default();
        File::read(path, "", text, Role::Manifest).objects().len()
    };
    wanted(inputs).par_iter().map(count).sum()
}

/// What some deployer may read, and what could not be read at all.
fn wanted(inputs: &Inputs) -> Vec<(&Arc<str>, &Input)> {
    let bytes = |input: &Input| matches!(input, Input::Bytes(_));
    inputs.iter().filter(|(path, input)| is_manifest(path) || !bytes(input)).collect()
}

fn shown(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}

/// Whether some deployer takes a file of this name for manifests.
///
/// Source: `manifestFile` of Argo CD's `reposerver/repository/repository.go`; kustomize reads one file without an ending
pub fn is_manifest(path: &str) -> bool {
    let name = layout::split(path).1;
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    matches!(ending, "yaml" | "yml" | "json" | "jsonnet") || layout::KUSTOMIZATIONS.contains(&name)
}

fn look(path: &Arc<str>, input: &Input, layout: &Layout, options: &Options, found: &mut Found, facts: &mut Facts) {
    let role = layout.role(path);
    if role == Role::Chart {
        return;
    }
    let checks = || rules::RULES.iter().map(|rule| rule.check);
    for check in checks() {
        if let Check::Input(check) = check {
            check(path, input, found);
        }
    }
    let Input::Bytes(bytes) = input else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let file = File::read(path, &options.base, text, role);
    let objects = file.objects();
    let mut own = Found::default();
    for check in checks() {
        match check {
            Check::File(check) => check(&file, &mut own),
            Check::Object(check) if matches!(role, Role::Manifest | Role::Listed | Role::Unlisted) => {
                objects.iter().for_each(|object| check(object, &mut own));
            }
            _ => {}
        }
    }
    if file.is_ours() {
        own.drop_edits();
    } else {
        own.keep_certain(text);
    }
    found.merge(own);
    facts.merge(facts::gather(&file, &objects, options));
}

/// The edits of each file.
pub fn by_file(edits: &[Edit]) -> impl Iterator<Item = (&Arc<str>, &[Edit])> {
    edits.chunk_by(|a, b| a.path == b.path).filter_map(|edits| Some((&edits.first()?.path, edits)))
}
