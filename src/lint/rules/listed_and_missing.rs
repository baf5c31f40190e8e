//! L125: a kustomization lists what is not there.

use std::sync::Arc;

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::Tree;
use crate::lint::found::Found;
use crate::lint::is_manifest;
use crate::lint::layout::{join, split, within};
use crate::place::Place;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L125",
    severity: Severity::Error,
    title: "a kustomization lists what is not there",
    why: "One entry that does not exist fails the whole build of kustomize, Flux and Argo CD.",
    fix: "Correct the entry, or add the file.",
    source: "<https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/resource/>",
    consumers: &[Consumer::Argo, Consumer::Flux, Consumer::Kubectl],
    example: "resources:\n  - deploymnet.yaml",
    in_units: false,
    check: Check::Tree(check),
};

fn check(tree: &Tree, found: &mut Found) {
    for (folder, kustomization) in &tree.layout.kustomizations {
        for (name, span) in &kustomization.resources {
            // What is fetched from elsewhere, or lies above the folder that was asked for, is not known here.
            let remote =
                name.contains("//") || name.contains("?ref=") || name.contains('@') || name.starts_with("github.com/");
            let up = name.split('/').filter(|part| *part == "..").count();
            let deep = within(folder, &tree.layout.base).split('/').filter(|part| !part.is_empty()).count();
            if remote || name.is_empty() || up > deep {
                continue;
            }
            let path = join(folder, name);
            let inside = format!("{}/", path.trim_end_matches('/'));
            let mut after = tree.layout.files.range(Arc::<str>::from(inside.as_str())..);
            let is_folder = after.next().is_some_and(|file| file.starts_with(&inside));
            if !is_folder && !tree.layout.files.contains(path.as_str()) && is_manifest_or_folder(&path) {
                found.add(&RULE, Place::new(&kustomization.path, *span), format!("there is no `{name}`"));
            }
        }
    }
}

/// Files with other endings are not read, and so not known.
fn is_manifest_or_folder(path: &str) -> bool {
    is_manifest(path) || !split(path).1.contains('.')
}
