//! L215: a rule that matches nothing.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::items;
use crate::lint::found::Found;
use crate::lint::grants::grants;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L215",
    severity: Severity::Error,
    title: "a rule that matches nothing",
    why: "Without groups, resources or verbs a rule grants nothing; the API server refuses most of these and takes \
          the others in silence.",
    fix: "Name `apiGroups` (the core group is `\"\"`), `resources` and `verbs`, or take the rule away.",
    source: "ValidatePolicyRule in pkg/apis/rbac/validation/validation.go of kubernetes/kubernetes",
    consumers: &[Consumer::Cluster],
    example: "- apiGroups: []\n  resources: [pods]\n  verbs: [get]",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    for grant in grants(object).into_iter().filter(|grant| grant.of_rbac) {
        let urls = !items(grant.node.get("nonResourceURLs")).is_empty();
        let lists =
            [("apiGroups", grant.groups, urls), ("resources", grant.resources, urls), ("verbs", grant.verbs, false)];
        for (field, list, may_miss) in lists {
            if list.is_empty() && !may_miss {
                let at = grant.node.get(field).unwrap_or(grant.node);
                found.add(&RULE, object.place(at), format!("a rule without `{field}` matches nothing"));
                break;
            }
        }
    }
}
