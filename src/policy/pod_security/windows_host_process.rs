//! A container is no process of its Windows host.

use super::super::json::Json;
use super::wording::setters;
use super::{Control, Example, Refusal, cel};
use crate::contract::platform::PodSecurityLevel;

/// The row of [`super::CONTROLS`].
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_windowsHostProcess.go>
pub const CONTROL: Control = Control {
    id: "windows-host-process",
    upstream: "windowsHostProcess",
    level: PodSecurityLevel::Baseline,
    replaces: None,
    versions: &[0],
    title: "a process of a Windows host",
    why: "A process of its host is to a Windows node what a privileged container is to others: its administrator.",
    fix: "Take `securityContext.windowsOptions.hostProcess` out.",
    check: |subject, _| {
        let is_set = |options: &Json<'_>| options["hostProcess"] == true;
        let names = subject.names(|container| is_set(container.security("windowsOptions")));
        let setters = setters(is_set(subject.security("windowsOptions")), &names)?;
        let detail = format!("{setters} must not set securityContext.windowsOptions.hostProcess=true");
        Some(Refusal::new("hostProcess", detail))
    },
    cel: |_| cel::every_context("windowsOptions.hostProcess", "!$"),
    examples: &[
        Example::holds("not said", "spec: {os: {name: windows}, containers: [{name: a}]}"),
        Example::holds(
            "said not to be",
            "spec: {containers: [{name: a, securityContext: {windowsOptions: {hostProcess: false}}}]}",
        ),
        Example::refused(
            "the pod",
            "spec: {securityContext: {windowsOptions: {hostProcess: true}}, containers: [{name: a}]}",
            "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
        ),
        Example::refused(
            "the pod and a container",
            "spec:
  securityContext: {windowsOptions: {hostProcess: true}}
  containers: [{name: a, securityContext: {windowsOptions: {hostProcess: true}}}, {name: b}]",
            "hostProcess (pod and container \"a\" must not set securityContext.windowsOptions.hostProcess=true)",
        ),
    ],
};
