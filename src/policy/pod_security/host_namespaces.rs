//! A pod has a network, processes and shared memory of its own.

use super::{Control, Example, Refusal};
use crate::contract::platform::PodSecurityLevel;

/// Fields that give the pod the node's own.
const FIELDS: [&str; 3] = ["hostNetwork", "hostPID", "hostIPC"];

/// The row of [`super::CONTROLS`].
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_hostNamespaces.go>
pub const CONTROL: Control = Control {
    id: "host-namespaces",
    upstream: "hostNamespaces",
    level: PodSecurityLevel::Baseline,
    replaces: None,
    versions: &[0],
    title: "the network, the processes or the IPC of the node",
    why: "On the node's network, NetworkPolicies do not hold, and what listens on its loopback answers; among its \
          processes, those of all tenants are seen.",
    fix: "Take `hostNetwork`, `hostPID` and `hostIPC` out.",
    check: |subject, _| {
        let shared: Vec<String> =
            FIELDS.iter().filter(|field| subject.spec[**field] == true).map(|field| format!("{field}=true")).collect();
        (!shared.is_empty()).then(|| Refusal::new("host namespaces", shared.join(", ")))
    },
    cel: |_| FIELDS.map(|field| format!("(!has(object.spec.{field}) || !object.spec.{field})")).join(" && "),
    examples: &[
        Example::holds("not said", "spec: {containers: [{name: a}]}"),
        Example::holds(
            "said not to be",
            "spec: {hostNetwork: false, hostPID: false, hostIPC: false, containers: [{name: a}]}",
        ),
        Example::refused(
            "the node's network",
            "spec: {hostNetwork: true, containers: [{name: a}]}",
            "host namespaces (hostNetwork=true)",
        ),
        Example::refused(
            "all of it",
            "spec: {hostIPC: true, hostPID: true, hostNetwork: true, containers: [{name: a}]}",
            "host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)",
        ),
    ],
};
