//! A container has limits at all.

use super::{Example, Mode, Policy, RUNNING};

/// The row of [`super::POLICIES`].
pub const POLICY: Policy = Policy {
    id: "resource-limits",
    title: "no resource limits",
    why: "A container without limits takes what its node has, and its neighbours are other tenants.",
    fix: "State `resources.limits`, for the container or for the pod as a whole. Where the tier has defaults, its LimitRange \
          states them.",
    breach: "must have resource limits",
    about: RUNNING,
    resources: true,
    within: None,
    unless_said: Mode::Deny,
    holds: |pod, container| pod.limits(container).next().is_some(),
    cel: "has(c.resources) && has(c.resources.limits) && size(c.resources.limits) > 0\n\
          || has($spec.resources) && has($spec.resources.limits) && size($spec.resources.limits) > 0",
    examples: &[
        Example { about: "none", holds: false, spec: "containers: [{name: nginx, image: nginx}]" },
        Example {
            about: "requests alone",
            holds: false,
            spec: "containers: [{name: nginx, resources: {requests: {cpu: 1}}}]",
        },
        Example {
            about: "its own",
            holds: true,
            spec: "containers: [{name: nginx, resources: {limits: {cpu: 100m}}}]",
        },
        Example {
            about: "the pod's, which bound all its containers",
            holds: true,
            spec: "{resources: {limits: {cpu: 1}}, containers: [{name: nginx}]}",
        },
        Example {
            about: "an init container without any",
            holds: false,
            spec: "{initContainers: [{name: fetch}], containers: [{name: nginx, resources: {limits: {cpu: 1}}}]}",
        },
        Example {
            about: "an ephemeral container, which cannot have any",
            holds: true,
            spec: "ephemeralContainers: [{name: debugger}]",
        },
    ],
};
