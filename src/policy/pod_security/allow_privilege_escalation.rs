//! A process in a container never has more rights than the one that started it.

use super::wording::containers;
use super::{Control, Example, Minor, Refusal, cel};
use crate::contract::platform::PodSecurityLevel;

/// From this version on, nothing is asked of a pod that says that it runs on Windows, which has no such switch.
const WINDOWS: u32 = 25;

/// The row of [`super::CONTROLS`].
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_allowPrivilegeEscalation.go>
pub const CONTROL: Control = Control {
    id: "allow-privilege-escalation",
    upstream: "allowPrivilegeEscalation",
    level: PodSecurityLevel::Restricted,
    replaces: None,
    versions: &[8, WINDOWS],
    title: "privilege escalation that is not forbidden",
    why: "A setuid program in the image would make a process root, whatever user the container runs as.",
    fix: "State `allowPrivilegeEscalation: false` for each container.",
    check: |subject, version| {
        if version >= Minor::new(WINDOWS) && subject.is_windows() {
            return None;
        }
        let names = subject.names(|container| *container.security("allowPrivilegeEscalation") != false);
        let detail = || format!("{} must set securityContext.allowPrivilegeEscalation=false", containers(&names));
        (!names.is_empty()).then(|| Refusal::new("allowPrivilegeEscalation != false", detail()))
    },
    cel: |version| {
        let path = "securityContext.allowPrivilegeEscalation";
        let holds = cel::every_container(&cel::present_and("c", path, &format!("!c.{path}")));
        if version >= Minor::new(WINDOWS) { cel::windows_or(&holds) } else { holds }
    },
    examples: &[
        Example::holds(
            "forbidden",
            "spec: {containers: [{name: a, securityContext: {allowPrivilegeEscalation: \
                                     false}}]}",
        ),
        Example::refused(
            "not said, and allowed",
            "spec: {containers: [{name: a}, {name: b, securityContext: {allowPrivilegeEscalation: true}}]}",
            "allowPrivilegeEscalation != false (containers \"a\", \"b\" must set \
             securityContext.allowPrivilegeEscalation=false)",
        ),
        Example::holds("Windows", "spec: {os: {name: windows}, containers: [{name: a}]}"),
        Example::refused(
            "Windows, before it was known to be",
            "spec: {os: {name: windows}, containers: [{name: a}]}",
            "allowPrivilegeEscalation != false (container \"a\" must set \
             securityContext.allowPrivilegeEscalation=false)",
        )
        .of(24),
    ],
};
