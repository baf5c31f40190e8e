//! `ResourceQuota`: the ceiling on what one namespace may use.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    ResourceQuota, ResourceQuotaSpec, ScopeSelector, ScopedResourceSelectorRequirement as Requirement,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Stored;

use super::{Build, InNamespace, Kind, Object, meta, step};
use crate::contract::tenant::State;
use crate::plan::{Placed, QuotaPlan};
use crate::quantity::Quantity;

/// The row of [`super::KINDS`].
pub const KIND: Kind = Kind { group: "", version: "v1", kind: "ResourceQuota", build: Build::Namespace(build) };

/// `tenant-quota`, and one for each class that is governed on its own.
fn build(scope: &InNamespace<'_>) -> Vec<Object> {
    let namespace = scope.namespace;
    let mut hard = namespace.hard.clone();
    match namespace.state {
        State::Active => {}
        State::Suspended => {
            hard.insert("pods".to_owned(), nothing(scope));
        }
        State::Retired => {
            hard.insert("pods".to_owned(), nothing(scope));
            // Our own quotas have to fit: on a new cluster, the first of them would refuse the others.
            for (_, ceiling) in hard.iter_mut().filter(|(key, _)| !key.ends_with("resourcequotas")) {
                *ceiling = nothing(scope);
            }
        }
    }
    let mut quotas = Vec::new();
    if !hard.is_empty() {
        quotas.push(quota(scope, "tenant-quota".to_owned(), &hard, None));
    }
    for plan in &namespace.tier.scoped {
        let retired: BTreeMap<String, Placed>;
        let hard = if namespace.state == State::Retired {
            retired = plan.hard.keys().map(|key| (key.clone(), nothing(scope))).collect();
            &retired
        } else {
            &plan.hard
        };
        quotas.push(quota(scope, plan.name.clone(), hard, Some(selector(plan))));
    }
    quotas
}

/// Zero, because of the state that the author wrote.
fn nothing(scope: &InNamespace<'_>) -> Placed {
    let spec = &scope.tenant.doc.content.spec;
    let entry = spec.namespaces.iter().find(|e| e.name.span == scope.namespace.span).and_then(|e| e.state);
    let span = entry.or(spec.state).map_or(scope.namespace.span, |state| state.span);
    (Quantity::ZERO, scope.tenant.doc.at(span))
}

fn quota(
    scope: &InNamespace<'_>,
    name: String,
    hard: &BTreeMap<String, Placed>,
    scope_selector: Option<ScopeSelector>,
) -> Object {
    let stored = hard.iter().map(|(key, (quantity, _))| (key.clone(), Stored(quantity.to_string()))).collect();
    let spec = ResourceQuotaSpec { hard: Some(stored), scope_selector, scopes: None };
    let metadata = meta::in_namespace(scope, name);
    let quota = ResourceQuota { metadata, spec: Some(spec), status: None };
    let at = scope.tenant.doc.at(scope.namespace.span);
    hard.iter().fold(Object::new(quota, at), |object, (key, (_, at))| {
        object.from(format!("/spec/hard/{}", step(key)), at.clone())
    })
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
