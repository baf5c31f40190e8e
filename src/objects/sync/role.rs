//! `Role`s of `mtp sync`, and their bindings: in the platform's namespace, and where events of cluster-scoped objects stand.

use k8s_openapi::api::rbac::v1::{Role, RoleBinding};

use super::{EVENTS, EVENTS_NAMESPACE, NAME, rights, scope};
use crate::objects::meta::{ObjectMeta, global};
use crate::objects::{Build, Kind, Object, role, role_binding};
use crate::plan::Plan;

/// The row of [`crate::objects::KINDS`].
pub const KIND: Kind = Kind { build: Build::Platform(roles), ..role::KIND };

/// The row of [`crate::objects::KINDS`] of the bindings.
pub const BINDING: Kind = Kind { build: Build::Platform(bindings), ..role_binding::KIND };

/// Where the two are: their names differ, since files of one folder are named after what they hold.
fn places(platform: &str) -> [ObjectMeta; 2] {
    [(NAME, platform), (EVENTS, EVENTS_NAMESPACE)]
        .map(|(name, namespace)| ObjectMeta { namespace: Some(namespace.to_owned()), ..global(name) })
}

fn roles(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let rules = [rights::of_platform(), rights::of_events()];
    let each = places(&scope.platform.namespace).into_iter().zip(rules);
    each.map(|(metadata, rules)| Object::new(Role { metadata, rules: Some(rules) }, scope.sync.at.clone())).collect()
}

fn bindings(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let each = places(&scope.platform.namespace).into_iter().map(|metadata| {
        let binding = RoleBinding {
            role_ref: role_binding::role_ref(role::KIND.kind, metadata.name.clone().unwrap_or_default()),
            metadata,
            subjects: Some(vec![role_binding::account(&scope.platform.namespace, NAME)]),
        };
        Object::new(binding, scope.sync.at.clone())
    });
    each.collect()
}
