//! `ClusterRole` of `mtp sync`, and its binding: the only ones that are rendered, since no tenant has one.

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};

use super::{NAME, rights, scope};
use crate::objects::meta::global;
use crate::objects::{Build, Kind, Object, role_binding};
use crate::plan::Plan;

/// The row of [`crate::objects::KINDS`].
pub const KIND: Kind =
    Kind { group: role_binding::GROUP, version: "v1", kind: "ClusterRole", build: Build::Platform(role) };

/// The row of [`crate::objects::KINDS`] of the binding.
pub const BINDING: Kind = Kind { kind: "ClusterRoleBinding", build: Build::Platform(binding), ..KIND };

fn role(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let role = ClusterRole { metadata: global(NAME), rules: Some(rights::of_cluster(plan)), aggregation_rule: None };
    vec![Object::new(role, scope.sync.at.clone())]
}

fn binding(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let binding = ClusterRoleBinding {
        metadata: global(NAME),
        role_ref: role_binding::role_ref(KIND.kind, NAME),
        subjects: Some(vec![role_binding::account(&scope.platform.namespace, NAME)]),
    };
    vec![Object::new(binding, scope.sync.at.clone())]
}
