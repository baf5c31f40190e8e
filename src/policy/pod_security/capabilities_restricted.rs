//! A container has no capability at all, but for the one to listen on a low port.

use super::wording::{containers, quoted};
use super::{Control, Example, Minor, Refusal, cel, subject};
use crate::contract::platform::PodSecurityLevel;

/// The one that may be added.
const NET_BIND_SERVICE: &str = "NET_BIND_SERVICE";

/// From this version on, nothing is asked of a pod that says that it runs on Windows: it may not state capabilities.
const WINDOWS: u32 = 25;

/// The row of [`super::CONTROLS`].
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_capabilities_restricted.go>
pub const CONTROL: Control = Control {
    id: "capabilities-restricted",
    upstream: "capabilities_restricted",
    level: PodSecurityLevel::Restricted,
    replaces: Some("capabilities-baseline"),
    versions: &[22, WINDOWS],
    title: "capabilities that were not dropped",
    why: "With the default capabilities, root in a container takes any user's files and makes devices: what a \
          breakout begins with.",
    fix: "State `securityContext.capabilities: {drop: [ALL]}` for each container; `NET_BIND_SERVICE` alone may be \
          added.",
    check: |subject, version| {
        if version >= Minor::new(WINDOWS) && subject.is_windows() {
            return None;
        }
        let mut details = Vec::new();
        let keeping =
            subject.names(|container| !subject::capabilities(container, "drop").any(|dropped| dropped == "ALL"));
        if !keeping.is_empty() {
            details.push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", containers(&keeping)));
        }
        let (adding, added) = subject.found(|container| {
            subject::capabilities(container, "add").filter(|added| *added != NET_BIND_SERVICE).collect()
        });
        if !adding.is_empty() {
            let adding = containers(&adding);
            details.push(format!("{adding} must not include {} in securityContext.capabilities.add", quoted(&added)));
        }
        (!details.is_empty()).then(|| Refusal::new("unrestricted capabilities", details.join("; ")))
    },
    cel: |version| {
        let [drop, add] = ["drop", "add"].map(|list| format!("securityContext.capabilities.{list}"));
        let drops = cel::present_and("c", &drop, &format!("c.{drop}.exists(capability, capability == 'ALL')"));
        let adds = format!("c.{add}.all(capability, capability == '{NET_BIND_SERVICE}')");
        let holds = cel::every_container(&format!("{drops} && ({})", cel::absent_or("c", &add, &adds)));
        if version >= Minor::new(WINDOWS) { cel::windows_or(&holds) } else { holds }
    },
    examples: &[
        Example::holds("dropped", "spec: {containers: [{name: a, securityContext: {capabilities: {drop: [ALL]}}}]}"),
        Example::holds(
            "dropped but for one",
            "spec: {containers: [{name: a, securityContext: {capabilities: {drop: [X, ALL], add: \
             [NET_BIND_SERVICE]}}}]}",
        ),
        Example::refused(
            "not dropped, for a debugger as well",
            "spec: {containers: [{name: a}], ephemeralContainers: [{name: b, securityContext: {capabilities: {}}}]}",
            "unrestricted capabilities (containers \"a\", \"b\" must set securityContext.capabilities.drop=[\"ALL\"])",
        ),
        Example::refused(
            "dropped by other words, and one of the default added",
            "spec: {containers: [{name: a, securityContext: {capabilities: {drop: [all], add: [CHOWN]}}}]}",
            "unrestricted capabilities (container \"a\" must set securityContext.capabilities.drop=[\"ALL\"]; \
             container \"a\" \
             must not include \"CHOWN\" in securityContext.capabilities.add)",
        ),
        Example::holds("Windows", "spec: {os: {name: windows}, containers: [{name: a}]}"),
        Example::refused(
            "Windows, before it was known to be",
            "spec: {os: {name: windows}, containers: [{name: a}]}",
            "unrestricted capabilities (container \"a\" must set securityContext.capabilities.drop=[\"ALL\"])",
        )
        .of(24),
    ],
};
