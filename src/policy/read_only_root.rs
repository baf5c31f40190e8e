//! A container does not change its own image.

use super::{Example, Mode, Policy, RUNNING};

/// The row of [`super::POLICIES`].
///
/// Ephemeral containers are left out: whoever debugs a pod installs tools. Windows has no such file system.
pub const POLICY: Policy = Policy {
    id: "read-only-root",
    title: "a writable root file system",
    why: "What breaks into a container writes its tools there, and a scan of the image never sees them.",
    fix: "State `readOnlyRootFilesystem: true` for the container, and mount an `emptyDir` where it has to write.",
    breach: "must have read only root filesystem",
    about: RUNNING,
    resources: false,
    within: None,
    unless_said: Mode::Deny,
    holds: |pod, container| pod.is_windows() || container.security("readOnlyRootFilesystem") == true,
    cel: "has($spec.os) && $spec.os.name == 'windows'\n\
          || has(c.securityContext) && has(c.securityContext.readOnlyRootFilesystem) && c.securityContext.readOnlyRootFilesystem",
    examples: &[
        Example {
            about: "not said",
            holds: false,
            spec: "containers: [{name: nginx, securityContext: {runAsUser: 1}}]",
        },
        Example {
            about: "writable",
            holds: false,
            spec: "containers: [{name: nginx, securityContext: {readOnlyRootFilesystem: false}}]",
        },
        Example {
            about: "read-only",
            holds: true,
            spec: "containers: [{name: nginx, securityContext: {readOnlyRootFilesystem: true}}]",
        },
        Example {
            about: "said of the pod, which has no such field",
            holds: false,
            spec: "{securityContext: {readOnlyRootFilesystem: true}, containers: [{name: nginx}]}",
        },
        Example { about: "a debugger", holds: true, spec: "ephemeralContainers: [{name: debugger}]" },
        Example { about: "Windows", holds: true, spec: "{os: {name: windows}, containers: [{name: nginx}]}" },
    ],
};
