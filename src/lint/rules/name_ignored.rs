//! L216: a name that RBAC does not know yet.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::items;
use crate::lint::found::Found;
use crate::lint::grants::grants;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L216",
    severity: Severity::Warning,
    title: "a name that RBAC does not know yet",
    why: "A request to create has no name that RBAC could compare, unless it is server-side apply, and one to delete a \
          collection has none at all: with `resourceNames`, these verbs grant less than they say.",
    fix: "Put the verb into a rule without `resourceNames`.",
    source: "<https://kubernetes.io/docs/reference/access-authn-authz/rbac/> (Referring to resources); patch.go in \
             pkg/endpoints/handlers of kubernetes/apiserver, which asks for `create` with the name",
    consumers: &[Consumer::Cluster],
    example: "resourceNames: [settings]\nverbs: [create]",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    // Ours are for `mtp sync`, which creates by server-side apply alone.
    if object.file.is_ours() {
        return;
    }
    for grant in grants(object).into_iter().filter(|grant| grant.of_rbac) {
        // The name of what a subresource belongs to is part of the address.
        let whole = grant.resources.iter().any(|r| r.text().is_some_and(|r| !r.contains('/')));
        if items(grant.node.get("resourceNames")).is_empty() || !whole {
            continue;
        }
        for node in grant.verbs.iter().filter(|verb| matches!(verb.text(), Some("create" | "deletecollection"))) {
            let verb = node.text().unwrap_or_default();
            found.add(
                &RULE,
                object.place(node),
                format!(
                    "`{verb}` together with `resourceNames` grants {}",
                    if verb == "create" { "server-side apply alone" } else { "nothing" }
                ),
            );
        }
    }
}
