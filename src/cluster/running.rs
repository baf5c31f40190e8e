//! Pods that a cluster has, and what tenants wrote themselves: read and nothing else.

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::gateway::Gateway;
use super::reading::list;
use crate::report::line;

/// How many objects a page holds.
const PAGE: usize = 500;

/// What is read.
#[derive(Debug, Clone, Copy)]
pub struct Collection {
    /// Version of the API, with its group.
    pub api_version: &'static str,
    /// The kind of the objects, which items of a list do not say.
    pub kind: &'static str,
    /// Their resource.
    pub resource: &'static str,
    /// Whether tenants write them besides what the platform renders.
    pub is_own: bool,
}

/// All pods.
pub const PODS: Collection = Collection { api_version: "v1", kind: "Pod", resource: "pods", is_own: false };

/// What tenants write themselves, where the policies let them.
pub const OWN: [Collection; 2] = [
    Collection {
        api_version: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        resource: "networkpolicies",
        is_own: true,
    },
    Collection {
        api_version: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        resource: "rolebindings",
        is_own: true,
    },
];

/// Reads the objects of a namespace, or of all, and hands each to `each`; `None` says that all of them come once more.
pub async fn read(
    gateway: &Gateway,
    of: Collection,
    namespace: Option<&str>,
    each: &mut dyn FnMut(Option<&Value>),
) -> Result<()> {
    let Collection { api_version, resource, .. } = of;
    let group = if api_version.contains('/') { "apis" } else { "api" };
    let within = namespace.map_or_else(String::new, |namespace| format!("namespaces/{namespace}/"));
    let path = format!("/{group}/{api_version}/{within}{resource}");
    let read = list(gateway, &path, "", None, PAGE, each).await;
    let whose = namespace.map_or_else(String::new, |namespace| format!(" of Namespace `{namespace}`"));
    read.map(drop).map_err(|why| anyhow!("cannot list the {resource}{whose}: {}", line(&why)))
}
