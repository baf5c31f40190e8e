//! L118: the same object twice.

use std::collections::BTreeMap;

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::Tree;
use crate::lint::found::Found;
use crate::lint::layout::{By, split};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L118",
    severity: Severity::Error,
    title: "the same object twice",
    why: "Which of the two wins depends on the order of files: Argo CD warns and takes one, kubectl applies both, the \
          last wins, and Flux fails the whole folder.",
    fix: "Keep one of them.",
    source: "DeduplicateTargetObjects in controller/state.go of argoproj/argo-cd; kustomize: `may not add resource \
          with an already registered id`",
    consumers: &[Consumer::Argo, Consumer::Flux, Consumer::Kubectl],
    example: "two files with a ConfigMap web/settings",
    in_units: true,
    check: Check::Tree(check),
};

fn check(tree: &Tree, found: &mut Found) {
    let named = tree.facts.objects.iter().filter(|object| !object.name.is_empty());
    for (unit, objects) in tree.units(named.map(|object| (&object.at.path, object))) {
        let mut seen = BTreeMap::new();
        for object in objects {
            let id = (&object.group, &object.kind, &object.namespace, &object.name);
            let Some(first) = seen.insert(id, object) else { continue };
            let message = format!("{} {} is there twice", object.kind, object.name);
            // Without anybody who says what is applied together, two folders may be for two clusters.
            let guess = unit.by == By::Guess && split(&first.at.path).0 != split(&object.at.path).0;
            let added = if guess {
                found.warn(&RULE, object.at.clone(), message)
            } else {
                found.add(&RULE, object.at.clone(), message)
            };
            added.related(first.at.clone(), "the first one");
        }
    }
}
