//! The table, and each control by its examples.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::POLICIES;
use super::super::json::Json;
use super::{CONTROLS, Control, Minor, Refusal, Subject, in_force, message, review};
use crate::contract::platform::PodSecurityLevel::{Baseline, Privileged, Restricted};

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What a control says of a pod.
fn said(control: &Control, pod: &str, version: Minor) -> Option<String> {
    let pod = yaml(pod);
    let pod = Json::from(&pod);
    (control.check)(&Subject::new(&pod), version).map(|Refusal { reason, detail }| format!("{reason} ({detail})"))
}

#[test]
fn examples_are_what_they_say() {
    for control in CONTROLS {
        for example in control.examples {
            let found = said(control, example.pod, example.version);
            assert_eq!(found.as_deref(), example.refused, "{}: {}", control.id, example.about);
            // Whoever is refused in one version is refused by its review.
            let pod = yaml(example.pod);
            let all = review(&Json::from(&pod), control.level, example.version);
            let told = all.iter().any(|violation| violation.control.id == control.id);
            assert_eq!(told, example.refused.is_some(), "{}: {}", control.id, example.about);
        }
        for refused in [true, false] {
            assert!(control.examples.iter().any(|e| e.refused.is_some() == refused), "{}", control.id);
        }
    }
}

#[test]
fn are_in_the_api_servers_order_and_have_ids_of_their_own() {
    let order: Vec<_> = CONTROLS.iter().map(|control| (control.level, control.upstream)).collect();
    assert!(order.is_sorted(), "{order:?}");
    let ids: BTreeSet<&str> = CONTROLS.iter().map(|c| c.id).chain(POLICIES.iter().map(|p| p.id)).collect();
    assert_eq!(ids.len(), CONTROLS.len() + POLICIES.len());
    for control in CONTROLS {
        assert!(control.id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", control.id);
        for sentence in [control.why, control.fix] {
            assert!(sentence.ends_with('.') && !sentence.contains("  "), "{}: {sentence}", control.id);
        }
        if let Some(replaced) = control.replaces {
            let replaced = CONTROLS.iter().find(|other| other.id == replaced).expect("it is there");
            assert_eq!((control.level, replaced.level), (Restricted, Baseline), "{}", control.id);
        }
    }
}

/// What is said to change in a version changes there, and nowhere else: of the CEL text it can be seen.
#[test]
fn change_in_the_versions_that_they_name() {
    for control in CONTROLS {
        assert!(control.versions.is_sorted() && !control.versions.is_empty(), "{}", control.id);
        for minor in control.versions[0] + 1..=50 {
            let [before, after] = [minor - 1, minor].map(|minor| (control.cel)(Minor::new(minor)));
            assert_eq!(before != after, control.versions.contains(&minor), "{}: 1.{minor}", control.id);
        }
        assert_eq!((control.cel)(Minor::new(50)), (control.cel)(Minor::LATEST), "{}", control.id);
    }
}

/// How many controls the library asks of each level, from which version on.
#[test]
fn are_as_many_as_the_api_server_asks() {
    let count = |level, version| in_force(level, version).count();
    for (from, baseline, restricted) in
        [(0, 11, 12), (8, 11, 13), (19, 11, 13), (22, 11, 13), (23, 11, 14), (25, 11, 14), (34, 12, 15), (35, 12, 15)]
    {
        let version = Minor::new(from);
        assert_eq!((count(Baseline, version), count(Restricted, version)), (baseline, restricted), "{version}");
    }
    assert_eq!((count(Baseline, Minor::LATEST), count(Restricted, Minor::LATEST)), (12, 15));
    assert_eq!(count(Privileged, Minor::LATEST), 0);
}

#[test]
fn are_told_as_the_api_server_tells_them() {
    let pod = yaml(
        "spec: {hostNetwork: true, volumes: [{name: v, hostPath: {path: /}}], containers: [{name: a, \
         securityContext: {privileged: true}}]}",
    );
    let said = |level, version| message(&review(&Json::from(&pod), level, version));
    assert_eq!(
        said(Baseline, Minor::LATEST),
        "host namespaces (hostNetwork=true), hostPath volumes (volume \"v\"), privileged (container \"a\" must not set \
         securityContext.privileged=true)"
    );
    assert_eq!(
        said(Restricted, Minor::new(7)),
        "host namespaces (hostNetwork=true), privileged (container \"a\" must not set \
         securityContext.privileged=true), \
         restricted volume types (volume \"v\" uses restricted volume type \"hostPath\"), runAsNonRoot != true (pod or \
         container \"a\" must set securityContext.runAsNonRoot=true)"
    );
    assert_eq!(said(Privileged, Minor::LATEST), "");
}

#[test]
fn what_is_no_pod_makes_nobody_panic() {
    let lists = "spec: {containers: {}, initContainers: [1, null, {}, {name: 1, ports: 1, securityContext: []}], \
                 volumes: [1, {}]}";
    let fields =
        "{metadata: {annotations: []}, spec: {os: 1, hostUsers: x, hostNetwork: 1, securityContext: {sysctls: [1]}}}";
    for text in ["null", "[]", "1", "{}", "spec: []", "metadata: 1", lists, fields] {
        let pod = yaml(text);
        for minor in 0..=40 {
            for level in [Privileged, Baseline, Restricted] {
                message(&review(&Json::from(&pod), level, Minor::new(minor)));
            }
        }
    }
}
