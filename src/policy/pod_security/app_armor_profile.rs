//! A pod does not turn AppArmor off.

use std::collections::BTreeSet;

use super::super::json::Json;
use super::super::pod::Container;
use super::wording::{counted, go_quoted, quoted, setters};
use super::{Control, Example, Refusal, Subject, cel, subject};
use crate::contract::platform::PodSecurityLevel;

/// What the annotation for a container begins with; its name follows.
const KEY: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Profiles that may be asked for.
const TYPES: [&str; 2] = ["RuntimeDefault", "Localhost"];

/// The same in annotations; besides these, whatever begins with `localhost/`.
const ANNOTATED: [&str; 2] = ["", "runtime/default"];

/// The row of [`super::CONTROLS`].
///
/// The text of an annotation is quoted twice, `"KEY="VALUE""`: so it is upstream.
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_appArmorProfile.go>
pub const CONTROL: Control = Control {
    id: "app-armor-profile",
    upstream: "appArmorProfile",
    level: PodSecurityLevel::Baseline,
    replaces: None,
    versions: &[0],
    title: "AppArmor turned off",
    why: "The runtime's profile keeps root of a container from mounting, and from the node's settings below `/proc` \
          and `/sys`.",
    fix: "Take the profile out, or state `appArmorProfile: {type: RuntimeDefault}`; the same for annotations.",
    check: |subject, _| {
        let of_pod = bad_type(subject.security("appArmorProfile"));
        let (names, of_containers) = subject.found(|container| of_container(subject, container).into_iter().collect());
        let types: BTreeSet<&str> = of_containers.into_iter().chain(of_pod).collect();
        let annotated = subject.annotations.iter().filter(|(key, value)| key.starts_with(KEY) && !is_allowed(value));
        let annotated: BTreeSet<String> = annotated.map(|(key, value)| format!("{key}={}", go_quoted(value))).collect();
        let by = (!annotated.is_empty()).then(|| counted("annotation", "annotations", annotated.len()).to_owned());
        let setters: Vec<String> = setters(of_pod.is_some(), &names).into_iter().chain(by).collect();
        let values: Vec<&str> = types.into_iter().chain(annotated.iter().map(String::as_str)).collect();
        let reason = counted("forbidden AppArmor profile", "forbidden AppArmor profiles", values.len());
        let detail = || format!("{} must not set AppArmor profile type to {}", setters.join(" and "), quoted(&values));
        (!setters.is_empty()).then(|| Refusal::new(reason, detail()))
    },
    cel: |_| {
        let of_type = format!("(has($.type) && $.type in {})", cel::list(&TYPES));
        let value = "object.metadata.annotations[key]";
        let is_allowed = format!("{value} in {} || {value}.startsWith('localhost/')", cel::list(&ANNOTATED));
        let all = format!("object.metadata.annotations.all(key, !key.startsWith('{KEY}') || {is_allowed})");
        let annotations = cel::absent_or("object", "metadata.annotations", &all);
        format!("{} && ({annotations})", cel::every_context("appArmorProfile", &of_type))
    },
    examples: &[
        Example::holds("not said", "spec: {containers: [{name: a}]}"),
        Example::holds(
            "the runtime's, or one of the node's",
            "metadata: {annotations: {container.apparmor.security.beta.kubernetes.io/a: localhost/x}}
spec:
  securityContext: {appArmorProfile: {type: RuntimeDefault}}
  containers: [{name: a, securityContext: {appArmorProfile: {type: Localhost, localhostProfile: x}}}]",
        ),
        Example::refused(
            "off for the pod and a container",
            "spec:
  securityContext: {appArmorProfile: {type: Unconfined}}
  containers: [{name: a, securityContext: {appArmorProfile: {type: Unconfined}}}]",
            "forbidden AppArmor profile (pod and container \"a\" must not set AppArmor profile type to \"Unconfined\")",
        ),
        Example::refused(
            "off by an annotation, which is the field's value then",
            "metadata: {annotations: {container.apparmor.security.beta.kubernetes.io/a: unconfined}}
spec: {containers: [{name: a}, {name: b}]}",
            "forbidden AppArmor profiles (container \"a\" and annotation must not set AppArmor profile type to \
             \"Unconfined\", \"container.apparmor.security.beta.kubernetes.io/a=\"unconfined\"\")",
        ),
        Example::refused(
            "off by annotations of containers that are not there",
            "metadata:
  annotations:
    container.apparmor.security.beta.kubernetes.io/y: unconfined
    container.apparmor.security.beta.kubernetes.io/x: unconfined
    container.apparmor.security.beta.kubernetes.io/z: ''
spec: {containers: [{name: a}]}",
            "forbidden AppArmor profiles (annotations must not set AppArmor profile type to \
             \"container.apparmor.security.beta.kubernetes.io/x=\"unconfined\"\", \
             \"container.apparmor.security.beta.kubernetes.io/y=\"unconfined\"\")",
        ),
    ],
};

/// The type of a profile that is stated and may not be.
fn bad_type<'a>(profile: &'a Json<'a>) -> Option<&'a str> {
    Some(subject::text(&profile["type"])).filter(|of_type| !profile.is_null() && !TYPES.contains(of_type))
}

/// The same of a container. Where it has an annotation and no profile, the API server makes the field of it before it asks
/// Pod Security; not for Windows, and not where the pod says the same.
///
/// Source: <https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/registry/core/pod/strategy.go> (`applyAppArmorVersionSkew`)
fn of_container<'a>(subject: &Subject<'a>, container: &Container<'a>) -> Option<&'a str> {
    const OFF: &str = "Unconfined";
    let stated = container.security("appArmorProfile");
    let is_annotated = || subject.annotations.get(format!("{KEY}{}", container.name()).as_str()) == Some(&"unconfined");
    let is_said = || subject.is_windows() || subject.security("appArmorProfile")["type"] == OFF;
    if stated.is_null() && is_annotated() && !is_said() { Some(OFF) } else { bad_type(stated) }
}

fn is_allowed(annotation: &str) -> bool {
    ANNOTATED.contains(&annotation) || annotation.starts_with("localhost/")
}
