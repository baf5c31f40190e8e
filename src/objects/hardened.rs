//! What the platform's own pods have in common: no more rights than a tenant's pod has, and replicas apart from each other.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::apps::v1::{DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{
    Capabilities, ContainerPort, LocalObjectReference, PodSecurityContext, ResourceRequirements, SeccompProfile,
    SecurityContext, TopologySpreadConstraint, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// Files that the processes read and nobody else: `r--r-----`.
pub const READABLE: i32 = 0o440;

/// A pod of one user, who is nobody in particular and not root.
pub fn pod(user: i64) -> PodSecurityContext {
    PodSecurityContext {
        fs_group: Some(user),
        run_as_group: Some(user),
        run_as_non_root: Some(true),
        run_as_user: Some(user),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
        ..PodSecurityContext::default()
    }
}

/// A container that gets no further than it is.
pub fn container() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities { add: None, drop: Some(vec!["ALL".to_owned()]) }),
        read_only_root_filesystem: Some(true),
        ..SecurityContext::default()
    }
}

/// On nodes and in zones of their own; on a cluster of one node, all replicas run there.
pub fn apart(selector: &LabelSelector) -> Vec<TopologySpreadConstraint> {
    let over = |key: &str| TopologySpreadConstraint {
        label_selector: Some(selector.clone()),
        max_skew: 1,
        topology_key: key.to_owned(),
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        ..TopologySpreadConstraint::default()
    };
    ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].into_iter().map(over).collect()
}

/// A new replica is there before an old one goes.
pub fn replaced_one_by_one() -> DeploymentStrategy {
    DeploymentStrategy {
        type_: Some("RollingUpdate".to_owned()),
        rolling_update: Some(RollingUpdateDeployment {
            max_surge: Some(IntOrString::Int(1)),
            max_unavailable: Some(IntOrString::Int(0)),
        }),
    }
}

/// What a container asks for, and what it never gets more than: CPU and memory each.
pub fn resources(requests: [&str; 2], limits: [&str; 2]) -> ResourceRequirements {
    let amounts = |[cpu, memory]: [&str; 2]| -> BTreeMap<String, Quantity> {
        [("cpu", cpu), ("memory", memory)].map(|(k, v)| (k.to_owned(), Quantity(v.to_owned()))).into()
    };
    ResourceRequirements { requests: Some(amounts(requests)), limits: Some(amounts(limits)), claims: None }
}

/// A port of a container.
pub fn port(name: &str, port: i32) -> ContainerPort {
    ContainerPort {
        container_port: port,
        name: Some(name.to_owned()),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    }
}

/// A volume that a container reads.
pub fn mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount { mount_path: path.to_owned(), name: name.to_owned(), read_only: Some(true), ..VolumeMount::default() }
}

/// Secrets that images are pulled with.
pub fn pulled_with(names: &BTreeSet<String>) -> Option<Vec<LocalObjectReference>> {
    let secrets: Vec<_> = names.iter().map(|name| LocalObjectReference { name: name.clone() }).collect();
    (!secrets.is_empty()).then_some(secrets)
}

/// Where pods of ours run.
pub fn on_linux() -> BTreeMap<String, String> {
    [("kubernetes.io/os".to_owned(), "linux".to_owned())].into()
}
