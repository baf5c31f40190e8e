//! L201: a selector of namespaces that selects none.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::Tree;
use crate::lint::found::Found;
use crate::lint::selectors::METADATA_NAME;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L201",
    severity: Severity::Warning,
    title: "a selector of namespaces that selects none",
    why: "A selector that no Namespace satisfies opens nothing, or binds nobody: a policy that is meant to hold does \
          not, and nobody is told. Namespaces that are made elsewhere may have the label.",
    fix: "Use a label that the Namespaces carry; `kubernetes.io/metadata.name` is on each.",
    source: "<https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name>",
    consumers: &[Consumer::Cluster],
    example: "namespaceSelector:\n  matchLabels:\n    team: acme",
    in_units: false,
    check: Check::Tree(check),
};

fn check(tree: &Tree, found: &mut Found) {
    let mut carried: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, value) in tree.facts.namespaces.iter().flat_map(|namespace| &namespace.labels) {
        carried.entry(key).or_default().insert(value);
    }
    if carried.is_empty() {
        return;
    }
    for asked in tree.facts.asked.iter().filter(|asked| !matches!(asked.key.as_str(), METADATA_NAME | "name")) {
        let values = carried.get(asked.key.as_str());
        let some = values
            .is_some_and(|known| asked.values.is_empty() || asked.values.iter().any(|v| known.contains(v.as_str())));
        if !some {
            let label = match asked.values.as_slice() {
                [] => asked.key.clone(),
                values => format!("{}: {}", asked.key, values.join(", ")),
            };
            found.add(&RULE, asked.at.clone(), format!("no Namespace here has the label `{label}`"));
        }
    }
}
