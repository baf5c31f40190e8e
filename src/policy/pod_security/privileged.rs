//! A container is not the node.

use super::wording::containers;
use super::{Control, Example, Refusal, cel};
use crate::contract::platform::PodSecurityLevel;

/// The row of [`super::CONTROLS`].
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_privileged.go>
pub const CONTROL: Control = Control {
    id: "privileged-containers",
    upstream: "privileged",
    level: PodSecurityLevel::Baseline,
    replaces: None,
    versions: &[0],
    title: "a privileged container",
    why: "A privileged container is root on its node, and so on every tenant's pods there.",
    fix: "Take `securityContext.privileged` out; what needs it belongs to the platform team.",
    check: |subject, _| {
        let names = subject.names(|container| *container.security("privileged") == true);
        let detail = || format!("{} must not set securityContext.privileged=true", containers(&names));
        (!names.is_empty()).then(|| Refusal::new("privileged", detail()))
    },
    cel: |_| cel::every_container(&cel::absent_or("c", "securityContext.privileged", "!c.securityContext.privileged")),
    examples: &[
        Example::holds("not said", "spec: {containers: [{name: a}]}"),
        Example::holds("said not to be", "spec: {containers: [{name: a, securityContext: {privileged: false}}]}"),
        Example::refused(
            "one",
            "spec: {containers: [{name: a, securityContext: {privileged: true}}, {name: b}]}",
            "privileged (container \"a\" must not set securityContext.privileged=true)",
        ),
        Example::refused(
            "an init container, a container, a debugger",
            "spec:
  ephemeralContainers: [{name: c, securityContext: {privileged: true}}]
  containers: [{name: b, securityContext: {privileged: true}}]
  initContainers: [{name: a, securityContext: {privileged: true}}]",
            "privileged (containers \"a\", \"b\", \"c\" must not set securityContext.privileged=true)",
        ),
    ],
};
