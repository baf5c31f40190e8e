//! L116: a folder that is too large for Argo CD.

use std::sync::Arc;

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::Tree;
use crate::lint::found::Found;
use crate::lint::layout::By;
use crate::place::Place;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L116",
    severity: Severity::Error,
    title: "a folder that is too large for Argo CD",
    why: "Argo CD reads at most 10 MB of manifests for one Application, unless its administrators raised the limit; \
          what is above fails it as a whole.",
    fix: "Split the folder into several Applications.",
    source: "`--max-combined-directory-manifests-size` in docs/operator-manual/security.md of argoproj/argo-cd",
    consumers: &[Consumer::Argo],
    example: "a folder with 11 MB of manifests",
    in_units: true,
    check: Check::Tree(check),
};

/// The limit's default: `10M`.
const MOST: usize = 10_000_000;

fn check(tree: &Tree, found: &mut Found) {
    let sizes = tree.facts.sizes.iter().map(|(path, bytes)| (path, (path, *bytes)));
    for (unit, files) in tree.units(sizes) {
        let bytes: usize = files.iter().map(|(_, bytes)| bytes).sum();
        let argo = match unit.by {
            By::Ours => true,
            By::Deployer => {
                tree.facts.readers.get(&unit.folder).is_some_and(|own| own.iter().any(|reader| reader.argo))
            }
            By::Kustomize | By::Guess => false,
        };
        if let Some((first, _)) = files.first().filter(|_| argo && bytes > MOST) {
            let message = format!("expected at most {MOST} bytes below {}, found {bytes}", unit.folder);
            found.add(&RULE, Place::file(Arc::clone(first)), message);
        }
    }
}
