//! A container sees of `/proc` what its runtime shows, unless its root is nobody on the node.

use super::wording::{containers, quoted};
use super::{Control, Example, Minor, Refusal, Subject, cel, subject};
use crate::contract::platform::PodSecurityLevel;

/// From this version on, a pod with a user namespace may see all of it.
const USER_NAMESPACES: u32 = 35;

/// The row of [`super::CONTROLS`].
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_procMount_baseline.go>
pub const CONTROL: Control = Control {
    id: "proc-mount",
    upstream: "procMount",
    level: PodSecurityLevel::Baseline,
    replaces: None,
    versions: &[0, USER_NAMESPACES],
    title: "all of `/proc`",
    why: "What runtimes hide of `/proc` tells of the node and changes its kernel.",
    fix: "Take `securityContext.procMount` out, or run the pod with `hostUsers: false`.",
    check: |subject, version| {
        let is_let_off = version >= Minor::new(USER_NAMESPACES) && subject.has_user_namespace();
        if is_let_off { None } else { unmasked(subject) }
    },
    cel: |version| {
        if version >= Minor::new(USER_NAMESPACES) { cel::user_namespace_or(&masked()) } else { masked() }
    },
    examples: &[
        Example::holds("not said", "spec: {containers: [{name: a}]}"),
        Example::holds("the default", "spec: {containers: [{name: a, securityContext: {procMount: Default}}]}"),
        Example::refused(
            "all of it",
            "spec: {containers: [{name: a, securityContext: {procMount: Unmasked}}]}",
            "procMount (container \"a\" must not set securityContext.procMount to \"Unmasked\")",
        ),
        Example::holds(
            "all of it, in a user namespace",
            "spec: {hostUsers: false, containers: [{name: a, securityContext: {procMount: Unmasked}}]}",
        ),
        Example::refused(
            "the same, before those were trusted",
            "spec: {hostUsers: false, containers: [{name: a, securityContext: {procMount: Unmasked}}]}",
            "procMount (container \"a\" must not set securityContext.procMount to \"Unmasked\")",
        )
        .of(34),
    ],
};

/// What is said of a pod with containers that see all of it.
pub(super) fn unmasked(subject: &Subject<'_>) -> Option<Refusal> {
    let (names, found) = subject.found(|container| {
        let stated = Some(container.security("procMount")).filter(|value| !value.is_null() && **value != "Default");
        stated.map(subject::text).into_iter().collect()
    });
    let detail = || format!("{} must not set securityContext.procMount to {}", containers(&names), quoted(&found));
    (!names.is_empty()).then(|| Refusal::new("procMount", detail()))
}

/// As CEL: no container sees all of it.
pub(super) fn masked() -> String {
    cel::every_container(&cel::absent_or("c", "securityContext.procMount", "c.securityContext.procMount == 'Default'"))
}
