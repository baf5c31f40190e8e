//! `ResourceQuota` of the webhook's priority: some clusters admit pods of a critical priority only where a quota counts them.
//!
//! Source: <https://kubernetes.io/docs/concepts/policy/resource-quotas/#limit-priority-class-consumption-by-default>

use k8s_openapi::api::core::v1::{ResourceQuota, ResourceQuotaSpec, ScopeSelector, ScopedResourceSelectorRequirement};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::deployment::PRIORITY;
use super::{NAME, scope};
use crate::objects::{Build, Kind, Object};
use crate::plan::Plan;

/// The row of [`crate::objects::KINDS`].
pub const KIND: Kind = Kind { group: "", version: "v1", kind: "ResourceQuota", build: Build::Platform(build) };

fn build(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let critical = ScopedResourceSelectorRequirement {
        operator: "In".to_owned(),
        scope_name: "PriorityClass".to_owned(),
        values: Some(vec![PRIORITY.to_owned()]),
    };
    let spec = ResourceQuotaSpec {
        // Two replicas, and as many again while they are replaced.
        hard: Some([("pods".to_owned(), Quantity("10".to_owned()))].into()),
        scope_selector: Some(ScopeSelector { match_expressions: Some(vec![critical]) }),
        scopes: None,
    };
    let quota = ResourceQuota { metadata: scope.metadata(NAME), spec: Some(spec), status: None };
    vec![Object::new(quota, scope.webhook.at.clone())]
}
