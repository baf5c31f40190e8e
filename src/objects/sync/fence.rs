//! `ValidatingAdmissionPolicy`, and its binding: `mtp sync` writes in the platform's namespace and in those of tenants.
//!
//! RBAC cannot say it: a right in namespaces whose names nobody knows beforehand is one in `kube-system` too. The API server
//! judges by the label that every tenant's Namespace has, and needs nothing that runs.
//!
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>

use k8s_openapi::api::admissionregistration::v1::{
    MatchCondition, MatchResources, NamedRuleWithOperations, ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding, ValidatingAdmissionPolicyBindingSpec, ValidatingAdmissionPolicySpec, Validation,
};

use super::{EVENTS, EVENTS_NAMESPACE, NAME, scope};
use crate::objects::meta::{TENANT, global};
use crate::objects::{Build, Kind, Object};
use crate::plan::Plan;

/// The row of [`crate::objects::KINDS`].
pub const KIND: Kind = Kind {
    group: "admissionregistration.k8s.io",
    version: "v1",
    kind: "ValidatingAdmissionPolicy",
    build: Build::Platform(policy),
};

/// The row of [`crate::objects::KINDS`] of the binding.
pub const BINDING: Kind = Kind { kind: "ValidatingAdmissionPolicyBinding", build: Build::Platform(binding), ..KIND };

fn policy(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let namespace = &scope.platform.namespace;
    let account = format!("system:serviceaccount:{namespace}:{NAME}");
    let own = format!("request.namespace == '{namespace}'");
    let events = format!(
        "request.namespace == '{EVENTS_NAMESPACE}' && (request.resource.group == 'events.k8s.io' || request.name == '{EVENTS}')"
    );
    let tenants = format!("has(namespaceObject.metadata.labels) && '{TENANT}' in namespaceObject.metadata.labels");
    let spec = ValidatingAdmissionPolicySpec {
        failure_policy: Some("Fail".to_owned()),
        match_conditions: Some(vec![MatchCondition {
            name: "mtp-sync".to_owned(),
            expression: format!("request.userInfo.username == '{account}'"),
        }]),
        match_constraints: Some(MatchResources {
            resource_rules: Some(vec![rule("*", "*/*", "Namespaced"), rule("", "namespaces", "Cluster")]),
            ..MatchResources::default()
        }),
        validations: Some(vec![
            validation(
                format!("{IS_NAMESPACE} || {own} || ({events}) || ({tenants})"),
                "mtp sync writes in the platform's namespace and in those of tenants",
            ),
            validation(
                format!("!({IS_NAMESPACE}) || request.name == '{namespace}' || request.name.startsWith('tenant-')"),
                "mtp sync writes the platform's Namespace and those of tenants",
            ),
        ]),
        ..ValidatingAdmissionPolicySpec::default()
    };
    let policy = ValidatingAdmissionPolicy { metadata: global(NAME), spec: Some(spec), status: None };
    vec![Object::new(policy, scope.sync.at.clone())]
}

/// Whether it is about a Namespace, and not about what is in one.
const IS_NAMESPACE: &str = "request.resource.group == '' && request.resource.resource == 'namespaces'";

fn rule(group: &str, resource: &str, scope: &str) -> NamedRuleWithOperations {
    let list = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    NamedRuleWithOperations {
        api_groups: list(&[group]),
        api_versions: list(&["*"]),
        operations: list(&["CREATE", "UPDATE", "DELETE"]),
        resources: list(&[resource]),
        scope: Some(scope.to_owned()),
        ..NamedRuleWithOperations::default()
    }
}

fn validation(expression: String, message: &str) -> Validation {
    Validation {
        expression,
        message: Some(message.to_owned()),
        // As RBAC would say it.
        reason: Some("Forbidden".to_owned()),
        ..Validation::default()
    }
}

fn binding(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let spec = ValidatingAdmissionPolicyBindingSpec {
        policy_name: NAME.to_owned(),
        validation_actions: vec!["Deny".to_owned()],
        ..ValidatingAdmissionPolicyBindingSpec::default()
    };
    let binding = ValidatingAdmissionPolicyBinding { metadata: global(NAME), spec };
    vec![Object::new(binding, scope.sync.at.clone())]
}
