//! The labels by which a pod says whose it is are not to be forged: NetworkPolicies of other tenants may go by them.
//!
//! Where the API server can, it puts them there by itself: see [`super::mutation`].

use super::{Judge, in_tenants, rule, validation};
use crate::objects::meta::{TENANT, TIER};
use crate::plan::Plan;
use crate::plan::admission::PoliciesPlan;

/// What changes labels of pods: status too, and a binding, whose labels the API server copies to the pod.
const RESOURCES: [&str; 6] =
    ["bindings", "pods", "pods/binding", "pods/ephemeralcontainers", "pods/resize", "pods/status"];

/// Refused where the tenant is another one; of another tier, whoever states it is told, since a tier may change while the
/// template of a Deployment stays.
pub fn judges(_: &Plan, _: &PoliciesPlan) -> Vec<Judge> {
    let label = |of: &str, key: &str| format!("{of}.metadata.?labels[?'{key}']");
    let judge = |name: &str, key: &'static str, message: &str, actions| {
        let (new, old, own) = (label("object", key), label("oldObject", key), label("namespaceObject", key));
        let about = in_tenants(Vec::new(), vec![rule("Namespaced", &["CREATE", "UPDATE"], "", &RESOURCES)]);
        let words = format!("'label {key} of a pod is that of its namespace, ' + {own}.orValue('')");
        Judge {
            name: name.to_owned(),
            about,
            // What stays as it was is left alone.
            when: vec![("stated", format!("{new}.hasValue() && (oldObject == null || {new} != {old})"))],
            variables: Vec::new(),
            validations: vec![validation(format!("{new} == {own}"), message, Some(words))],
            notes: Vec::new(),
            actions,
        }
    };
    vec![
        judge("k8s-mtp-pod-tenant", TENANT, "a pod is of the tenant whose namespace it is in", &["Deny"]),
        judge("k8s-mtp-pod-tier", TIER, "a pod is of the tier of its namespace", &["Warn"]),
    ]
}
