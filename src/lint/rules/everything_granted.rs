//! L217: a grant of everything.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::{Object, items};
use crate::lint::found::Found;
use crate::lint::grants::grants;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L217",
    severity: Severity::Warning,
    title: "a grant of everything",
    why: "`*` also grants what does not exist yet: new verbs (`escalate`, `impersonate`), new subresources \
          (`pods/exec`), kinds that are installed later.",
    fix: "List what is needed.",
    source: "<https://kubernetes.io/docs/concepts/security/rbac-good-practices/>",
    consumers: &[Consumer::Cluster],
    example: "verbs: [\"*\"]",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    // Kubernetes' own, which everybody's tools carry along.
    if object.kind == "ClusterRole" && object.name() == "cluster-admin" {
        return;
    }
    for grant in grants(object).into_iter().filter(|grant| grant.of_rbac) {
        for (field, list) in [
            ("apiGroups", grant.groups),
            ("resources", grant.resources),
            ("nonResourceURLs", items(grant.node.get("nonResourceURLs"))),
            ("verbs", grant.verbs),
        ] {
            let every = |text: &str| text == "*" || text.starts_with("*/") || text.ends_with("/*");
            if let Some(node) = list.iter().find(|item| item.text().is_some_and(every)) {
                let typed = node.text().unwrap_or_default();
                found.add(
                    &RULE,
                    object.place(node),
                    format!("`{typed}` in `{field}` grants what nobody has thought of"),
                );
                break;
            }
        }
    }
}
