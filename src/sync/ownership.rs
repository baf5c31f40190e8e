//! Whose a field is: which parts of our objects nobody else may add to, and which we leave to somebody else.
//!
//! Everything that is rendered is taken back from whoever changed it. That is not enough where what is *not* rendered
//! matters: a NetworkPolicy without `ingress` lets nobody in until somebody adds one, and server-side apply leaves what
//! others add. The parts that are named here are closed: what others add to them is removed.

use serde_json::Value;

use super::fields::{Path, Step};
use crate::names::is_in_domain;

/// The parts of a kind that are closed.
struct Closed {
    group: &'static str,
    kind: &'static str,
    /// Fields of the object, from the top.
    parts: &'static [&'static str],
}

const ADMISSION: &str = "admissionregistration.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";

const CLOSED: &[Closed] = &[
    Closed { group: "", kind: "ResourceQuota", parts: &["spec"] },
    Closed { group: "", kind: "LimitRange", parts: &["spec"] },
    Closed { group: "networking.k8s.io", kind: "NetworkPolicy", parts: &["spec"] },
    Closed { group: RBAC, kind: "Role", parts: &["rules"] },
    Closed { group: RBAC, kind: "ClusterRole", parts: &["rules", "aggregationRule"] },
    Closed { group: RBAC, kind: "RoleBinding", parts: &["subjects"] },
    Closed { group: RBAC, kind: "ClusterRoleBinding", parts: &["subjects"] },
    Closed { group: ADMISSION, kind: "ValidatingAdmissionPolicy", parts: &["spec"] },
    Closed { group: ADMISSION, kind: "ValidatingAdmissionPolicyBinding", parts: &["spec"] },
    Closed { group: ADMISSION, kind: "MutatingAdmissionPolicy", parts: &["spec"] },
    Closed { group: ADMISSION, kind: "MutatingAdmissionPolicyBinding", parts: &["spec"] },
    Closed { group: ADMISSION, kind: "ValidatingWebhookConfiguration", parts: &["webhooks"] },
    Closed { group: ADMISSION, kind: "MutatingWebhookConfiguration", parts: &["webhooks"] },
    // What the webhook knows of tenants.
    Closed { group: "", kind: "ConfigMap", parts: &["data", "binaryData"] },
];

/// Labels of a Namespace that decide what may run in it and whose it is.
const CLOSED_LABELS: [&str; 2] = ["pod-security.kubernetes.io", "k8s-mtp.io"];

/// What cert-manager fills in where certificates are its. One that is rendered is taken back like everything else.
const CA_BUNDLE: [&str; 2] = ["clientConfig", "caBundle"];

/// A field that is left to somebody else once he wants it.
struct Left {
    group: &'static str,
    kinds: &'static [&'static str],
    /// The field, as API servers write it in a conflict.
    field: &'static str,
    /// Through which subresource he set it.
    subresource: &'static str,
    /// Where it stands.
    map: &'static str,
    name: &'static str,
}

const LEFT: &[Left] = &[
    // A HorizontalPodAutoscaler scales what a template makes.
    Left {
        group: "apps",
        kinds: &["Deployment", "StatefulSet"],
        field: ".spec.replicas",
        subresource: "scale",
        map: "/spec",
        name: "replicas",
    },
];

/// Whether nobody but us may own that field of an object of that kind.
pub fn is_closed(group: &str, kind: &str, path: &Path) -> bool {
    let field = |index: usize| match path.0.get(index) {
        Some(Step::Field(name)) => Some(name.as_str()),
        _ => None,
    };
    if (group, kind) == ("", "Namespace") {
        let prefix = field(2).and_then(|label| label.split_once('/'));
        return (field(0), field(1)) == (Some("metadata"), Some("labels"))
            && prefix.is_some_and(|(prefix, _)| CLOSED_LABELS.iter().any(|domain| is_in_domain(prefix, domain)));
    }
    let Some(row) = CLOSED.iter().find(|row| row.group == group && row.kind == kind) else { return false };
    let filled_in = group == ADMISSION && (field(2), field(3)) == (Some(CA_BUNDLE[0]), Some(CA_BUNDLE[1]));
    field(0).is_some_and(|first| row.parts.contains(&first)) && !filled_in
}

/// Takes a field out of `object` that is left to whoever set it; whether it is.
///
/// `field` and `subresource` are those of a conflict.
pub fn gives_way(group: &str, kind: &str, field: &str, subresource: &str, object: &mut Value) -> bool {
    let wanted = |row: &&Left| {
        row.group == group && row.kinds.contains(&kind) && row.field == field && row.subresource == subresource
    };
    let Some(row) = LEFT.iter().find(wanted) else { return false };
    if let Some(map) = object.pointer_mut(row.map).and_then(Value::as_object_mut) {
        map.remove(row.name);
    }
    true
}
