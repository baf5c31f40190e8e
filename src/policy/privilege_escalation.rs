//! A process in a container never has more rights than the one that started it.

use super::{EVERY, Example, Mode, Policy};

/// The row of [`super::POLICIES`]. Windows has no such switch, and Kubernetes refuses it there.
pub const POLICY: Policy = Policy {
    id: "privilege-escalation",
    title: "privilege escalation allowed",
    why: "A setuid program in the image would make a process root, whatever user the container runs as.",
    fix: "State `allowPrivilegeEscalation: false` for the container.",
    breach: "must not be allowed to escalate privileges",
    about: EVERY,
    resources: false,
    within: None,
    unless_said: Mode::Deny,
    holds: |pod, container| pod.is_windows() || container.security("allowPrivilegeEscalation") == false,
    cel: "has($spec.os) && $spec.os.name == 'windows'\n\
          || has(c.securityContext) && has(c.securityContext.allowPrivilegeEscalation) && !c.securityContext.allowPrivilegeEscalation",
    examples: &[
        Example {
            about: "not said: allowed",
            holds: false,
            spec: "containers: [{name: nginx, securityContext: {runAsUser: 1}}]",
        },
        Example {
            about: "allowed",
            holds: false,
            spec: "containers: [{name: nginx, securityContext: {allowPrivilegeEscalation: true}}]",
        },
        Example {
            about: "forbidden",
            holds: true,
            spec: "containers: [{name: nginx, securityContext: {allowPrivilegeEscalation: false}}]",
        },
        Example {
            about: "a debugger that may",
            holds: false,
            spec: "ephemeralContainers: [{name: debugger, securityContext: {runAsNonRoot: true}}]",
        },
        Example { about: "Windows", holds: true, spec: "{os: {name: windows}, containers: [{name: nginx}]}" },
    ],
};
