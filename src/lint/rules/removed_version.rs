//! L112: an API version that is gone.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::found::Found;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L112",
    severity: Severity::Error,
    title: "an API version that is gone",
    why: "No supported Kubernetes serves it any more: the API server refuses it, and Argo CD and Flux fail the whole \
          folder.",
    fix: "Use the version that took its place.",
    source: "<https://kubernetes.io/docs/reference/using-api/deprecation-guide/>",
    consumers: &[Consumer::Cluster],
    example: "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget",
    in_units: false,
    check: Check::Object(check),
};

/// Versions that are gone: group and version, kind (nothing: all), what took its place, and whether that is the same but for
/// its name.
const GONE: &[(&str, &str, &str, bool)] = &[
    ("extensions/v1beta1", "Ingress", "networking.k8s.io/v1", false),
    ("extensions/v1beta1", "NetworkPolicy", "networking.k8s.io/v1", true),
    ("extensions/v1beta1", "PodSecurityPolicy", "", false),
    ("extensions/v1beta1", "", "apps/v1", false),
    ("apps/v1beta1", "", "apps/v1", false),
    ("apps/v1beta2", "", "apps/v1", false),
    ("networking.k8s.io/v1beta1", "Ingress", "networking.k8s.io/v1", false),
    ("networking.k8s.io/v1beta1", "IngressClass", "networking.k8s.io/v1", true),
    ("policy/v1beta1", "PodDisruptionBudget", "policy/v1", false),
    ("policy/v1beta1", "PodSecurityPolicy", "", false),
    ("batch/v1beta1", "CronJob", "batch/v1", true),
    ("batch/v2alpha1", "CronJob", "batch/v1", true),
    ("rbac.authorization.k8s.io/v1alpha1", "", "rbac.authorization.k8s.io/v1", false),
    ("rbac.authorization.k8s.io/v1beta1", "", "rbac.authorization.k8s.io/v1", true),
    (
        "admissionregistration.k8s.io/v1beta1",
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1",
        false,
    ),
    ("admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1", false),
    ("apiextensions.k8s.io/v1beta1", "", "apiextensions.k8s.io/v1", false),
    ("apiregistration.k8s.io/v1beta1", "", "apiregistration.k8s.io/v1", true),
    ("authentication.k8s.io/v1beta1", "TokenReview", "authentication.k8s.io/v1", true),
    ("authorization.k8s.io/v1beta1", "", "authorization.k8s.io/v1", false),
    ("autoscaling/v2beta1", "", "autoscaling/v2", false),
    ("autoscaling/v2beta2", "", "autoscaling/v2", false),
    ("certificates.k8s.io/v1beta1", "CertificateSigningRequest", "certificates.k8s.io/v1", false),
    ("coordination.k8s.io/v1beta1", "Lease", "coordination.k8s.io/v1", true),
    ("discovery.k8s.io/v1beta1", "", "discovery.k8s.io/v1", false),
    ("events.k8s.io/v1beta1", "", "events.k8s.io/v1", false),
    ("flowcontrol.apiserver.k8s.io/v1alpha1", "", "flowcontrol.apiserver.k8s.io/v1", false),
    ("flowcontrol.apiserver.k8s.io/v1beta1", "", "flowcontrol.apiserver.k8s.io/v1", false),
    ("flowcontrol.apiserver.k8s.io/v1beta2", "", "flowcontrol.apiserver.k8s.io/v1", false),
    ("flowcontrol.apiserver.k8s.io/v1beta3", "", "flowcontrol.apiserver.k8s.io/v1", false),
    ("node.k8s.io/v1beta1", "", "node.k8s.io/v1", true),
    ("scheduling.k8s.io/v1beta1", "PriorityClass", "scheduling.k8s.io/v1", true),
    ("storage.k8s.io/v1beta1", "CSIStorageCapacity", "storage.k8s.io/v1", true),
    ("storage.k8s.io/v1beta1", "StorageClass", "storage.k8s.io/v1", true),
    ("storage.k8s.io/v1beta1", "VolumeAttachment", "storage.k8s.io/v1", true),
    ("storage.k8s.io/v1beta1", "CSIDriver", "storage.k8s.io/v1", true),
    ("storage.k8s.io/v1beta1", "CSINode", "storage.k8s.io/v1", true),
];

fn check(object: &Object<'_>, found: &mut Found) {
    let Some(node) = object.node.get("apiVersion") else { return };
    let typed = node.text().unwrap_or_default();
    let gone = GONE.iter().find(|(version, kind, ..)| *version == typed && (kind.is_empty() || *kind == object.kind));
    let Some((_, _, now, same)) = gone else { return };
    let added = found.add(&RULE, object.place(node), format!("Kubernetes no longer serves {} of {typed}", object.kind));
    if now.is_empty() {
        added.hint("nothing took its place; the labels of Pod Security admission do most of it");
    } else {
        added.hint(format!("use {now}"));
    }
    if *same {
        found.edit(&RULE, object.file.path, node.span, *now);
    }
}
