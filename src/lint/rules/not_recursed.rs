//! L127: folders below that Argo CD does not read.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::Tree;
use crate::lint::found::Found;
use crate::lint::layout::{Role, split};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L127",
    severity: Severity::Warning,
    title: "folders below that Argo CD does not read",
    why: "Without `directory.recurse: true`, Argo CD reads the files of the folder itself and none of those below: \
          they are never applied, and nobody is told.",
    fix: "Set `directory: {recurse: true}`, or make an Application of each folder.",
    source: "docs/user-guide/directory.md of argoproj/argo-cd, \"Enabling Recursive Resource Detection\"",
    consumers: &[Consumer::Argo],
    example: "path: apps, and manifests in apps/web/",
    in_units: false,
    check: Check::Tree(check),
};

fn check(tree: &Tree, found: &mut Found) {
    for reader in tree.facts.readers.values().flatten().filter(|reader| reader.argo && !reader.recurses) {
        let folder = &reader.folder;
        if tree.layout.kustomizations.contains_key(folder) || tree.layout.charts.contains(folder) {
            continue;
        }
        let below = tree.facts.below(folder).find(|object| {
            let path = &object.at.path;
            let others = tree.readers(path).any(|other| other.folder.len() > folder.len());
            split(path).0 != folder && !others && tree.layout.role(path) == Role::Manifest
        });
        if let Some(object) = below {
            let message = format!("folders below are not read without `recurse`: {} is not applied", object.at.path);
            found.add(&RULE, reader.at.clone(), message);
        }
    }
}
