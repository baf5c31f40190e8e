//! Somebody has thought about what a container may do.

use super::{EVERY, Example, Mode, Policy};

/// The row of [`super::POLICIES`].
pub const POLICY: Policy = Policy {
    id: "security-context",
    title: "no security context",
    why: "Without one, a container runs as whoever its image says, with every default of its runtime.",
    fix: "State a `securityContext` for the container or for its pod.",
    breach: "must have SecurityContext defined",
    about: EVERY,
    resources: false,
    within: None,
    unless_said: Mode::Deny,
    holds: |pod, container| pod.has_security_context(container),
    cel: "has(c.securityContext) && size(dyn(c.securityContext)) > 0\n\
          || has($spec.securityContext) && size(dyn($spec.securityContext)) > 0",
    examples: &[
        Example { about: "none", holds: false, spec: "containers: [{name: nginx}]" },
        Example {
            about: "one that states nothing",
            holds: false,
            spec: "containers: [{name: nginx, securityContext: {runAsNonRoot: null}}]",
        },
        Example { about: "an empty one", holds: false, spec: "containers: [{name: nginx, securityContext: {}}]" },
        Example {
            about: "the container's",
            holds: true,
            spec: "containers: [{name: nginx, securityContext: {runAsNonRoot: true}}]",
        },
        Example {
            about: "the pod's",
            holds: true,
            spec: "{securityContext: {runAsNonRoot: true}, containers: [{name: nginx}]}",
        },
        Example {
            about: "an ephemeral container without one",
            holds: false,
            spec: "ephemeralContainers: [{name: debugger}]",
        },
    ],
};
