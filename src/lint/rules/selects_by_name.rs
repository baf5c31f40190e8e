//! L202: a namespace selected by the label `name`.

use std::collections::BTreeSet;

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::Tree;
use crate::lint::found::Found;
use crate::lint::selectors::METADATA_NAME;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L202",
    severity: Severity::Error,
    title: "a namespace selected by the label `name`",
    why: "Kubernetes sets no label `name`: the selector matches nothing, so that DNS or the platform is cut off, \
          until somebody who may label a Namespace calls it so and is let in.",
    fix: "Select by `kubernetes.io/metadata.name`, which the API server sets and nobody can change.",
    source: "<https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name>; \
          projectcapsule/capsule#200",
    consumers: &[Consumer::Cluster],
    example: "namespaceSelector:\n  matchLabels:\n    name: kube-system",
    in_units: false,
    check: Check::Tree(check),
};

fn check(tree: &Tree, found: &mut Found) {
    let carried: BTreeSet<&str> =
        tree.facts.namespaces.iter().filter_map(|namespace| namespace.labels.get("name")).map(String::as_str).collect();
    for asked in tree.facts.asked.iter().filter(|asked| asked.key == "name") {
        // That one Namespace has the label says nothing about the one that is meant.
        let any = asked.values.is_empty() && !carried.is_empty();
        if any || asked.values.iter().any(|value| carried.contains(value.as_str())) {
            continue;
        }
        let message = "no Namespace has the label `name` unless somebody sets it";
        let added = found.add(&RULE, asked.at.clone(), message);
        if let [value] = asked.values.as_slice() {
            added.hint(format!("write `{METADATA_NAME}: {value}`, which nobody can change"));
        }
    }
}
