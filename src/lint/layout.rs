//! Which files belong together: folders of kustomize, charts of Helm, our own layout, and what deployers are pointed at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::file::items;
use super::readers::Readers;
use crate::inputs::Inputs;
use crate::place::Span;
use crate::rendered::MARKER_NAME;
use crate::yaml::{Node, Value, read_foreign};

/// The names under which kustomize looks for its file.
///
/// Source: `KustomizationNames` of Argo CD's `util/kustomize/kustomize.go`
pub const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// What a file is in its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A file of manifests, for whoever reads the folder.
    Manifest,
    /// A file of manifests that a kustomization lists.
    Listed,
    /// A file that a kustomization uses otherwise: a patch, the values of a generator.
    Used,
    /// A file in the folder of a kustomization that does not name it: nobody reads it.
    Unlisted,
    /// A kustomization.
    Kustomization,
    /// Part of a Helm chart: text until it is rendered.
    Chart,
}

/// A kustomization of the tree.
pub struct Kustomization {
    /// Its file.
    pub path: Arc<str>,
    /// What it lists as resources, and where.
    pub resources: Vec<(String, Span)>,
    /// Whether it gives objects their namespace.
    pub namespace: bool,
}

/// The files of a tree by what they are for.
#[derive(Default)]
pub struct Layout {
    /// Folder of each kustomization, and what it says.
    pub kustomizations: BTreeMap<String, Kustomization>,
    /// Folders of charts.
    pub charts: BTreeSet<String>,
    /// Folders that carry the renderer's mark.
    pub ours: BTreeSet<String>,
    /// All files, by path.
    pub files: BTreeSet<Arc<str>>,
    /// The folder that was asked for, with which all paths begin.
    pub base: String,
    listed: BTreeMap<String, String>,
    used: BTreeSet<String>,
}

impl Layout {
    /// Looks at the names of all files, and into kustomizations.
    pub fn new(inputs: &Inputs, base: &str) -> Layout {
        let mut layout = Layout {
            files: inputs.iter().map(|(path, _)| Arc::clone(path)).collect(),
            base: base.to_owned(),
            ..Layout::default()
        };
        for (path, _) in inputs.iter() {
            let (folder, name) = split(path);
            if name == MARKER_NAME {
                layout.ours.insert(folder.to_owned());
            }
            let templates = join(folder, "templates/");
            let inside = |file: &Arc<str>| file.starts_with(&templates);
            if name == "Chart.yaml" && layout.files.range(Arc::from(templates.as_str())..).next().is_some_and(inside) {
                layout.charts.insert(folder.to_owned());
            }
        }
        for (path, _) in inputs.iter().filter(|(path, _)| KUSTOMIZATIONS.contains(&split(path).1)) {
            if let Some(text) = inputs.text(path).filter(|_| layout.chart(path).is_none()) {
                layout.kustomize(path, text);
            }
        }
        layout
    }

    fn kustomize(&mut self, path: &Arc<str>, text: &str) {
        let folder = split(path).0;
        let documents = read_foreign(text).documents;
        let Some(document) = documents.first() else { return };
        let mut resources = Vec::new();
        for key in ["resources", "bases", "components"] {
            for item in items(document.get(key)) {
                let Some(name) = item.text() else { continue };
                resources.push((name.to_owned(), item.span));
                self.listed.insert(join(folder, name), folder.to_owned());
            }
        }
        let mut names = Vec::new();
        texts(document, &mut names);
        for name in names {
            // `key=file` of a generator.
            let name = name.split_once('=').map_or(name, |(_, file)| file);
            let file = join(folder, name);
            if !self.listed.contains_key(&file) && self.files.contains(file.as_str()) {
                self.used.insert(file);
            }
        }
        let namespace = document.get("namespace").is_some();
        self.kustomizations.insert(folder.to_owned(), Kustomization { path: Arc::clone(path), resources, namespace });
    }

