//! No container starts as root, whatever its image says.

use super::wording::{containers, setters};
use super::{Control, Example, Minor, Refusal, cel};
use crate::contract::platform::PodSecurityLevel;

/// From this version on, root of a user namespace is nobody.
const USER_NAMESPACES: u32 = 35;

/// The row of [`super::CONTROLS`].
///
/// A pod that sets it to false is refused even where all its containers set it to true; a `runAsUser` does not help.
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_runAsNonRoot.go>
pub const CONTROL: Control = Control {
    id: "run-as-non-root",
    upstream: "runAsNonRoot",
    level: PodSecurityLevel::Restricted,
    replaces: None,
    versions: &[0, USER_NAMESPACES],
    title: "a container that may run as root",
    why: "Whoever breaks out of a container that runs as root is root on the node.",
    fix: "State `runAsNonRoot: true` for the pod or for each container; or run the pod with `hostUsers: false`.",
    check: |subject, version| {
        if version >= Minor::new(USER_NAMESPACES) && subject.has_user_namespace() {
            return None;
        }
        let of_pod = subject.security("runAsNonRoot").as_bool();
        let refused = |detail| Some(Refusal::new("runAsNonRoot != true", detail));
        let names = subject.names(|container| *container.security("runAsNonRoot") == false);
        if let Some(setters) = setters(of_pod == Some(false), &names) {
            return refused(format!("{setters} must not set securityContext.runAsNonRoot=false"));
        }
        let names = subject.names(|container| container.security("runAsNonRoot").as_bool().is_none());
        if of_pod.is_some() || names.is_empty() {
            return None;
        }
        refused(format!("pod or {} must set securityContext.runAsNonRoot=true", containers(&names)))
    },
    cel: |version| {
        let path = "securityContext.runAsNonRoot";
        let stated = |root: &str| cel::present_and(root, path, &format!("{root}.{path}"));
        let forbidden = cel::every_context("runAsNonRoot", "$");
        let holds = format!("{forbidden} && (({}) || ({}))", stated("object.spec"), cel::every_container(&stated("c")));
        if version >= Minor::new(USER_NAMESPACES) { cel::user_namespace_or(&holds) } else { holds }
    },
    examples: &[
        Example::holds("by the pod", "spec: {securityContext: {runAsNonRoot: true}, containers: [{name: a}]}"),
        Example::holds("by each container", "spec: {containers: [{name: a, securityContext: {runAsNonRoot: true}}]}"),
        Example::refused(
            "by one of two",
            "spec: {containers: [{name: a, securityContext: {runAsNonRoot: true}}, {name: b}]}",
            "runAsNonRoot != true (pod or container \"b\" must set securityContext.runAsNonRoot=true)",
        ),
        Example::refused(
            "by the containers against their pod",
            "spec: {securityContext: {runAsNonRoot: false}, containers: [{name: a, securityContext: {runAsNonRoot: \
             true}}]}",
            "runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)",
        ),
        Example::refused(
            "a container against its pod; of others, nothing is said then",
            "spec: {containers: [{name: a, securityContext: {runAsNonRoot: false}}, {name: b}]}",
            "runAsNonRoot != true (container \"a\" must not set securityContext.runAsNonRoot=false)",
        ),
        Example::refused(
            "a user's number alone",
            "spec: {securityContext: {runAsUser: 1000}, containers: [{name: a}]}",
            "runAsNonRoot != true (pod or container \"a\" must set securityContext.runAsNonRoot=true)",
        ),
        Example::holds("a user namespace", "spec: {hostUsers: false, containers: [{name: a}]}"),
        Example::refused(
            "the same, before those were trusted",
            "spec: {hostUsers: false, containers: [{name: a}]}",
            "runAsNonRoot != true (pod or container \"a\" must set securityContext.runAsNonRoot=true)",
        )
        .of(34),
    ],
};
