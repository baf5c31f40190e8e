//! What the API server judges by itself, with nothing that runs: policies in CEL, a group of rules a file.
//!
//! Each is selected by labels of Namespaces, never by a list of their names, and has its values in its text: the API server
//! reads a selector anew on each request, and a parameter that is missing refuses pods where nobody meant it. What differs
//! by namespace it reads from annotations of the Namespace. So there are as many policies as tiers, however many tenants.
//!
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>

pub mod labels;
pub mod managed;
pub mod mutation;
pub mod named;
pub mod namespaces;
pub mod pods;
pub mod tenants;
pub mod workloads;

use std::collections::BTreeSet;

use k8s_openapi::api::admissionregistration::v1::{
    AuditAnnotation, MatchCondition, MatchResources, NamedRuleWithOperations, ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding, ValidatingAdmissionPolicyBindingSpec, ValidatingAdmissionPolicySpec, Validation,
    Variable,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::meta::{TENANT, TIER, global};
use super::{Build, Kind, Object, sync};
use crate::gitops::{argocd, flux};
use crate::place::Place;
use crate::plan::admission::PoliciesPlan;
use crate::plan::{Plan, TierPlan};

/// The row of [`crate::objects::KINDS`].
pub const KIND: Kind = Kind {
    group: "admissionregistration.k8s.io",
    version: "v1",
    kind: "ValidatingAdmissionPolicy",
    build: Build::Platform(policies),
};

/// The row of [`crate::objects::KINDS`] of what puts them into effect.
pub const BINDING: Kind = Kind { kind: "ValidatingAdmissionPolicyBinding", build: Build::Platform(bindings), ..KIND };

/// All groups, in the order in which they are rendered.
const GROUPS: [fn(&Plan, &PoliciesPlan) -> Vec<Judge>; 7] = [
    namespaces::judges,
    managed::judges,
    tenants::judges,
    labels::judges,
    pods::judges,
    workloads::judges,
    named::judges,
];

/// A policy with its binding, both of one name.
pub struct Judge {
    /// Its name, which people are told where it refuses something.
    pub name: String,
    /// What it is asked about.
    pub about: MatchResources,
    /// When it is asked at all: a name and an expression each.
    pub when: Vec<(&'static str, String)>,
    /// What its expressions have in common, in the order in which they need each other.
    pub variables: Vec<(String, String)>,
    /// What has to hold.
    pub validations: Vec<Validation>,
    /// What is noted in the audit log besides: a key and an expression each.
    pub notes: Vec<(&'static str, String)>,
    /// What happens where something does not hold.
    pub actions: &'static [&'static str],
}

fn all(plan: &Plan) -> Vec<Judge> {
    let Some(policies) = &plan.platform.admission.policies else { return Vec::new() };
    GROUPS.iter().flat_map(|judges| judges(plan, policies)).collect()
}

fn policies(plan: &Plan) -> Vec<Object> {
    let Some(wanted) = &plan.platform.admission.policies else { return Vec::new() };
    all(plan).into_iter().map(|judge| judge.policy(wanted.at.clone())).collect()
}

fn bindings(plan: &Plan) -> Vec<Object> {
    let Some(wanted) = &plan.platform.admission.policies else { return Vec::new() };
    all(plan).into_iter().map(|judge| judge.binding(wanted.at.clone())).collect()
}

impl Judge {
    /// The policy, made for an entry of `tenants/`.
    pub fn policy(self, at: Place) -> Object {
        let condition = |(name, expression): (&str, String)| MatchCondition { name: name.to_owned(), expression };
        let note = |(key, value_expression): (&str, String)| AuditAnnotation { key: key.to_owned(), value_expression };
        let variable = |(name, expression)| Variable { name, expression };
        let spec = ValidatingAdmissionPolicySpec {
            audit_annotations: some(self.notes.into_iter().map(note).collect()),
            // What cannot be judged is refused.
            failure_policy: Some("Fail".to_owned()),
            match_conditions: some(self.when.into_iter().map(condition).collect()),
            match_constraints: Some(self.about),
            param_kind: None,
            validations: Some(self.validations),
            variables: some(self.variables.into_iter().map(variable).collect()),
        };
        Object::new(ValidatingAdmissionPolicy { metadata: global(self.name), spec: Some(spec), status: None }, at)
    }

    /// What puts it into effect.
    pub fn binding(self, at: Place) -> Object {
        let spec = ValidatingAdmissionPolicyBindingSpec {
            policy_name: self.name.clone(),
            validation_actions: self.actions.iter().map(|action| (*action).to_owned()).collect(),
            ..ValidatingAdmissionPolicyBindingSpec::default()
        };
        Object::new(ValidatingAdmissionPolicyBinding { metadata: global(self.name), spec }, at)
    }
}

fn some<T>(all: Vec<T>) -> Option<Vec<T>> {
    (!all.is_empty()).then_some(all)
}

/// Who applies what is rendered: whom the Platform names, and the accounts that are rendered for it.
pub fn identities(plan: &Plan) -> BTreeSet<String> {
    let platform = &plan.platform;
    let account = |namespace: &str, name: &str| format!("system:serviceaccount:{namespace}:{name}");
    let stated = platform.admission.policies.iter().flat_map(|policies| policies.identities.iter().cloned());
    let sync = platform.sync.iter().map(|_| account(&platform.namespace, sync::NAME));
    let gitops = platform.gitops.iter();
    let argocd = gitops.clone().filter_map(|g| Some(account(&g.argocd.as_ref()?.namespace, argocd::ACCOUNT)));
    let flux = gitops.filter_map(|g| Some(account(&g.flux.as_ref()?.namespace, flux::ACCOUNT)));
    stated.chain(sync).chain(argocd).chain(flux).collect()
}

/// What is asked about in namespaces of tenants.
fn in_tenants(also: Vec<LabelSelectorRequirement>, rules: Vec<NamedRuleWithOperations>) -> MatchResources {
    let expressions = [requirement(TENANT, "Exists", &[])].into_iter().chain(also).collect();
    let selector = LabelSelector { match_labels: None, match_expressions: Some(expressions) };
    MatchResources { namespace_selector: Some(selector), ..everywhere(rules) }
}

/// What is asked about wherever it stands.
fn everywhere(rules: Vec<NamedRuleWithOperations>) -> MatchResources {
    MatchResources {
        match_policy: Some("Equivalent".to_owned()),
        resource_rules: Some(rules),
        ..MatchResources::default()
    }
}

fn requirement(key: &str, operator: &str, values: &[&str]) -> LabelSelectorRequirement {
    let values = some(values.iter().map(|value| (*value).to_owned()).collect());
    LabelSelectorRequirement { key: key.to_owned(), operator: operator.to_owned(), values }
}

/// Requests about resources of an API group.
pub fn rule(scope: &str, operations: &[&str], group: &str, resources: &[&str]) -> NamedRuleWithOperations {
    let list = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    NamedRuleWithOperations {
        api_groups: list(&[group]),
        api_versions: list(&["*"]),
        operations: list(operations),
        resource_names: None,
        resources: list(resources),
        scope: Some(scope.to_owned()),
    }
}

/// What has to hold, and what is said where it does not: in words that are known, or by an expression.
pub fn validation(expression: impl Into<String>, message: &str, words: Option<String>) -> Validation {
    Validation {
        expression: expression.into(),
        message: Some(message.to_owned()),
        message_expression: words,
        // As RBAC would say it.
        reason: Some("Forbidden".to_owned()),
    }
}

/// A text in CEL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A list of texts in CEL.
fn quoted_list<T: AsRef<str>>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = all.into_iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", all.join(", "))
}

/// The namespaces that a policy is for.
#[derive(Clone, Copy)]
enum Whose<'a> {
    /// Those of a tier.
    Tier(&'a TierPlan),
    /// Those whose tier is missing or not known: there, everything is refused.
    Others,
}

impl<'a> Whose<'a> {
    fn each(plan: &'a Plan) -> impl Iterator<Item = Whose<'a>> {
        plan.tiers.values().map(|tier| Whose::Tier(tier)).chain([Whose::Others])
    }

    /// A name of a policy.
    fn name(self, of: &str) -> String {
        match self {
            Whose::Tier(tier) => format!("k8s-mtp-{of}.{}", tier.name),
            Whose::Others => format!("k8s-mtp-{of}"),
        }
    }

    fn selected(self, plan: &Plan) -> Vec<LabelSelectorRequirement> {
        match self {
            Whose::Tier(tier) => vec![requirement(TIER, "In", &[&tier.name])],
            Whose::Others if plan.tiers.is_empty() => Vec::new(),
            Whose::Others => {
                let all: Vec<&str> = plan.tiers.values().map(|tier| &*tier.name).collect();
                vec![requirement(TIER, "NotIn", &all)]
            }
        }
    }
}
