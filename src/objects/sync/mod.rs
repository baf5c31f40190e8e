//! `mtp sync --watch` in the cluster, a kind a file: what runs, as whom, and what it may do.

pub mod cluster_role;
pub mod deployment;
pub mod fence;
pub mod git;
pub mod network_policy;
pub mod pod_disruption_budget;
pub mod rights;
pub mod role;
pub mod service_account;

use super::meta::{self, ObjectMeta};
use crate::plan::{Plan, PlatformPlan, SyncPlan};

/// The name of all that it consists of, and of its Lease.
pub const NAME: &str = "k8s-mtp-sync";

/// The name of what it may do where events of cluster-scoped objects stand.
pub const EVENTS: &str = "k8s-mtp-sync-events";

/// Where events of cluster-scoped objects stand.
///
/// Source: `ValidateEventCreate` in `pkg/apis/core/validation/events.go` of kubernetes/kubernetes
pub const EVENTS_NAMESPACE: &str = "default";

/// The port of the probes and the metrics.
pub const PORT: i32 = 8080;

/// Kinds that nothing else renders. Where an engine applies `rendered/`, there is none of them, and it gets no right to any.
pub const ALONE: [&str; 2] = ["ClusterRole", "ClusterRoleBinding"];

/// What builders see.
pub struct Scope<'a> {
    /// What holds for every tenant.
    pub platform: &'a PlatformPlan,
    /// What the Platform says of it.
    pub sync: &'a SyncPlan,
}

/// The scope, where it is wanted.
pub fn scope(plan: &Plan) -> Option<Scope<'_>> {
    let sync = plan.platform.sync.as_ref()?;
    Some(Scope { platform: &plan.platform, sync })
}

impl Scope<'_> {
    /// Metadata of an object in the platform's namespace.
    pub fn metadata(&self) -> ObjectMeta {
        meta::in_platform(self.platform, NAME)
    }
}
