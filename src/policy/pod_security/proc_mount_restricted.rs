//! A container sees of `/proc` what its runtime shows, in a user namespace as well.

use super::{Control, Example, Refusal, proc_mount};
use crate::contract::platform::PodSecurityLevel;

/// The row of [`super::CONTROLS`]: what `baseline` asked before it trusted user namespaces.
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_procMount_restricted.go>
pub const CONTROL: Control = Control {
    id: "proc-mount-restricted",
    upstream: "procMount_restricted",
    level: PodSecurityLevel::Restricted,
    replaces: Some("proc-mount"),
    versions: &[35],
    title: "all of `/proc`, whoever root is on the node",
    why: "What runtimes hide of `/proc` tells of the node, whoever reads it.",
    fix: "Take `securityContext.procMount` out.",
    check: |subject, _| -> Option<Refusal> { proc_mount::unmasked(subject) },
    cel: |_| proc_mount::masked(),
    examples: &[
        Example::holds("not said", "spec: {hostUsers: false, containers: [{name: a}]}"),
        Example::refused(
            "all of it, in a user namespace",
            "spec: {hostUsers: false, containers: [{name: a, securityContext: {procMount: Unmasked}}]}",
            "procMount (container \"a\" must not set securityContext.procMount to \"Unmasked\")",
        ),
    ],
};
