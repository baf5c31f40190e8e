//! L222: a webhook that keeps its own pods from starting.

use std::collections::BTreeMap;

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::Tree;
use crate::lint::found::Found;
use crate::lint::selectors::METADATA_NAME;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L222",
    severity: Severity::Error,
    title: "a webhook that keeps its own pods from starting",
    why: "A webhook that is asked about pods of its own namespace, or about Deployments that make them, and fails \
          closed refuses what it needs to answer: once it is down, it stays down. The control plane's namespaces stop \
          with it where it is asked about them too.",
    fix: "Exempt its own namespace and kube-system with a `namespaceSelector` on `kubernetes.io/metadata.name`.",
    source: "<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/> (avoiding \
          operating on the kube-system namespace, avoiding deadlocks)",
    consumers: &[Consumer::Cluster],
    example: "failurePolicy: Fail, rules for pods, and a namespaceSelector that its own namespace satisfies",
    in_units: false,
    check: Check::Tree(check),
};

fn check(tree: &Tree, found: &mut Found) {
    for webhook in &tree.facts.closed {
        let name = webhook.namespace.as_str();
        let here = tree.facts.namespaces.iter().filter(|namespace| namespace.name == name);
        let mut known: Vec<_> = here.map(|namespace| (namespace.labels.clone(), true)).collect();
        if known.is_empty() {
            // Made elsewhere: this label is on it, and others may be.
            known.push((BTreeMap::from([(METADATA_NAME.to_owned(), name.to_owned())]), false));
        }
        if known.iter().any(|(labels, all)| webhook.asked.selects(labels, *all) == Some(true)) {
            let message = format!(
                "the webhook is asked about {} of its own namespace `{name}`, and refuses them while it is down",
                webhook.what
            );
            found.add(&RULE, webhook.at.clone(), message);
        }
    }
}
