//! What is on disk against what is to be there: values only; [`crate::disk`] looks and writes.

use std::collections::BTreeMap;

use crate::rendered::{HEADER, MARKER, MARKER_START, MARKER_TEXT, Rendered};

/// How files and folders are called while they are being written; a crash leaves them behind, and the next run removes
/// them.
pub const TEMPORARY: &str = ".k8s-mtp-new-";

/// What a look at `rendered/` found.
#[derive(Debug, Default)]
pub struct Have {
    /// How many files are exactly as they are to be.
    pub same: usize,
    /// Files that are to be there and are not.
    pub missing: Vec<String>,
    /// Files that are there and differ from what is to be there, or are not to be there, with their bytes.
    pub other: BTreeMap<String, Vec<u8>>,
    /// Symbolic links and what else is no file or folder; nothing is ever written through them.
    pub odd: Vec<String>,
    /// Folders where a file is to be, and anything else where a folder is to be.
    pub in_the_way: Vec<String>,
}

/// What is to happen to one file, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Path relative to the root.
    pub path: String,
    /// Why it differs.
    pub kind: ChangeKind,
}

/// The ways in which a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// Ours, with other bytes: stale, or edited by hand.
    Changed,
    /// Not there yet.
    Missing,
    /// Ours, and no longer rendered.
    Orphaned,
    /// Ours, with the marks of a merge conflict in it.
    Conflicted,
    /// Left behind by a run that was killed.
    Leftover,
    /// Not ours: never touched.
    Foreign,
}

impl ChangeKind {
    /// In one word.
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeKind::Changed => "changed",
            ChangeKind::Missing => "missing",
            ChangeKind::Orphaned => "orphaned",
            ChangeKind::Conflicted => "conflicted",
            ChangeKind::Leftover => "leftover",
            ChangeKind::Foreign => "foreign",
        }
    }
}

impl Have {
    /// Takes over what a look at another folder found.
    pub fn add(&mut self, mut more: Have) {
        self.same += more.same;
        self.missing.append(&mut more.missing);
        // Not `append`, which would build the whole map anew for each folder.
        self.other.extend(more.other);
        self.odd.append(&mut more.odd);
        self.in_the_way.append(&mut more.in_the_way);
    }
}

/// What it takes to make the folder as it is to be, in path order.
pub fn changes(have: &Have, rendered: &Rendered) -> Vec<Change> {
    let change = |path: &String, kind| Change { path: path.clone(), kind };
    let mut all: Vec<Change> = have.missing.iter().map(|path| change(path, ChangeKind::Missing)).collect();
    for (path, bytes) in &have.other {
        let wanted = is_wanted(rendered, path);
        let name = path.rsplit('/').next().unwrap_or_default();
        let kind = if is_leftover(path) && is_unfinished(bytes) {
            ChangeKind::Leftover
        } else if !is_ours(path, bytes) {
            // An empty file is what a crash of the machine leaves of one of ours.
            if wanted && bytes.is_empty() { ChangeKind::Changed } else { ChangeKind::Foreign }
        } else if is_conflicted(bytes) {
            ChangeKind::Conflicted
        } else if wanted {
            ChangeKind::Changed
        } else {
            ChangeKind::Orphaned
        };
        if kind != ChangeKind::Foreign || wanted || is_read_by_others(name) {
            all.push(change(path, kind));
        }
    }
    all.extend(have.odd.iter().chain(blocking(have)).map(|path| change(path, ChangeKind::Foreign)));
    all.sort_by(|a, b| (&a.path, a.kind).cmp(&(&b.path, b.kind)));
    all.dedup();
    all
}

/// What is in the way and not ours to remove: nothing can be written before somebody has.
pub fn blocking(have: &Have) -> impl Iterator<Item = &String> {
    have.in_the_way.iter().filter(|path| !have.other.get(*path).is_some_and(|bytes| is_ours(path, bytes)))
}

/// Whether a path is one that files and folders have while they are being written.
pub fn is_leftover(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with(TEMPORARY))
}

/// Whether a file holds no more than what a killed run may have written.
fn is_unfinished(bytes: &[u8]) -> bool {
    bytes.starts_with(HEADER.as_bytes()) || HEADER.as_bytes().starts_with(bytes)
}

/// Whether a file begins with our header line; in a conflict, one of its sides may.
pub fn is_ours(path: &str, bytes: &[u8]) -> bool {
    if path == MARKER {
        // Empty: taken as a lock by a run that was killed. Its wording may be that of another version.
        return bytes.is_empty() || bytes.starts_with(MARKER_START.as_bytes());
    }
    if bytes.starts_with(HEADER.as_bytes()) {
        return true;
    }
    is_conflicted(bytes) && lines(bytes).take(3).any(|line| line.starts_with(HEADER.as_bytes()))
}

/// Whether git left the marks of a conflict in it.
pub fn is_conflicted(bytes: &[u8]) -> bool {
    let has = |mark: &[u8]| lines(bytes).any(|line| line.starts_with(mark));
    has(b"<<<<<<< ") && has(b">>>>>>> ")
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|b| *b == b'\n')
}

/// Whether Argo CD, Flux or kubectl would read a file by its name.
fn is_read_by_others(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or(name, |(_, ending)| ending);
    let ending = ending.to_ascii_lowercase();
    matches!(ending.as_str(), "yaml" | "yml" | "json" | "jsonnet" | "kustomization" | "tpl")
}

/// Whether a file is to stand at `path`.
pub fn is_wanted(rendered: &Rendered, path: &str) -> bool {
    path == MARKER || rendered.file(path).is_some()
}

/// The bytes that are to stand at `path`, where something else stands.
pub fn wanted<'r>(rendered: &'r Rendered, path: &str) -> Option<&'r [u8]> {
    if path == MARKER {
        Some(MARKER_TEXT.as_bytes())
    } else {
        rendered.file(path)?.content.as_ref().map(|c| c.bytes.as_slice())
    }
}

/// The input file that a file of ours names in its header.
pub fn source(bytes: &[u8]) -> Option<&str> {
    let line = lines(bytes).next()?.strip_prefix(HEADER.as_bytes())?;
    std::str::from_utf8(line).ok()
}
