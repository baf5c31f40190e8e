//! Who reads which folder, as far as the tree itself says: Applications of Argo CD, Kustomizations of Flux.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Options;
use super::file::{Object, below, entries, items};
use super::layout::{is_below, join, split};
use crate::place::Place;
use crate::yaml::Node;

/// An Application of Argo CD or a Kustomization of Flux that points at a folder of the tree.
#[derive(Debug)]
pub struct Reader {
    /// The folder, as paths are reported.
    pub folder: String,
    /// The repository that it reads, as it calls it.
    pub repository: String,
    /// Whether it is Argo CD's.
    pub argo: bool,
    /// Whether it takes the folder for plain files, whatever is in it: `directory` of Argo CD.
    pub directory: bool,
    /// Whether it goes into folders below.
    pub recurses: bool,
    /// What it replaces `${…}` with: `postBuild` of Flux.
    pub substitutes: Option<Substitutes>,
    /// Whether it gives objects their namespace.
    pub namespace: bool,
    /// Where the path stands.
    pub at: Place,
}

/// What a `postBuild` sets.
#[derive(Debug)]
pub struct Substitutes {
    /// Variables by name.
    pub known: BTreeSet<String>,
    /// Whether there are others, from objects that only the cluster knows.
    pub more: bool,
}

/// What reads folders, by folder.
pub type Readers = BTreeMap<String, Vec<Reader>>;

/// What an object has to say about who reads which folder.
pub fn gather(object: &Object<'_>, options: &Options, all: &mut Readers) {
    match (object.group, object.kind) {
        ("argoproj.io", "Application") => argo(object, &["spec"], options, all),
        ("argoproj.io", "ApplicationSet") => application_set(object, options, all),
        ("kustomize.toolkit.fluxcd.io", "Kustomization") => flux(object, options, all),
        _ => {}
    }
}

/// Drops readers of other repositories: their path is none of the tree, or it is all of it, which every repository has, and
/// nothing else of that repository is here.
pub fn settle(all: &mut Readers, files: &BTreeSet<Arc<str>>, base: &str) {
    all.retain(|folder, _| {
        let inside = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        files.range(Arc::<str>::from(inside.as_str())..).next().is_some_and(|file| file.starts_with(&inside))
    });
    let parts = all.iter().filter(|(folder, _)| *folder != base).flat_map(|(_, readers)| readers);
    let known: BTreeSet<String> = parts.map(|reader| reader.repository.clone()).collect();
    if let Some(whole) = all.get_mut(base) {
        whole.retain(|reader| known.contains(&reader.repository));
    }
    all.retain(|_, readers| !readers.is_empty());
}

/// The folder of the tree that a path of its repository means; `None` where it lies elsewhere.
fn folder(path: &str, options: &Options) -> Option<String> {
    let path = join("", path);
    if is_below(&options.repository, &path) || path == options.repository {
        return Some(options.base.clone());
    }
    let rest = if options.repository.is_empty() {
        Some(path.as_str())
    } else {
        path.strip_prefix(&options.repository).and_then(|rest| rest.strip_prefix('/'))
    };
    rest.map(|rest| join(&options.base, rest))
}

fn argo(object: &Object<'_>, spec: &[&str], options: &Options, all: &mut Readers) {
    let Some(spec) = object.get(spec) else { return };
    let own = spec.get("source").into_iter();
    for source in own.chain(items(spec.get("sources"))) {
        let Some(path) = source.get("path") else { continue };
        let directory = source.get("directory");
        let text = path.text().unwrap_or_default();
        let Some(folder) = folder(text, options).filter(|_| !text.contains("{{")) else { continue };
        all.entry(folder.clone()).or_default().push(Reader {
            folder,
            repository: source.get("repoURL").and_then(Node::text).unwrap_or_default().to_owned(),
            argo: true,
            directory: directory.is_some(),
            recurses: directory.and_then(|d| d.get("recurse")).and_then(Node::text) == Some("true"),
            substitutes: None,
            namespace: below(spec, &["destination", "namespace"]).is_some(),
            at: object.place(path),
        });
    }
}

/// Folders that a git generator lists: `tenants/*` is every folder in `tenants/`.
///
/// Source: `docs/operator-manual/applicationset/Generators-Git.md` of argoproj/argo-cd
fn application_set(object: &Object<'_>, options: &Options, all: &mut Readers) {
    argo(object, &["spec", "template", "spec"], options, all);
    let source = object.get(&["spec", "template", "spec", "source"]);
    let directory = source.and_then(|source| source.get("directory"));
    for generator in items(object.get(&["spec", "generators"])) {
        for entry in items(below(generator, &["git", "directories"])) {
            let Some(path) = entry.get("path") else { continue };
            if entry.get("exclude").and_then(Node::text) == Some("true") {
                continue;
            }
            let text = path.text().unwrap_or_default();
            let fixed = text.split_once('*').map_or(text, |(before, _)| split(before).0);
            let Some(folder) = folder(fixed, options) else { continue };
            all.entry(folder.clone()).or_default().push(Reader {
                folder,
                repository: below(generator, &["git", "repoURL"]).and_then(Node::text).unwrap_or_default().to_owned(),
                argo: true,
                directory: directory.is_some(),
                // Each folder below is an Application of its own.
                recurses: true,
                substitutes: None,
                namespace: object.get(&["spec", "template", "spec", "destination", "namespace"]).is_some(),
                at: object.place(path),
            });
        }
    }
}

fn flux(object: &Object<'_>, options: &Options, all: &mut Readers) {
    // Without a path, Flux reads the whole source.
    let path = object.get(&["spec", "path"]);
    let Some(folder) = folder(path.and_then(Node::text).unwrap_or_default(), options) else { return };
    all.entry(folder.clone()).or_default().push(Reader {
        folder,
        repository: object.text(&["spec", "sourceRef", "name"]).to_owned(),
        argo: false,
        directory: false,
        recurses: true,
        substitutes: object.get(&["spec", "postBuild"]).map(|build| Substitutes {
            known: entries(build.get("substitute")).iter().filter_map(|(k, _)| k.text().map(str::to_owned)).collect(),
            more: !items(build.get("substituteFrom")).is_empty(),
        }),
        namespace: object.get(&["spec", "targetNamespace"]).is_some(),
        at: path.map_or_else(|| object.at(), |path| object.place(path)),
    });
}
