//! `Role` and `RoleBinding` with which Flux sees whether the webhook runs: it counts the pods of a Deployment itself.
//!
//! In the platform's namespace alone: nobody else's pods are Flux's to list.
//!
//! Source: `pkg/kstatus/polling/statusreaders/deployment.go` of <https://github.com/fluxcd/cli-utils>

use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding};

use super::scope;
use crate::gitops::flux::ACCOUNT;
use crate::objects::{Build, Kind, Object, role, role_binding};
use crate::plan::Plan;

/// The row of [`crate::objects::KINDS`] of the Role.
pub const ROLE: Kind = Kind { build: Build::Platform(role), ..role::KIND };

/// The row of [`crate::objects::KINDS`] of the RoleBinding.
pub const ROLE_BINDING: Kind = Kind { build: Build::Platform(binding), ..role_binding::KIND };

/// Flux's namespace, where it applies a webhook.
fn wanted(plan: &Plan) -> Option<(super::Scope<'_>, &str)> {
    let flux = plan.platform.gitops.as_ref()?.flux.as_ref()?;
    Some((scope(plan)?, &flux.namespace))
}

fn role(plan: &Plan) -> Vec<Object> {
    let Some((scope, _)) = wanted(plan) else { return Vec::new() };
    let rule = |group: &str, resource: &str| PolicyRule {
        api_groups: Some(vec![group.to_owned()]),
        resources: Some(vec![resource.to_owned()]),
        verbs: vec!["list".to_owned()],
        ..PolicyRule::default()
    };
    let role =
        Role { metadata: scope.metadata(ACCOUNT), rules: Some(vec![rule("", "pods"), rule("apps", "replicasets")]) };
    vec![Object::new(role, scope.webhook.at.clone())]
}

fn binding(plan: &Plan) -> Vec<Object> {
    let Some((scope, namespace)) = wanted(plan) else { return Vec::new() };
    let binding = RoleBinding {
        metadata: scope.metadata(ACCOUNT),
        role_ref: role_binding::role_ref(role::KIND.kind, ACCOUNT),
        subjects: Some(vec![role_binding::account(namespace, ACCOUNT)]),
    };
    vec![Object::new(binding, scope.webhook.at.clone())]
}
