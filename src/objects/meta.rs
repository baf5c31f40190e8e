//! Metadata of everything that is rendered: names, labels, the mark of ownership.

use std::collections::BTreeMap;

pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::InNamespace;
use crate::names::is_in_domain;
use crate::plan::PlatformPlan;

/// The label that a tenant's objects, its Namespaces and its pods carry; the value is the Tenant's name.
pub const TENANT: &str = "tenant.k8s-mtp.io/name";

/// The label that names the tier.
pub const TIER: &str = "tenant.k8s-mtp.io/tier";

/// The label that names the state, where it is not active.
pub const STATE: &str = "tenant.k8s-mtp.io/state";

/// The mark of ownership. Never in a pod template, whose pods belong to their ReplicaSet.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// The value of [`MANAGED_BY`] and [`PART_OF`].
pub const K8S_MTP: &str = "k8s-mtp";

/// What an object is a part of.
pub const PART_OF: &str = "app.kubernetes.io/part-of";

/// The annotation of a Tenant that lists its namespaces, since a printer column shows no list.
pub const NAMESPACES: &str = "tenant.k8s-mtp.io/namespaces";

/// The annotation of a Namespace that says whom to write to.
pub const OWNER_EMAIL: &str = "tenant.k8s-mtp.io/owner-email";

/// The label by which the API server lets a Namespace be selected by its name.
pub const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// Prefixes and keys of labels and annotations that only the platform writes.
pub fn is_ours(key: &str) -> bool {
    const OURS: [&str; 3] = ["k8s-mtp.io", "kubernetes.io", "k8s.io"];
    const ENGINES: [&str; 2] = ["argoproj.io", "fluxcd.io"];
    let Some((prefix, _)) = key.split_once('/') else { return false };
    OURS.iter().chain(&ENGINES).any(|domain| is_in_domain(prefix, domain))
}

/// The label that says what a pod runs.
const APP: &str = "app.kubernetes.io/name";

/// Labels of pods of ours. Without the mark of ownership: pods belong to their ReplicaSet.
pub fn pod_labels(app: &str) -> BTreeMap<String, String> {
    [(APP, app), (PART_OF, K8S_MTP)].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
}

/// Selects these pods; cannot change once a Deployment has it.
pub fn pods(app: &str) -> LabelSelector {
    LabelSelector { match_labels: Some([(APP.to_owned(), app.to_owned())].into()), match_expressions: None }
}

/// What keeps an object from being removed when it is gone from git: Flux leaves it alone, Argo CD asks.
///
/// Sources: <https://fluxcd.io/flux/components/kustomize/kustomizations/#prune>,
/// <https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/#no-prune-resources>.
const PROTECTION: [(&str, &str); 2] = [
    ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
    ("argocd.argoproj.io/sync-options", "Prune=confirm,Delete=confirm"),
];

/// The annotations of what is not to be removed: Namespaces that are not retired, and what applies them.
pub fn protection() -> BTreeMap<String, String> {
    PROTECTION.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

/// Labels of whatever is ours.
pub fn platform_labels() -> BTreeMap<String, String> {
    PLATFORM_LABELS.map(|(k, v)| (k.to_owned(), v.to_owned())).into()
}

/// Labels of whatever is ours and a tenant's.
pub fn tenant_labels(tenant: &str) -> BTreeMap<String, String> {
    borrowed_tenant_labels(tenant).into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// The same, for what is emitted a hundred thousand times.
pub fn borrowed_tenant_labels(tenant: &str) -> BTreeMap<&'static str, &str> {
    PLATFORM_LABELS.into_iter().chain([(TENANT, tenant)]).collect()
}

const PLATFORM_LABELS: [(&str, &str); 2] = [(MANAGED_BY, K8S_MTP), (PART_OF, K8S_MTP)];

/// Metadata of an object in a tenant's namespace.
pub fn in_namespace(scope: &InNamespace<'_>, name: impl Into<String>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.into()),
        namespace: Some(scope.namespace.name.to_string()),
        labels: Some(tenant_labels(&scope.tenant.name)),
        ..ObjectMeta::default()
    }
}

/// Metadata of an object of the platform's in no namespace.
pub fn global(name: impl Into<String>) -> ObjectMeta {
    ObjectMeta { name: Some(name.into()), labels: Some(platform_labels()), ..ObjectMeta::default() }
}

/// Metadata of an object in the platform's namespace.
pub fn in_platform(platform: &PlatformPlan, name: impl Into<String>) -> ObjectMeta {
    ObjectMeta { namespace: Some(platform.namespace.to_string()), ..global(name) }
}
