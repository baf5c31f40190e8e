//! `ObjectId`: which object of a cluster something is about.

use std::borrow::Cow;
use std::sync::Arc;

/// The identity of an object in a cluster; the version is no part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// API group; empty for the core group.
    pub group: Cow<'static, str>,
    /// Kind, as in the manifest.
    pub kind: Cow<'static, str>,
    /// Namespace; `None` for what is cluster-scoped.
    pub namespace: Option<Arc<str>>,
    /// Name.
    pub name: Arc<str>,
}

impl ObjectId {
    /// Whether it is of that group and kind.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.kind == kind && self.group == group
    }

    /// Whether it is a Namespace.
    pub fn is_namespace(&self) -> bool {
        self.is("", "Namespace")
    }
}

impl std::fmt::Display for ObjectId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `", self.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        write!(f, "{}`", self.name)
    }
}

/// The group of an `apiVersion`: `apps` of `apps/v1`; empty for the core group.
pub fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// Whether a group is one of those that Kubernetes itself serves.
pub fn is_kubernetes_own(group: &str) -> bool {
    const OWN: [&str; 23] = [
        "",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "extensions",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
    ];
    OWN.binary_search(&group).is_ok() || matches!(group, "storagemigration.k8s.io" | "metrics.k8s.io")
}