    /// What a file is.
    pub fn role(&self, path: &str) -> Role {
        if self.chart(path).is_some() {
            Role::Chart
        } else if KUSTOMIZATIONS.contains(&split(path).1) {
            Role::Kustomization
        } else if self.listed.contains_key(path) {
            Role::Listed
        } else if self.used.contains(path) {
            Role::Used
        } else if self.kustomizations.contains_key(split(path).0) && self.own(path).is_none() {
            Role::Unlisted
        } else {
            Role::Manifest
        }
    }

    /// The folder of the chart that a file is part of.
    pub fn chart<'p>(&self, path: &'p str) -> Option<&'p str> {
        folders(path).find(|folder| self.charts.contains(*folder))
    }

    /// The kustomization whose folder a file is in, however deep.
    pub fn kustomization(&self, path: &str) -> Option<&Kustomization> {
        folders(path).find_map(|folder| self.kustomizations.get(folder))
    }

    /// The folder of our own layout that one deployer reads: `platform`, one of `tenants/`, one of `gitops/argocd/`.
    pub fn own(&self, path: &str) -> Option<String> {
        let root = folders(path).find(|folder| self.ours.contains(*folder))?;
        let rest = if root.is_empty() { path } else { path.strip_prefix(root)?.strip_prefix('/')? };
        let parts: Vec<&str> = rest.split('/').collect();
        match parts.as_slice() {
            ["platform", _, ..] => Some(join(root, "platform")),
            ["tenants", tenant, _, ..] => Some(join(root, &format!("tenants/{tenant}"))),
            ["gitops", ..] => Some(split(path).0.to_owned()),
            _ => None,
        }
    }

    /// The unit that a file belongs to: what one deployer applies at once. `None`: nobody reads it.
    pub fn unit(&self, path: &str, readers: &Readers) -> Option<Unit> {
        if let Some(folder) = self.listed.get(path) {
            return Some(Unit { folder: folder.clone(), by: By::Kustomize });
        }
        if let Some(folder) = self.own(path) {
            return Some(Unit { folder, by: By::Ours });
        }
        if let Some(folder) = folders(path).find(|folder| readers.contains_key(*folder)) {
            return Some(Unit { folder: folder.to_owned(), by: By::Deployer });
        }
        if !readers.is_empty() || self.kustomization(path).is_some() {
            return None;
        }
        Some(Unit { folder: String::new(), by: By::Guess })
    }
}

/// What one deployer applies at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit {
    /// The folder.
    pub folder: String,
    /// How that is known.
    pub by: By,
}

/// How it is known that a folder is applied at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// It is our own layout.
    Ours,
    /// An Application of Argo CD or a Kustomization of Flux points at it.
    Deployer,
    /// A kustomization lists it.
    Kustomize,
    /// It is not known: the whole tree is taken for it.
    Guess,
}

/// A path within the folder that was asked for.
pub fn within<'p>(path: &'p str, base: &str) -> &'p str {
    path.strip_prefix(base).map_or(path, |rest| rest.strip_prefix('/').unwrap_or(rest))
}

/// Whether a file lies below a folder, however deep.
pub fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The folder and the name of a path.
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The folders that a file is in, from the nearest one outwards; the last is the empty one.
pub fn folders(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(path);
    std::iter::from_fn(move || {
        let path = rest.filter(|path| !path.is_empty())?;
        let folder = split(path).0;
        rest = Some(folder);
        Some(folder)
    })
}

/// A path from a folder, with `.` and `..` followed; what would leave the tree stays at its top.
pub fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let slash = if path.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    let start = if folder.starts_with('/') { "/" } else { "" };
    format!("{start}{}{slash}", parts.join("/"))
}

/// All texts of a document.
fn texts<'n>(node: &'n Node<'_>, all: &mut Vec<&'n str>) {
    match &node.value {
        Value::Scalar { text, .. } => all.push(text),
        Value::List(items) => items.iter().for_each(|item| texts(item, all)),
        Value::Map(entries) => entries.iter().for_each(|(_, value)| texts(value, all)),
    }
}
