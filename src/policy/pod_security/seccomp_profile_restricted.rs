//! A pod says which filter of system calls it has.

use super::wording::containers;
use super::{Control, Example, Minor, Refusal, cel, seccomp_profile};
use crate::contract::platform::PodSecurityLevel;

/// From this version on, nothing is asked of a pod that says that it runs on Windows, which has no such filter.
const WINDOWS: u32 = 25;

/// The row of [`super::CONTROLS`].
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_seccompProfile_restricted.go>
pub const CONTROL: Control = Control {
    id: "seccomp-profile-restricted",
    upstream: "seccompProfile_restricted",
    level: PodSecurityLevel::Restricted,
    replaces: Some("seccomp-profile"),
    versions: &[19, WINDOWS],
    title: "no filter of system calls",
    why: "Where nothing is said, most nodes filter nothing, and the whole kernel is open to whoever breaks into a \
          container.",
    fix: "State `securityContext.seccompProfile: {type: RuntimeDefault}` for the pod.",
    check: |subject, version| {
        if version >= Minor::new(WINDOWS) && subject.is_windows() {
            return None;
        }
        // Whatever is stated wrongly is told first, and in the words of `baseline`.
        if let Some(refusal) = (seccomp_profile::CONTROL.check)(subject, version) {
            return Some(refusal);
        }
        let without = subject.names(|container| container.security("seccompProfile").is_null());
        if without.is_empty() || !subject.security("seccompProfile").is_null() {
            return None;
        }
        let must = "must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"";
        Some(Refusal::new("seccompProfile", format!("pod or {} {must}", containers(&without))))
    },
    cel: |version| {
        let path = "securityContext.seccompProfile";
        let stated = |root: &str| cel::present_and(root, path, "true");
        let valid = cel::every_context("seccompProfile", &seccomp_profile::valid_type());
        let holds = format!("{valid} && (({}) || ({}))", stated("object.spec"), cel::every_container(&stated("c")));
        if version >= Minor::new(WINDOWS) { cel::windows_or(&holds) } else { holds }
    },
    examples: &[
        Example::holds(
            "by the pod",
            "spec: {securityContext: {seccompProfile: {type: RuntimeDefault}}, containers: \
                                      [{name: a}]}",
        ),
        Example::holds(
            "by each container",
            "spec: {containers: [{name: a, securityContext: {seccompProfile: {type: Localhost, localhostProfile: \
             a.json}}}]}",
        ),
        Example::refused(
            "by one of two",
            "spec: {containers: [{name: a, securityContext: {seccompProfile: {type: RuntimeDefault}}}, {name: b}]}",
            "seccompProfile (pod or container \"b\" must set securityContext.seccompProfile.type to \
             \"RuntimeDefault\" or \"Localhost\")",
        ),
        Example::refused(
            "wrongly; of those that state none, nothing is said then",
            "spec: {containers: [{name: a, securityContext: {seccompProfile: {type: Unconfined}}}, {name: b}]}",
            "seccompProfile (container \"a\" must not set securityContext.seccompProfile.type to \"Unconfined\")",
        ),
        Example::holds("Windows", "spec: {os: {name: windows}, containers: [{name: a}]}"),
        Example::refused(
            "Windows, before it was known to be",
            "spec: {os: {name: windows}, containers: [{name: a}]}",
            "seccompProfile (pod or container \"a\" must set securityContext.seccompProfile.type to \
             \"RuntimeDefault\" or \"Localhost\")",
        )
        .of(24),
    ],
};
