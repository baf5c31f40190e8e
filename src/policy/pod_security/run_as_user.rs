//! No container runs as root by its number.

use super::wording::setters;
use super::{Control, Example, Minor, Refusal, cel, subject};
use crate::contract::platform::PodSecurityLevel;

/// From this version on, root of a user namespace is nobody.
const USER_NAMESPACES: u32 = 35;

/// The row of [`super::CONTROLS`].
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_runAsUser.go>
pub const CONTROL: Control = Control {
    id: "run-as-user",
    upstream: "runAsUser",
    level: PodSecurityLevel::Restricted,
    replaces: None,
    versions: &[23, USER_NAMESPACES],
    title: "root, by its number",
    why: "Whoever breaks out of a container that runs as root is root on the node.",
    fix: "State a `runAsUser` other than 0 or none, for the pod and for its containers; or run the pod with \
          `hostUsers: false`.",
    check: |subject, version| {
        if version >= Minor::new(USER_NAMESPACES) && subject.has_user_namespace() {
            return None;
        }
        let names = subject.names(|container| subject::is_zero(container.security("runAsUser")));
        let setters = setters(subject::is_zero(subject.security("runAsUser")), &names)?;
        Some(Refusal::new("runAsUser=0", format!("{setters} must not set runAsUser=0")))
    },
    cel: |version| {
        let holds = cel::every_context("runAsUser", "$ != 0");
        if version >= Minor::new(USER_NAMESPACES) { cel::user_namespace_or(&holds) } else { holds }
    },
    examples: &[
        Example::holds("not said", "spec: {containers: [{name: a}]}"),
        Example::holds("another user", "spec: {securityContext: {runAsUser: 1000}, containers: [{name: a}]}"),
        Example::refused(
            "the pod, whatever its containers say",
            "spec: {securityContext: {runAsUser: 0}, containers: [{name: a, securityContext: {runAsUser: 1000}}]}",
            "runAsUser=0 (pod must not set runAsUser=0)",
        ),
        Example::refused(
            "the pod and two containers",
            "spec:
  securityContext: {runAsUser: 0}
  containers: [{name: a, securityContext: {runAsUser: 0}}, {name: b, securityContext: {runAsUser: 0}}]",
            "runAsUser=0 (pod and containers \"a\", \"b\" must not set runAsUser=0)",
        ),
        Example::holds(
            "root of a user namespace",
            "spec: {hostUsers: false, containers: [{name: a, securityContext: {runAsUser: 0}}]}",
        ),
        Example::refused(
            "the same, before those were trusted",
            "spec: {hostUsers: false, containers: [{name: a, securityContext: {runAsUser: 0}}]}",
            "runAsUser=0 (container \"a\" must not set runAsUser=0)",
        )
        .of(34),
    ],
};
