//! A container does not run as root.

use super::json::Json;
use super::{EVERY, Example, Mode, Policy};

/// The row of [`super::POLICIES`].
///
/// In a pod with a user namespace, root is nobody on the node: Pod Security admits it from 1.35, and so does this.
///
/// Source: <https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/#integration-with-pod-security-admission-checks>
pub const POLICY: Policy = Policy {
    id: "non-root",
    title: "a container that may run as root",
    why: "Whoever breaks out of a container that runs as root is root on the node.",
    fix: "State `runAsNonRoot: true` or a `runAsUser` other than 0, for the container or for its pod. An image that runs as \
          root then needs another user.",
    breach: "failed privilege check",
    about: EVERY,
    resources: false,
    within: None,
    unless_said: Mode::Deny,
    holds: |pod, container| {
        let non_root = pod.effective(container, "runAsNonRoot").and_then(Json::as_bool);
        let user = pod.effective(container, "runAsUser").and_then(Json::as_i64);
        pod.has_user_namespace()
            || (non_root != Some(false) && user != Some(0) && (non_root.is_some() || user.is_some()))
    },
    cel: "has($spec.hostUsers) && !$spec.hostUsers\n\
          || (has(c.securityContext) && has(c.securityContext.runAsNonRoot) ? c.securityContext.runAsNonRoot\n\
          : !(has($spec.securityContext) && has($spec.securityContext.runAsNonRoot)) || $spec.securityContext.runAsNonRoot)\n\
          && (has(c.securityContext) && has(c.securityContext.runAsUser) ? c.securityContext.runAsUser != 0\n\
          : !(has($spec.securityContext) && has($spec.securityContext.runAsUser)) || $spec.securityContext.runAsUser != 0)\n\
          && (has(c.securityContext) && has(c.securityContext.runAsNonRoot) || has(c.securityContext) && has(c.securityContext.runAsUser)\n\
          || has($spec.securityContext) && has($spec.securityContext.runAsNonRoot)\n\
          || has($spec.securityContext) && has($spec.securityContext.runAsUser))",
    examples: &[
        Example { about: "not said: the image decides", holds: false, spec: "containers: [{name: nginx}]" },
        Example {
            about: "said to be root",
            holds: false,
            spec: "containers: [{name: nginx, securityContext: {runAsNonRoot: false}}]",
        },
        Example {
            about: "root by its number",
            holds: false,
            spec: "containers: [{name: nginx, securityContext: {runAsNonRoot: true, runAsUser: 0}}]",
        },
        Example {
            about: "root by the pod's number",
            holds: false,
            spec: "{securityContext: {runAsUser: 0}, containers: [{name: nginx, securityContext: {readOnlyRootFilesystem: true}}]}",
        },
        Example {
            about: "not root",
            holds: true,
            spec: "containers: [{name: nginx, securityContext: {runAsNonRoot: true}}]",
        },
        Example {
            about: "not root, by the pod",
            holds: true,
            spec: "{securityContext: {runAsNonRoot: true}, containers: [{name: nginx}]}",
        },
        Example {
            about: "another user",
            holds: true,
            spec: "containers: [{name: nginx, securityContext: {runAsUser: 1000}}]",
        },
        Example {
            about: "the container against its pod",
            holds: false,
            spec: "{securityContext: {runAsNonRoot: true}, containers: [{name: nginx, securityContext: {runAsNonRoot: false}}]}",
        },
        Example {
            about: "root of a user namespace",
            holds: true,
            spec: "{hostUsers: false, containers: [{name: nginx, securityContext: {runAsUser: 0}}]}",
        },
    ],
};
