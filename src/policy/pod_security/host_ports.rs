//! A container takes no port of its node.

use super::super::json::Json;
use super::super::pod::{Container, List};
use super::wording::{containers, counted};
use super::{Control, Example, Refusal, Subject, cel, subject};
use crate::contract::platform::PodSecurityLevel;

/// The row of [`super::CONTROLS`].
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_hostPorts.go>
pub const CONTROL: Control = Control {
    id: "host-ports",
    upstream: "hostPorts",
    level: PodSecurityLevel::Baseline,
    replaces: None,
    versions: &[0],
    title: "a port of the node",
    why: "Whoever takes a port of a node takes it from all tenants, and answers in the node's name, past \
          NetworkPolicies.",
    fix: "Take `hostPort` out; a Service brings others to the pod.",
    check: |subject, _| {
        // As text, so that 443 comes before 80: that is how they are told.
        let (names, ports) = subject.found(|container| host_ports(subject, container));
        let detail = || {
            let uses = counted("uses", "use", names.len());
            let host_ports = counted("hostPort", "hostPorts", ports.len());
            let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
            format!("{} {uses} {host_ports} {}", containers(&names), ports.join(", "))
        };
        (!names.is_empty()).then(|| Refusal::new("hostPort", detail()))
    },
    cel: |_| cel::every_container("!has(c.ports) || c.ports.all(port, !has(port.hostPort) || port.hostPort == 0)"),
    examples: &[
        Example::holds("none", "spec: {containers: [{name: a, ports: [{containerPort: 80}]}]}"),
        Example::holds("none, spelt out", "spec: {containers: [{name: a, ports: [{containerPort: 80, hostPort: 0}]}]}"),
        Example::refused(
            "one",
            "spec: {containers: [{name: a, ports: [{containerPort: 8080, hostPort: 80}, {containerPort: 81}]}]}",
            "hostPort (container \"a\" uses hostPort 80)",
        ),
        Example::refused(
            "an init container's as well",
            "spec:
  initContainers: [{name: a, ports: [{containerPort: 1, hostPort: 80}]}]
  containers: [{name: b, ports: [{containerPort: 2, hostPort: 443}, {containerPort: 2, hostPort: 80}]}]",
            "hostPort (containers \"a\", \"b\" use hostPorts 443, 80)",
        ),
        Example::refused(
            "on the node's network, each port is one of the node",
            "spec: {hostNetwork: true, containers: [{name: a, ports: [{containerPort: 8080}]}]}",
            "hostPort (container \"a\" uses hostPort 8080)",
        ),
    ],
};

/// Ports of the node that a container takes. On the node's network, the API server fills in each port of its own; an
/// ephemeral container can have none.
///
/// Source: <https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/core/v1/defaults.go> (`defaultHostNetworkPorts`)
fn host_ports(subject: &Subject<'_>, container: &Container<'_>) -> Vec<String> {
    let is_filled_in = subject.spec["hostNetwork"] == true && container.list != List::Ephemeral;
    let is_stated = |port: &Json<'_>| matches!(port, Json::Number(_)) && !subject::is_zero(port);
    let of = |port: &Json<'_>| {
        let own = [Some(&port["hostPort"]), is_filled_in.then_some(&port["containerPort"])];
        match own.into_iter().flatten().find(|port| is_stated(port)) {
            Some(Json::Number(number)) => Some(number.to_string()),
            _ => None,
        }
    };
    container.value["ports"].items().iter().filter_map(of).collect()
}
