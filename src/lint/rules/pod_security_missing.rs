//! L235: a Namespace without Pod Security.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::Tree;
use crate::lint::facts::Named;
use crate::lint::found::Found;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L235",
    severity: Severity::Warning,
    title: "a Namespace without Pod Security",
    why: "Without `pod-security.kubernetes.io/enforce`, pods of the Namespace may be privileged, unless the cluster \
          has another default; other Namespaces here state a level.",
    fix: "State `pod-security.kubernetes.io/enforce: restricted`, or the level that is meant.",
    source: "<https://kubernetes.io/docs/concepts/security/pod-security-admission/>",
    consumers: &[Consumer::Cluster],
    example: "two Namespaces, of which one has no such label",
    in_units: false,
    check: Check::Tree(check),
};

fn check(tree: &Tree, found: &mut Found) {
    let (with, without): (Vec<&Named>, Vec<&Named>) =
        tree.facts.namespaces.iter().partition(|namespace| namespace.labels.contains_key(ENFORCE));
    let Some(other) = with.first() else { return };
    for namespace in without {
        found
            .add(&RULE, namespace.at.clone(), "pods of this Namespace may be privileged")
            .related(other.at.clone(), "which states a level");
    }
}

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
