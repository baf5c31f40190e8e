//! L219: cluster-admin in a namespace.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::found::Found;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L219",
    severity: Severity::Error,
    title: "cluster-admin in a namespace",
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
    let name = object.get(&["roleRef", "name"]);
    if let Some(node) = name.filter(|name| name.text() == Some("cluster-admin"))
        && object.is("rbac.authorization.k8s.io", "RoleBinding")
    {
        found.add(&RULE, object.place(node), "cluster-admin takes down what fences the namespace in");
    }
}
