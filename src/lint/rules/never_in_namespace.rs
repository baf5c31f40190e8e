//! L218: a Role for what stands in no namespace.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::api;
use crate::lint::file::Object;
use crate::lint::found::Found;
use crate::lint::grants::grants;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L218",
    severity: Severity::Error,
    title: "a Role for what stands in no namespace",
    why: "A Role grants within its namespace alone: what stands in none is never granted by it.",
    fix: "Use a ClusterRole and a ClusterRoleBinding, if the right is meant at all.",
    source: "<https://kubernetes.io/docs/reference/access-authn-authz/rbac/>",
    consumers: &[Consumer::Cluster],
    example: "kind: Role\nrules:\n- resources: [nodes]",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    if !object.is("rbac.authorization.k8s.io", "Role") {
        return;
    }
    for grant in grants(object).into_iter().filter(|grant| grant.is_ours()) {
        for node in grant.resources {
            let typed = node.text().unwrap_or_default();
            let resource = typed.split_once('/').map_or(typed, |(resource, _)| resource);
            let mut homes =
                api::RESOURCES.iter().filter(|r| r.plural == resource && grant.has_group(r.group)).peekable();
            // A request for the Namespace itself counts as one in it.
            if resource != "namespaces" && homes.peek().is_some() && homes.all(|r| !r.namespaced && !r.kind.is_empty())
            {
                found.add(
                    &RULE,
                    object.place(node),
                    format!("a Role never grants `{resource}`, which stand in no namespace"),
                );
            }
        }
    }
}
