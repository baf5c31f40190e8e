//! `Rendered`: what the platform owns, as files in memory; the pivot of the program.
//!
//! `render` writes it, `--check` and `diff` compare it, `sync` applies it.

use std::sync::Arc;

use crate::place::Place;

/// The folder of the output, relative to the root.
pub const RENDERED: &str = "rendered";

/// The file that marks the folder as ours, relative to the root. Neither YAML nor JSON by its name, because Flux and
/// Argo CD read all of those.
pub const MARKER: &str = "rendered/.k8s-mtp";

/// What [`MARKER`] holds; constant, so that no two branches ever differ in it.
pub const MARKER_TEXT: &str = "\
This folder is written by k8s-mtp from tenants/. Files that begin with its header line are replaced and removed by
`mtp render`; edit tenants/ instead.
";

/// How the first line of each of our files begins; the path of the input file follows.
pub const HEADER: &str = "# Rendered by k8s-mtp from ";

/// The rendered files, in path order.
#[derive(Debug, Default)]
pub struct Rendered {
    /// All files except the marker, sorted by path, each path once.
    pub files: Vec<File>,
}

/// One file of the output.
#[derive(Debug, Clone)]
pub struct File {
    /// Path relative to the root, with `/`: `rendered/platform/namespace-k8s-mtp.yaml`.
    pub path: String,
    /// What it holds, header line included.
    pub bytes: Vec<u8>,
    /// The objects in it, in the order of the file.
    pub objects: Vec<Object>,
}

/// One object of a file: what it is and whom it comes from.
#[derive(Debug, Clone)]
pub struct Object {
    /// Which object.
    pub id: ObjectId,
    /// The entry of `tenants/` that it is made for.
    pub at: Place,
}

/// The identity of an object in a cluster; the version is no part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// API group; empty for the core group.
    pub group: Arc<str>,
    /// Kind, as in the manifest.
    pub kind: Arc<str>,
    /// Namespace; `None` for what is cluster-scoped.
    pub namespace: Option<Arc<str>>,
    /// Name.
    pub name: Arc<str>,
}

impl Rendered {
    /// What is to be on disk, the marker included, by path relative to the root.
    pub fn tree(&self) -> impl Iterator<Item = (&str, &[u8])> {
        std::iter::once((MARKER, MARKER_TEXT.as_bytes()))
            .chain(self.files.iter().map(|f| (f.path.as_str(), f.bytes.as_slice())))
    }

    /// The file at `path`.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.binary_search_by(|f| f.path.as_str().cmp(path)).ok().map(|i| &self.files[i])
    }
}
