//! `RoleBinding`: who has the Roles of a tenant's namespace.

use k8s_openapi::api::rbac::v1::{RoleBinding, RoleRef, Subject};

use super::role::{ROLES, role_name};
use super::{Build, InNamespace, Kind, Object, meta};
use crate::contract::tenant::State;

/// API group of Roles and their bindings.
pub const GROUP: &str = "rbac.authorization.k8s.io";

/// The row of [`super::KINDS`].
pub const KIND: Kind = Kind { group: GROUP, version: "v1", kind: "RoleBinding", build: Build::Namespace(build) };

/// One a Role, always: taking the last person out is a change of `subjects`, which revokes on apply, where a missing
/// object would have to wait for pruning. In a retired namespace nobody is bound.
fn build(scope: &InNamespace<'_>) -> Vec<Object> {
    let tenant = scope.tenant;
    let retired = scope.namespace.state == State::Retired;
    let each = ROLES.iter().zip(&tenant.subjects).map(|(role, who)| {
        let name = role_name(&tenant.name, role);
        let subject = |kind: &str, name: &String| Subject {
            api_group: Some(GROUP.to_owned()),
            kind: kind.to_owned(),
            name: name.clone(),
            namespace: None,
        };
        let users = who.users.iter().map(|(name, span)| (subject("User", name), span));
        let groups = who.groups.iter().map(|(name, span)| (subject("Group", name), span));
        let named: Vec<_> = groups.chain(users).filter(|_| !retired).collect();
        let origins = named.iter().enumerate().map(|(i, (_, span))| (format!("/subjects/{i}"), tenant.doc.at(**span)));
        let origins: Vec<_> = origins.collect();
        let subjects: Vec<Subject> = named.into_iter().map(|(subject, _)| subject).collect();
        let binding = RoleBinding {
            metadata: meta::in_namespace(scope, format!("{name}-binding")),
            role_ref: role_ref("Role", name),
            subjects: (!subjects.is_empty()).then_some(subjects),
        };
        let mut object = Object::new(binding, tenant.doc.at(scope.namespace.span));
        object.origins = origins;
        object
    });
    each.collect()
}

/// What a binding gives.
pub fn role_ref(kind: &str, name: impl Into<String>) -> RoleRef {
    RoleRef { api_group: Some(GROUP.to_owned()), kind: kind.to_owned(), name: name.into() }
}

/// A ServiceAccount whom a binding names.
pub fn account(namespace: &str, name: &str) -> Subject {
    Subject {
        kind: "ServiceAccount".to_owned(),
        name: name.to_owned(),
        namespace: Some(namespace.to_owned()),
        ..Subject::default()
    }
}
