//! A container's use of memory is bounded.

use super::{Example, Mode, Policy, RUNNING};

/// The row of [`super::POLICIES`].
pub const POLICY: Policy = Policy {
    id: "memory-limits",
    title: "no limit of memory",
    why: "A node that is out of memory kills containers, and not only those that took it.",
    fix: "State `resources.limits.memory`, above zero.",
    breach: "must have Memory limits",
    about: RUNNING,
    resources: true,
    within: Some("resource-limits"),
    unless_said: Mode::Deny,
    holds: |pod, container| pod.is_limited(container, "memory"),
    cel: "has(c.resources) && has(c.resources.limits) && 'memory' in c.resources.limits\n\
          && quantity(c.resources.limits['memory']).isGreaterThan(quantity('0'))\n\
          || has($spec.resources) && has($spec.resources.limits) && 'memory' in $spec.resources.limits\n\
          && quantity($spec.resources.limits['memory']).isGreaterThan(quantity('0'))",
    examples: &[
        Example { about: "no limits at all", holds: false, spec: "containers: [{name: nginx}]" },
        Example {
            about: "stated",
            holds: true,
            spec: "containers: [{name: nginx, resources: {limits: {memory: 128Mi}}}]",
        },
        Example {
            about: "a number",
            holds: true,
            spec: "containers: [{name: nginx, resources: {limits: {memory: 2}}}]",
        },
        Example {
            about: "only another resource",
            holds: false,
            spec: "containers: [{name: nginx, resources: {limits: {ephemeral-storage: 1Gi}}}]",
        },
        Example {
            about: "nothing",
            holds: false,
            spec: "containers: [{name: nginx, resources: {limits: {memory: 0}}}]",
        },
        Example {
            about: "nothing, spelt out",
            holds: false,
            spec: "containers: [{name: nginx, resources: {limits: {memory: 0m}}}]",
        },
        Example {
            about: "the pod's own limit",
            holds: true,
            spec: "{resources: {limits: {memory: 128Mi}}, containers: [{name: nginx}]}",
        },
    ],
};
