//! `ResourceQuota`: the ceiling on what one namespace may use.

use std::borrow::Cow;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{
    ResourceQuota, ResourceQuotaSpec, ScopeSelector, ScopedResourceSelectorRequirement as Requirement,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Stored;

use super::{Build, InNamespace, Kind, Object, meta, step};
use crate::contract::tenant::State;
use crate::plan::{Hard, Placed, QuotaPlan};
use crate::quantity::Quantity;

/// The row of [`super::KINDS`].
pub const KIND: Kind = Kind { group: "", version: "v1", kind: "ResourceQuota", build: Build::Namespace(build) };

/// `tenant-quota`, and one for each class that is governed on its own.
fn build(scope: &InNamespace<'_>) -> Vec<Object> {
    let namespace = scope.namespace;
    let tier = &namespace.tier;
    let mut quotas = Vec::new();
    let hard = ceilings(scope);
    if !hard.is_empty() {
        // As long as it is the tier's, all of the tier's namespaces have the same.
        let object = if matches!(hard, Cow::Borrowed(_)) && namespace.own.is_empty() {
            let key = (KIND.kind, "tenant-quota", Arc::as_ptr(tier).addr());
            Object::joined::<ResourceQuota>(scope, "tenant-quota", scope.specs.part(key, "spec", || spec(&hard, None)))
        } else {
            quota(scope, "tenant-quota", spec(&hard, None))
        };
        quotas.push(with_origins(object, &hard, scope));
    }
    for plan in &tier.scoped {
        if namespace.state == State::Retired {
            let hard = plan.hard.keys().map(|key| (key.clone(), nothing(scope))).collect();
            let quota = quota(scope, &plan.name, spec(&hard, Some(selector(plan))));
            quotas.push(with_origins(quota, &hard, scope));
        } else {
            let key = (KIND.kind, "scoped", std::ptr::from_ref(plan).addr());
            let spec = scope.specs.part(key, "spec", || spec(&plan.hard, Some(selector(plan))));
            quotas.push(with_origins(Object::joined::<ResourceQuota>(scope, &*plan.name, spec), &plan.hard, scope));
        }
    }
    quotas
}

/// Kinds that are rendered into a retired namespace too, of which nobody else makes any there.
const OURS: [&str; 6] = [
    "limitranges",
    "networkpolicies.networking.k8s.io",
    "resourcequotas",
    "rolebindings.rbac.authorization.k8s.io",
    "roles.rbac.authorization.k8s.io",
    "serviceaccounts",
];

/// What the state leaves of the namespace's ceilings.
fn ceilings<'a>(scope: &InNamespace<'a>) -> Cow<'a, Hard> {
    let mut hard = Cow::Borrowed(&*scope.namespace.hard);
    match scope.namespace.state {
        State::Active => {}
        State::Suspended => {
            hard.to_mut().insert("pods".to_owned(), nothing(scope));
        }
        State::Retired => {
            let hard = hard.to_mut();
            hard.insert("pods".to_owned(), nothing(scope));
            // What is ours has to fit: on a new cluster, the quota would refuse what comes after it.
            for (_, ceiling) in hard.iter_mut().filter(|(key, _)| !OURS.contains(&key.trim_start_matches("count/"))) {
                *ceiling = nothing(scope);
            }
        }
    }
    hard
}

/// Zero, because of the state that the author wrote.
fn nothing(scope: &InNamespace<'_>) -> Placed {
    let spec = &scope.tenant.doc.content.spec;
    let entry = spec.namespaces.iter().find(|e| e.name.span == scope.namespace.span).and_then(|e| e.state);
    let span = entry.or(spec.state).map_or(scope.namespace.span, |state| state.span);
    (Quantity::ZERO, scope.tenant.doc.at(span))
}

fn quota(scope: &InNamespace<'_>, name: &str, spec: ResourceQuotaSpec) -> Object {
    let metadata = meta::in_namespace(scope, name);
    let quota = ResourceQuota { metadata, spec: Some(spec), status: None };
    Object::new(quota, scope.tenant.doc.at(scope.namespace.span))
}

fn spec(hard: &Hard, scope_selector: Option<ScopeSelector>) -> ResourceQuotaSpec {
    let stored = hard.iter().map(|(key, (quantity, _))| (key.clone(), Stored(quantity.to_string()))).collect();
    ResourceQuotaSpec { hard: Some(stored), scope_selector, scopes: None }
}

fn with_origins(object: Object, hard: &Hard, scope: &InNamespace<'_>) -> Object {
    if !scope.origins {
        return object;
    }
    hard.iter().fold(object, |object, (key, (_, at))| object.from(format!("/spec/hard/{}", step(key)), at.clone()))
}

/// The objects that a scoped quota holds for. Pods without a priority class match neither form: `Exists` leaves them out.
///
/// Source: <https://kubernetes.io/docs/concepts/policy/resource-quotas/#quota-scopes>
fn selector(plan: &QuotaPlan) -> ScopeSelector {
    let requirement = |operator: &str, values: Vec<String>| Requirement {
        operator: operator.to_owned(),
        scope_name: plan.scope.to_owned(),
        values: (!values.is_empty()).then_some(values),
    };
    let all = match &plan.only {
        Some(class) => vec![requirement("In", vec![class.clone()])],
        None if plan.except.is_empty() => vec![requirement("Exists", Vec::new())],
        None => vec![requirement("Exists", Vec::new()), requirement("NotIn", plan.except.clone())],
    };
    ScopeSelector { match_expressions: Some(all) }
}
