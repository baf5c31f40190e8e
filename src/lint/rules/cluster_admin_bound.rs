//! L219: cluster-admin in a namespace.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::{Object, items};
use crate::lint::found::Found;
use crate::yaml::Node;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L219",
    severity: Severity::Error,
    title: "cluster-admin for a namespace",
    why: "Within its namespace, cluster-admin may delete quotas, limits and network policies, and may change the \
          Namespace itself with its Pod Security labels: the tenant takes its own fences down.",
    fix: "Bind a Role that lists what is needed.",
    source: "pkg/endpoints/request/requestinfo.go of kubernetes/apiserver, which counts a Namespace as within itself; \
          fluxcd/flux2-multi-tenancy tenants/base/dev-team/rbac.yaml",
    consumers: &[Consumer::Cluster],
    example: "kind: RoleBinding\nroleRef:\n  kind: ClusterRole\n  name: cluster-admin",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    let is_it = |node: &&Node<'_>| node.text() == Some("cluster-admin");
    let Some(node) = object.get(&["roleRef", "name"]).filter(is_it) else { return };
    if object.get(&["roleRef", "kind"]).and_then(Node::text) != Some("ClusterRole") {
        return;
    }
    if object.is("rbac.authorization.k8s.io", "RoleBinding") {
        found.add(&RULE, object.place(node), "cluster-admin takes down what fences the namespace in");
    } else if object.is("rbac.authorization.k8s.io", "ClusterRoleBinding")
        && let Some(subject) = items(object.get(&["subjects"])).iter().find(|subject| is_within(subject))
    {
        let name = subject.get("name").and_then(Node::text).unwrap_or_default();
        found.add(
            &RULE,
            object.place(node),
            format!("`{name}` gets the whole cluster, and so does who runs pods there"),
        );
    }
}

/// Whether a subject is what pods of a namespace run as, but for those of Kubernetes itself and of deployers, which have
/// namespaces of their own.
fn is_within(subject: &Node<'_>) -> bool {
    let text = |field: &str| subject.get(field).and_then(Node::text).unwrap_or_default();
    match text("kind") {
        "ServiceAccount" => text("name") == "default" || text("namespace").starts_with("tenant"),
        "Group" => text("name").starts_with("system:serviceaccounts"),
        _ => false,
    }
}
