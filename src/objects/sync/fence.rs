//! `ValidatingAdmissionPolicy`, and its binding: `mtp sync` writes in the platform's namespace and in those of tenants.
//!
//! RBAC cannot say it: a right in namespaces whose names nobody knows beforehand is one in `kube-system` too. The API server
//! judges by the label that every tenant's Namespace has, and needs nothing that runs.
//!
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>

use k8s_openapi::api::admissionregistration::v1::MatchResources;

use super::{EVENTS, EVENTS_NAMESPACE, NAME, Scope, scope};
use crate::objects::meta::TENANT;
use crate::objects::policies::{self, Judge, rule, validation};
use crate::objects::{Build, Kind, Object};
use crate::plan::Plan;

/// The row of [`crate::objects::KINDS`].
pub const KIND: Kind = Kind { build: Build::Platform(policy), ..policies::KIND };

/// The row of [`crate::objects::KINDS`] of the binding.
pub const BINDING: Kind = Kind { build: Build::Platform(binding), ..policies::BINDING };

fn policy(plan: &Plan) -> Vec<Object> {
    scope(plan).map(|scope| judge(&scope).policy(scope.sync.at.clone())).into_iter().collect()
}

fn binding(plan: &Plan) -> Vec<Object> {
    scope(plan).map(|scope| judge(&scope).binding(scope.sync.at.clone())).into_iter().collect()
}

fn judge(scope: &Scope<'_>) -> Judge {
    let namespace = &scope.platform.namespace;
    let account = format!("system:serviceaccount:{namespace}:{NAME}");
    let own = format!("request.namespace == '{namespace}'");
    let events = format!(
        "request.namespace == '{EVENTS_NAMESPACE}' && (request.resource.group == 'events.k8s.io' || request.name == '{EVENTS}')"
    );
    let tenants = format!("has(namespaceObject.metadata.labels) && '{TENANT}' in namespaceObject.metadata.labels");
    let writes = ["CREATE", "UPDATE", "DELETE"];
    Judge {
        name: NAME.to_owned(),
        about: MatchResources {
            resource_rules: Some(vec![
                rule("Namespaced", &writes, "*", &["*/*"]),
                rule("Cluster", &writes, "", &["namespaces"]),
            ]),
            ..MatchResources::default()
        },
        when: vec![("mtp-sync", format!("request.userInfo.username == '{account}'"))],
        variables: Vec::new(),
        validations: vec![
            validation(
                format!("{IS_NAMESPACE} || {own} || ({events}) || ({tenants})"),
                "mtp sync writes in the platform's namespace and in those of tenants",
                None,
            ),
            validation(
                format!("!({IS_NAMESPACE}) || request.name == '{namespace}' || request.name.startsWith('tenant-')"),
                "mtp sync writes the platform's Namespace and those of tenants",
                None,
            ),
        ],
        notes: Vec::new(),
        actions: &["Deny"],
    }
}

/// Whether it is about a Namespace, and not about what is in one.
const IS_NAMESPACE: &str = "request.resource.group == '' && request.resource.resource == 'namespaces'";
