//! L212: a kind where a resource is wanted.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::found::Found;
use crate::lint::grants::grants;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L212",
    severity: Severity::Error,
    title: "a kind where a resource is wanted",
    why: "RBAC and webhooks know resources by their plural in small letters: `pod` or `Pod` grants nothing, and a \
          webhook for it is never called.",
    fix: "Write the plural.",
    source: "<https://kubernetes.io/docs/reference/access-authn-authz/rbac/>; GHSA-gwxr-7h77-7777",
    consumers: &[Consumer::Cluster],
    example: "apiGroups: [\"\"]\nresources: [pod]",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    for grant in grants(object) {
        for node in grant.resources {
            let typed = node.text().unwrap_or_default();
            let (resource, below) =
                typed.split_once('/').map_or((typed, ""), |(resource, _)| (resource, &typed[resource.len()..]));
            // Of a group that nobody here knows, a resource may be called anything.
            let Some(meant) =
                grant.meant(resource).filter(|meant| grant.has_group(meant.group) || grant.has_group("*"))
            else {
                continue;
            };
            found
                .add(&RULE, object.place(node), format!("expected the name of a resource, found `{resource}`"))
                .hint(format!("write `{}`", meant.plural));
            found.edit(&RULE, object.file.path, node.span, format!("{}{below}", meant.plural));
        }
    }
}
