//! `ServiceAccount`: the `default` one of each namespace, without a token in every pod.

use k8s_openapi::api::core::v1::{LocalObjectReference, ServiceAccount};

use super::{Build, InNamespace, Kind, Object, meta};

/// The row of [`super::KINDS`].
pub const KIND: Kind = Kind { group: "", version: "v1", kind: "ServiceAccount", build: Build::Namespace(build) };

/// A stolen token is the usual first step: pods that need one name a ServiceAccount of their own.
///
/// Source: <https://kubernetes.io/docs/concepts/security/rbac-good-practices/#minimize-distribution-of-privileged-tokens>
fn build(scope: &InNamespace<'_>) -> Vec<Object> {
    let mut names: Vec<&String> = scope.platform.pull_secrets.iter().chain(&scope.tenant.pull_secrets).collect();
    names.sort();
    names.dedup();
    let secrets: Vec<_> = names.into_iter().map(|name| LocalObjectReference { name: name.clone() }).collect();
    let account = ServiceAccount {
        automount_service_account_token: Some(false),
        image_pull_secrets: (!secrets.is_empty()).then_some(secrets),
        metadata: meta::in_namespace(scope, "default"),
        secrets: None,
    };
    vec![Object::new(account, scope.tenant.doc.at(scope.namespace.span))]
}
