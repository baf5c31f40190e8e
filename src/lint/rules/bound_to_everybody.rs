//! L220: a right of everybody.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::items;
use crate::lint::found::Found;
use crate::yaml::Node;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L220",
    severity: Severity::Error,
    title: "a right of everybody",
    why: "Groups such as `system:authenticated` hold everybody, also those of other tenants, and a namespace's \
          ServiceAccount `default` is every pod that names no other.",
    fix: "Bind the people or the ServiceAccount that need it.",
    source: "<https://kubernetes.io/docs/concepts/security/rbac-good-practices/>",
    consumers: &[Consumer::Cluster],
    example: "subjects:\n- kind: Group\n  name: system:authenticated",
    in_units: false,
    check: Check::Object(check),
};

/// Groups and users that hold whoever comes along, and whether they do so without a name.
const EVERYBODY: [(&str, bool); 4] = [
    ("system:anonymous", true),
    ("system:unauthenticated", true),
    ("system:authenticated", false),
    ("system:serviceaccounts", false),
];

/// Roles that Kubernetes itself gives to everybody.
const HARMLESS: [&str; 4] =
    ["system:basic-user", "system:discovery", "system:public-info-viewer", "system:service-account-issuer-discovery"];

fn check(object: &Object<'_>, found: &mut Found) {
    let role = object.text(&["roleRef", "name"]);
    let binds =
        matches!(object.kind, "RoleBinding" | "ClusterRoleBinding") && object.group == "rbac.authorization.k8s.io";
    if !binds || HARMLESS.contains(&role) {
        return;
    }
    let mighty = matches!(role, "cluster-admin" | "admin" | "edit");
    for subject in items(object.get(&["subjects"])) {
        let Some(node) = subject.get("name") else { continue };
        let name = node.text().unwrap_or_default();
        let pods = subject.get("kind").and_then(Node::text) == Some("ServiceAccount") && name == "default";
        let everybody = EVERYBODY.iter().find(|(known, _)| *known == name);
        let (message, certain) = match everybody {
            Some((_, nameless)) => (format!("`{name}` is everybody, and is bound to {role}"), *nameless || mighty),
            None if pods => (format!("every pod that names no ServiceAccount is bound to {role}"), mighty),
            None => continue,
        };
        let at = object.place(node);
        if certain {
            found.add(&RULE, at, message)
        } else {
            found.warn(&RULE, at, message)
        };
    }
}
