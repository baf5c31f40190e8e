//! A pod does not turn its runtime's filter of system calls off.

use std::collections::BTreeSet;

use super::super::json::Json;
use super::wording::{counted, go_quoted, quoted, setters};
use super::{Control, Example, Minor, Refusal, Subject, cel, subject};
use crate::contract::platform::PodSecurityLevel;

/// The version that has fields for it. Older ones look at annotations, and at nothing else.
const FIELDS: u32 = 19;

/// The annotation for all containers.
const POD_KEY: &str = "seccomp.security.alpha.kubernetes.io/pod";

/// What the annotation for a container begins with; its name follows.
const CONTAINER_KEY: &str = "container.seccomp.security.alpha.kubernetes.io/";

/// Profiles that may be asked for.
pub(super) const TYPES: [&str; 2] = ["RuntimeDefault", "Localhost"];

/// The same in annotations; besides these, whatever begins with `localhost/`.
const ANNOTATED: [&str; 2] = ["runtime/default", "docker/default"];

/// The row of [`super::CONTROLS`].
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_seccompProfile_baseline.go>
pub const CONTROL: Control = Control {
    id: "seccomp-profile",
    upstream: "seccompProfile_baseline",
    level: PodSecurityLevel::Baseline,
    replaces: None,
    versions: &[0, FIELDS],
    title: "system calls that are not filtered",
    why: "The calls that a runtime's filter keeps from containers are those that most holes of the kernel were used \
          through.",
    fix: "State `seccompProfile: {type: RuntimeDefault}` for the pod, or nothing.",
    check: |subject, version| {
        if version < Minor::new(FIELDS) {
            return annotations(subject);
        }
        let of_pod = bad_type(subject.security("seccompProfile"));
        let (names, of_containers) =
            subject.found(|container| bad_type(container.security("seccompProfile")).into_iter().collect());
        let setters = setters(of_pod.is_some(), &names)?;
        let types: BTreeSet<&str> = of_containers.into_iter().chain(of_pod).collect();
        let detail = format!("{setters} must not set securityContext.seccompProfile.type to {}", quoted(&types));
        Some(Refusal::new("seccompProfile", detail))
    },
    cel: |version| {
        if version >= Minor::new(FIELDS) {
            return cel::every_context("seccompProfile", &valid_type());
        }
        let annotations = "object.metadata.annotations";
        let is_valid = |key: &str| {
            let value = format!("{annotations}[{key}]");
            format!(
                "(!({key} in {annotations}) || {value} in {} || {value}.startsWith('localhost/'))",
                cel::list(&ANNOTATED)
            )
        };
        let of_pod = is_valid(&format!("'{POD_KEY}'"));
        let of_containers = cel::every_container(&is_valid(&format!("'{CONTAINER_KEY}' + c.name")));
        cel::absent_or("object", "metadata.annotations", &format!("({of_pod} && {of_containers})"))
    },
    examples: &[
        Example::holds("not said", "spec: {containers: [{name: a}]}"),
        Example::holds(
            "the runtime's, or one of the node's",
            "spec:
  securityContext: {seccompProfile: {type: RuntimeDefault}}
  containers: [{name: a, securityContext: {seccompProfile: {type: Localhost, localhostProfile: a.json}}}]",
        ),
        Example::refused(
            "none, for the pod",
            "spec: {securityContext: {seccompProfile: {type: Unconfined}}, containers: [{name: a}]}",
            "seccompProfile (pod must not set securityContext.seccompProfile.type to \"Unconfined\")",
        ),
        Example::refused(
            "none, for a container and the debugger of another",
            "spec:
  containers: [{name: a, securityContext: {seccompProfile: {type: Unconfined}}}]
  ephemeralContainers: [{name: b, securityContext: {seccompProfile: {type: Unconfined}}}]",
            "seccompProfile (containers \"a\", \"b\" must not set securityContext.seccompProfile.type to \
             \"Unconfined\")",
        ),
        Example::refused(
            "none, by annotations",
            "metadata:
  annotations:
    seccomp.security.alpha.kubernetes.io/pod: unconfined
    container.seccomp.security.alpha.kubernetes.io/a: x\"y
    container.seccomp.security.alpha.kubernetes.io/other: unconfined
spec: {containers: [{name: a}]}",
            "seccompProfile (forbidden annotations container.seccomp.security.alpha.kubernetes.io/a=\"x\\\"y\", \
             seccomp.security.alpha.kubernetes.io/pod=\"unconfined\")",
        )
        .of(18),
        Example::holds(
            "none by a field, before it was looked at",
            "spec: {securityContext: {seccompProfile: {type: Unconfined}}, containers: [{name: a}]}",
        )
        .of(18),
        Example::holds(
            "none by an annotation, after that was no longer looked at",
            "metadata: {annotations: {seccomp.security.alpha.kubernetes.io/pod: unconfined}}\nspec: {containers: \
             [{name: a}]}",
        ),
    ],
};

/// The type of a profile that is stated and may not be.
pub(super) fn bad_type<'a>(profile: &'a Json<'a>) -> Option<&'a str> {
    Some(subject::text(&profile["type"])).filter(|of_type| !profile.is_null() && !TYPES.contains(of_type))
}

/// As CEL: the type of a profile, `$`, may be stated.
pub(super) fn valid_type() -> String {
    format!("(has($.type) && $.type in {})", cel::list(&TYPES))
}

/// What is said of annotations, of which those for containers that the pod does not have are left alone.
fn annotations(subject: &Subject<'_>) -> Option<Refusal> {
    let keys = subject.containers().map(|container| format!("{CONTAINER_KEY}{}", container.name()));
    let bad = keys.chain([POD_KEY.to_owned()]).filter_map(|key| {
        let value = subject.annotations.get(key.as_str())?;
        let is_bad = !ANNOTATED.contains(value) && !value.starts_with("localhost/");
        is_bad.then(|| format!("{key}={}", go_quoted(value)))
    });
    let bad: Vec<String> = bad.collect::<BTreeSet<String>>().into_iter().collect();
    let detail = || format!("forbidden {} {}", counted("annotation", "annotations", bad.len()), bad.join(", "));
    (!bad.is_empty()).then(|| Refusal::new("seccompProfile", detail()))
}
