//! `tenant-deployer`: as whom an engine applies what stands in a tenant's own repository.
//!
//! It stands in the namespaces that the tenant deploys to and has rights there alone, each enumerated: what is in that
//! repository can no more touch what the platform rendered than the tenant's admins can. It depends on the tenant alone, not
//! on the engine.
//!
//! Source: the usual way, a RoleBinding to `cluster-admin` in the tenant's namespace, lets a tenant take Pod Security off its
//! own Namespace and delete its quotas and policies; CVE-2021-41254 and CVE-2024-31990 were such ways out.

use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::RoleBinding;

use super::role::{self, Rights, role_name};
use super::{Build, InNamespace, Kind, Object, meta, role_binding, service_account};
use crate::contract::tenant::State;

/// Its row of [`super::KINDS`].
pub const SERVICE_ACCOUNT: Kind = Kind { build: Build::Namespace(account), ..service_account::KIND };

/// The row of its Role.
pub const ROLE: Kind = Kind { build: Build::Namespace(rights), ..role::KIND };

/// The row of its RoleBinding.
pub const ROLE_BINDING: Kind = Kind { build: Build::Namespace(binding), ..role_binding::KIND };

/// Its name.
pub const NAME: &str = "tenant-deployer";

/// The last part of the name of its Role.
const ROLE_PART: &str = "deployer";

fn wanted(scope: &InNamespace<'_>) -> bool {
    scope.tenant.deploy.iter().any(|deploy| deploy.namespace == scope.namespace.name)
}

/// The engine asks the API server for whatever token it needs: none is mounted anywhere.
fn account(scope: &InNamespace<'_>) -> Vec<Object> {
    if !wanted(scope) {
        return Vec::new();
    }
    let account = ServiceAccount {
        automount_service_account_token: Some(false),
        metadata: meta::in_namespace(scope, NAME),
        ..ServiceAccount::default()
    };
    vec![Object::new(account, scope.tenant.doc.at(scope.namespace.span))]
}

fn rights(scope: &InNamespace<'_>) -> Vec<Object> {
    if wanted(scope) { vec![role::role(scope, ROLE_PART, Rights::Deployer)] } else { Vec::new() }
}

/// As for people: nobody is bound in a retired namespace.
fn binding(scope: &InNamespace<'_>) -> Vec<Object> {
    if !wanted(scope) {
        return Vec::new();
    }
    let subject = role_binding::account(&scope.namespace.name, NAME);
    let name = role_name(&scope.tenant.name, ROLE_PART);
    let binding = RoleBinding {
        metadata: meta::in_namespace(scope, format!("{name}-binding")),
        role_ref: role_binding::role_ref(role::KIND.kind, name),
        subjects: (scope.namespace.state != State::Retired).then(|| vec![subject]),
    };
    vec![Object::new(binding, scope.tenant.doc.at(scope.namespace.span))]
}
