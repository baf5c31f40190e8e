//! `MutatingAdmissionPolicy`, and its binding: new pods get the labels that say whose they are, where the API server can.
//!
//! What the author stated is not overwritten: a controller that selects by it would no longer find its pod. Whether it is
//! right is judged afterwards, by [`super::labels`].
//!
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/>

use k8s_openapi::api::admissionregistration::v1::{
    ApplyConfiguration, MatchCondition, MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding,
    MutatingAdmissionPolicyBindingSpec, MutatingAdmissionPolicySpec, Mutation, Variable,
};

use super::{KIND, in_tenants, rule};
use crate::objects::meta::{TENANT, TIER, global};
use crate::objects::{Build, Kind, Object};
use crate::plan::Plan;
use crate::plan::admission::PoliciesPlan;

/// The row of [`crate::objects::KINDS`].
pub const POLICY: Kind = Kind { kind: "MutatingAdmissionPolicy", build: Build::Platform(policy), ..KIND };

/// The row of [`crate::objects::KINDS`] of what puts it into effect.
pub const BINDING: Kind = Kind { kind: "MutatingAdmissionPolicyBinding", build: Build::Platform(binding), ..KIND };

/// The first minor version of Kubernetes in which it is there without being switched on.
///
/// Source: <https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/3962-mutating-admission-policies>
const SINCE: u32 = 36;

const NAME: &str = "k8s-mtp-pod-labels";

fn wanted(plan: &Plan) -> Option<&PoliciesPlan> {
    plan.platform.admission.policies.as_ref().filter(|_| plan.platform.kubernetes >= SINCE)
}

fn policy(plan: &Plan) -> Vec<Object> {
    let Some(wanted) = wanted(plan) else { return Vec::new() };
    let has = |key: &str| format!("object.metadata.?labels[?'{key}'].hasValue()");
    let of_namespace = |key: &str| format!("namespaceObject.metadata.?labels[?'{key}']");
    let add = |key: &str| Mutation {
        apply_configuration: Some(ApplyConfiguration {
            expression: Some(format!(
                "{} || !{own}.hasValue() ? Object{{}} :\n\
                 Object{{metadata: Object.metadata{{labels: {{'{key}': {own}.orValue('')}}}}}}",
                has(key),
                own = of_namespace(key)
            )),
        }),
        json_patch: None,
        patch_type: "ApplyConfiguration".to_owned(),
    };
    let missing = format!("!{} || !{}", has(TENANT), has(TIER));
    let spec = MutatingAdmissionPolicySpec {
        // A pod without our labels hurts nobody; one that cannot be made hurts.
        failure_policy: Some("Ignore".to_owned()),
        match_conditions: Some(vec![MatchCondition { name: "missing".to_owned(), expression: missing }]),
        match_constraints: Some(in_tenants(Vec::new(), vec![rule("Namespaced", &["CREATE"], "", &["pods"])])),
        mutations: Some(vec![add(TENANT), add(TIER)]),
        param_kind: None,
        reinvocation_policy: Some("IfNeeded".to_owned()),
        variables: None::<Vec<Variable>>,
    };
    let policy = MutatingAdmissionPolicy { metadata: global(NAME), spec: Some(spec) };
    vec![Object::new(policy, wanted.at.clone())]
}

fn binding(plan: &Plan) -> Vec<Object> {
    let Some(wanted) = wanted(plan) else { return Vec::new() };
    let spec = MutatingAdmissionPolicyBindingSpec {
        policy_name: Some(NAME.to_owned()),
        ..MutatingAdmissionPolicyBindingSpec::default()
    };
    let binding = MutatingAdmissionPolicyBinding { metadata: global(NAME), spec: Some(spec) };
    vec![Object::new(binding, wanted.at.clone())]
}
