//! `PodDisruptionBudget` of the webhook: nodes are drained one after the other.

use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{NAME, scope, selector};
use crate::objects::{Build, Kind, Object};
use crate::plan::Plan;

/// The row of [`crate::objects::KINDS`].
pub const KIND: Kind =
    Kind { group: "policy", version: "v1", kind: "PodDisruptionBudget", build: Build::Platform(build) };

fn build(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let spec = PodDisruptionBudgetSpec {
        min_available: Some(IntOrString::Int(1)),
        selector: Some(selector()),
        // A replica that does not work keeps no node from being drained.
        unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
        ..PodDisruptionBudgetSpec::default()
    };
    let budget = PodDisruptionBudget { metadata: scope.metadata(NAME), spec: Some(spec), status: None };
    vec![Object::new(budget, scope.webhook.at.clone())]
}
