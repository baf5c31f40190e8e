//! A container's use of cpu is bounded.

use super::{Example, Mode, Policy, RUNNING};

/// The row of [`super::POLICIES`].
pub const POLICY: Policy = Policy {
    id: "cpu-limits",
    title: "no limit of cpu",
    why: "CPU time is shared: one busy container makes all others on its node slow.",
    fix: "State `resources.limits.cpu`, above zero.",
    breach: "must have CPU limits",
    about: RUNNING,
    resources: true,
    within: Some("resource-limits"),
    unless_said: Mode::Deny,
    holds: |pod, container| pod.is_limited(container, "cpu"),
    cel: "has(c.resources) && has(c.resources.limits) && 'cpu' in c.resources.limits\n\
          && quantity(c.resources.limits['cpu']).isGreaterThan(quantity('0'))\n\
          || has($spec.resources) && has($spec.resources.limits) && 'cpu' in $spec.resources.limits\n\
          && quantity($spec.resources.limits['cpu']).isGreaterThan(quantity('0'))",
    examples: &[
        Example { about: "no limits at all", holds: false, spec: "containers: [{name: nginx}]" },
        Example { about: "stated", holds: true, spec: "containers: [{name: nginx, resources: {limits: {cpu: 100m}}}]" },
        Example { about: "a number", holds: true, spec: "containers: [{name: nginx, resources: {limits: {cpu: 2}}}]" },
        Example {
            about: "only another resource",
            holds: false,
            spec: "containers: [{name: nginx, resources: {limits: {ephemeral-storage: 1Gi}}}]",
        },
        Example { about: "nothing", holds: false, spec: "containers: [{name: nginx, resources: {limits: {cpu: 0}}}]" },
        Example {
            about: "nothing, spelt out",
            holds: false,
            spec: "containers: [{name: nginx, resources: {limits: {cpu: 0m}}}]",
        },
        Example {
            about: "the pod's own limit",
            holds: true,
            spec: "{resources: {limits: {cpu: 100m}}, containers: [{name: nginx}]}",
        },
    ],
};
