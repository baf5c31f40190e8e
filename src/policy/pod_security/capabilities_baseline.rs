//! A container has no capability that containers do not have anyway.

use super::wording::{containers, quoted};
use super::{Control, Example, Refusal, cel, subject};
use crate::contract::platform::PodSecurityLevel;

/// Those that container runtimes give to every container, but for `NET_RAW`.
const DEFAULT: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// The row of [`super::CONTROLS`].
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_capabilities_baseline.go>
pub const CONTROL: Control = Control {
    id: "capabilities-baseline",
    upstream: "capabilities_baseline",
    level: PodSecurityLevel::Baseline,
    replaces: None,
    versions: &[0],
    title: "capabilities beyond those of every container",
    why: "`SYS_ADMIN`, `SYS_PTRACE` or `BPF` are root on the node by another name, and with `NET_RAW` a pod speaks \
          in the name of its neighbours.",
    fix: "Take what is not among the default capabilities out of `securityContext.capabilities.add`.",
    check: |subject, _| {
        let (names, added) = subject.found(|container| {
            subject::capabilities(container, "add").filter(|capability| !DEFAULT.contains(capability)).collect()
        });
        let detail = || {
            let names = containers(&names);
            format!("{names} must not include {} in securityContext.capabilities.add", quoted(&added))
        };
        (!names.is_empty()).then(|| Refusal::new("non-default capabilities", detail()))
    },
    cel: |_| {
        let path = "securityContext.capabilities.add";
        let holds = format!("c.{path}.all(capability, capability in {})", cel::list(&DEFAULT));
        cel::every_container(&cel::absent_or("c", path, &holds))
    },
    examples: &[
        Example::holds("none", "spec: {containers: [{name: a, securityContext: {capabilities: {drop: [ALL]}}}]}"),
        Example::holds(
            "one of the default",
            "spec: {containers: [{name: a, securityContext: {capabilities: {add: [CHOWN]}}}]}",
        ),
        Example::refused(
            "one that was taken from the default",
            "spec: {containers: [{name: a, securityContext: {capabilities: {add: [NET_RAW, CHOWN]}}}]}",
            "non-default capabilities (container \"a\" must not include \"NET_RAW\" in \
             securityContext.capabilities.add)",
        ),
        Example::refused(
            "each once; by another spelling it is another one",
            "spec:
  initContainers: [{name: a, securityContext: {capabilities: {add: [SYS_ADMIN, CAP_CHOWN]}}}]
  containers: [{name: b, securityContext: {capabilities: {add: [SYS_ADMIN]}}}]",
            "non-default capabilities (containers \"a\", \"b\" must not include \"CAP_CHOWN\", \"SYS_ADMIN\" in \
             securityContext.capabilities.add)",
        ),
    ],
};
