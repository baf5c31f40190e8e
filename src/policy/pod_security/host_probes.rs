//! The kubelet asks a pod how it is, and nobody else on its behalf.

use std::collections::BTreeSet;

use super::wording::{counted, quoted};
use super::{Control, Example, Refusal, cel, subject};
use crate::contract::platform::PodSecurityLevel;

/// Where a container says whom the kubelet calls.
const CALLS: [&str; 5] =
    ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop"];

/// By what.
const MEANS: [&str; 2] = ["httpGet", "tcpSocket"];

/// The row of [`super::CONTROLS`].
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_hostProbesAndhostLifecycle.go>
pub const CONTROL: Control = Control {
    id: "host-probes",
    upstream: "hostProbesAndHostLifecycle",
    level: PodSecurityLevel::Baseline,
    replaces: None,
    versions: &[34],
    title: "a probe or hook that calls another host than the pod",
    why: "The kubelet calls from the node's network: past NetworkPolicies, to its loopback and the cloud's metadata.",
    fix: "Take `host` out of probes and hooks; the pod's own address is the default.",
    check: |subject, _| {
        let (names, hosts) = subject.found(|container| {
            let calls = CALLS.iter().map(|call| call.split('.').fold(container.value, |value, field| &value[field]));
            let hosts = calls.flat_map(|call| MEANS.map(|means| subject::text(&call[means]["host"])));
            hosts.filter(|host| !host.is_empty()).collect()
        });
        // Of all controls this one alone sorts the names of containers.
        let names: Vec<&str> = names.into_iter().collect::<BTreeSet<&str>>().into_iter().collect();
        let detail = || {
            let containers = counted("container", "containers", names.len());
            let uses = counted("uses", "use", names.len());
            let words = counted("probe or lifecycle host", "probe or lifecycle hosts", hosts.len());
            format!("{containers} {} {uses} {words} {}", quoted(&names), quoted(&hosts))
        };
        (!names.is_empty()).then(|| Refusal::new("probe or lifecycle host", detail()))
    },
    cel: |_| {
        let paths = CALLS.iter().flat_map(|call| MEANS.map(|means| format!("{call}.{means}.host")));
        let holds: Vec<String> =
            paths.map(|path| format!("({})", cel::absent_or("c", &path, &format!("c.{path} == ''")))).collect();
        cel::every_container(&holds.join(" && "))
    },
    examples: &[
        Example::holds("not said", "spec: {containers: [{name: a, livenessProbe: {httpGet: {port: 80}}}]}"),
        Example::holds("said to be none", "spec: {containers: [{name: a, livenessProbe: {tcpSocket: {host: ''}}}]}"),
        Example::refused(
            "a probe that calls the node",
            "spec: {containers: [{name: a, readinessProbe: {tcpSocket: {port: 80, host: 127.0.0.1}}}]}",
            "probe or lifecycle host (container \"a\" uses probe or lifecycle host \"127.0.0.1\")",
        ),
        Example::refused(
            "a hook and a probe",
            "spec:
  initContainers: [{name: z, restartPolicy: Always, startupProbe: {httpGet: {port: 80, host: x}}}]
  containers: [{name: a, lifecycle: {preStop: {httpGet: {host: y}}, postStart: {tcpSocket: {host: x}}}}]",
            "probe or lifecycle host (containers \"a\", \"z\" use probe or lifecycle hosts \"x\", \"y\")",
        ),
        Example::refused(
            "the pod's own loopback by name: it is the node's",
            "spec: {containers: [{name: a, livenessProbe: {httpGet: {port: 80, host: localhost}}}]}",
            "probe or lifecycle host (container \"a\" uses probe or lifecycle host \"localhost\")",
        )
        .of(34),
    ],
};
