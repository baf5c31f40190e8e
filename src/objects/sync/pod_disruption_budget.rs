//! `PodDisruptionBudget` of `mtp sync`: nodes are drained one after the other.

use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{NAME, scope};
use crate::objects::{Build, Kind, Object, meta};
use crate::plan::Plan;

/// The row of [`crate::objects::KINDS`].
pub const KIND: Kind =
    Kind { group: "policy", version: "v1", kind: "PodDisruptionBudget", build: Build::Platform(build) };

/// One at a time, and not one at least: of a single replica, that would keep its node from ever being drained.
fn build(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let spec = PodDisruptionBudgetSpec {
        max_unavailable: Some(IntOrString::Int(1)),
        selector: Some(meta::pods(NAME)),
        // A replica that does not work keeps no node from being drained.
        unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
        ..PodDisruptionBudgetSpec::default()
    };
    let budget = PodDisruptionBudget { metadata: scope.metadata(), spec: Some(spec), status: None };
    vec![Object::new(budget, scope.sync.at.clone())]
}
