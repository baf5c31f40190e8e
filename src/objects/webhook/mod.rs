//! The webhook: what carries the policies out, a kind a file. It has no rights in the cluster: all that it knows is mounted.

pub mod cert_manager;
pub mod config_map;
pub mod configurations;
pub mod deployment;
pub mod network_policy;
pub mod pod_disruption_budget;
pub mod resource_quota;
pub mod secret;
pub mod service;
pub mod service_account;
pub mod status_reader;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::meta::{self, ObjectMeta};
use crate::plan::admission::WebhookPlan;
use crate::plan::{Plan, PlatformPlan};

/// The name of what has none of its own in the interface.
pub const NAME: &str = "k8s-mtp-webhook";

/// The port that the API server's requests reach, in the container.
pub const PORT: i32 = 8443;

/// The port of the metrics.
pub const METRICS_PORT: i32 = 8080;

/// What builders of the webhook see.
pub struct Scope<'a> {
    /// What holds for every tenant.
    pub platform: &'a PlatformPlan,
    /// The webhook.
    pub webhook: &'a WebhookPlan,
}

/// The scope, where a webhook is wanted.
pub fn scope(plan: &Plan) -> Option<Scope<'_>> {
    let webhook = plan.platform.admission.webhook.as_ref()?;
    Some(Scope { platform: &plan.platform, webhook })
}

impl Scope<'_> {
    /// Metadata of an object in the platform's namespace.
    pub fn metadata(&self, name: impl Into<String>) -> ObjectMeta {
        meta::in_platform(self.platform, name)
    }
}

/// Labels of the pods.
pub fn pod_labels() -> BTreeMap<String, String> {
    meta::pod_labels(NAME)
}

/// Selects the pods; cannot change once a Deployment has it.
pub fn selector() -> LabelSelector {
    meta::pods(NAME)
}
