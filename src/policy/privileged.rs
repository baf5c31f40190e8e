//! A container is not the node.

use super::{EVERY, Example, Mode, Policy};

/// The row of [`super::POLICIES`].
pub const POLICY: Policy = Policy {
    id: "privileged",
    title: "a privileged container",
    why: "A privileged container is root on its node, and so on every tenant's pods there.",
    fix: "Take `securityContext.privileged` out; what needs it belongs to the platform team.",
    breach: "failed privilege check",
    about: EVERY,
    resources: false,
    within: None,
    unless_said: Mode::Deny,
    holds: |pod, container| container.security("privileged") != true && !pod.is_host_process(container),
    cel: "!(has(c.securityContext) && has(c.securityContext.privileged) && c.securityContext.privileged)\n\
          && !(has(c.securityContext) && has(c.securityContext.windowsOptions)\n\
          && has(c.securityContext.windowsOptions.hostProcess) ? c.securityContext.windowsOptions.hostProcess\n\
          : has($spec.securityContext) && has($spec.securityContext.windowsOptions)\n\
          && has($spec.securityContext.windowsOptions.hostProcess) && $spec.securityContext.windowsOptions.hostProcess)",
    examples: &[
        Example {
            about: "a process of a Windows host",
            holds: false,
            spec: "{os: {name: windows}, securityContext: {windowsOptions: {hostProcess: true}}, containers: [{name: iis}]}",
        },
        Example {
            about: "privileged",
            holds: false,
            spec: "containers: [{name: nginx, securityContext: {privileged: true, runAsNonRoot: true}}]",
        },
        Example {
            about: "an init container that is",
            holds: false,
            spec: "{initContainers: [{name: setup, securityContext: {privileged: true}}], containers: [{name: nginx}]}",
        },
        Example {
            about: "a debugger that is",
            holds: false,
            spec: "ephemeralContainers: [{name: debugger, securityContext: {privileged: true}}]",
        },
        Example {
            about: "said not to be",
            holds: true,
            spec: "containers: [{name: nginx, securityContext: {privileged: false}}]",
        },
        Example { about: "not said", holds: true, spec: "containers: [{name: nginx}]" },
    ],
};
