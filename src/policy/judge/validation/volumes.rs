//! What a pod mounts: volumes that are some, mounted where they are named.

use std::collections::BTreeSet;

use super::faults::no_label;
use super::{EVERY, Faults, PodSpec};
use crate::names::is_dns_label;
use crate::policy::json::Json;
use crate::policy::judge::{Check::Pod, Rule};

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "A141",
        title: "a volume that is none",
        why: "A volume has a name of its own, and is of one type.",
        fix: "State a `name`, and one type, such as `emptyDir: {}`.",
        check: Pod(volumes),
        refused: &[
            "{volumes: [{emptyDir: {}}], containers: [{name: web, image: nginx}]}",
            "{volumes: [{name: Data, emptyDir: {}}], containers: [{name: web, image: nginx}]}",
            "{volumes: [{name: data, emptyDir: {}}, {name: data, emptyDir: {}}], containers: [{name: web, image: nginx}]}",
            "{volumes: [{name: data, emptyDir: {}, hostPath: {path: /data}}], containers: [{name: web, image: nginx}]}",
        ],
    },
    Rule {
        id: "A142",
        title: "a volume without what it is made of",
        why: "A volume names the object or the path that it comes from.",
        fix: "Name it.",
        check: Pod(sources),
        refused: &[
            "{volumes: [{name: data, hostPath: {path: \"\"}}], containers: [{name: web, image: nginx}]}",
            "{volumes: [{name: data, secret: {}}], containers: [{name: web, image: nginx}]}",
            "{volumes: [{name: data, persistentVolumeClaim: {claimName: \"\"}}], containers: [{name: web, image: nginx}]}",
        ],
    },
    Rule {
        id: "A143",
        title: "a mount of nothing, or on another one",
        why: "A container mounts volumes of its pod, each at a path of its own.",
        fix: "Name a volume of the pod, and a `mountPath` that no other mount of the container has.",
        check: Pod(mounts),
        refused: &[
            "containers: [{name: web, image: nginx, volumeMounts: [{name: data, mountPath: /data}]}]",
            "{volumes: [{name: data, emptyDir: {}}], containers: [{name: web, image: nginx, volumeMounts: [{name: data, mountPath: \"\"}]}]}",
            "{volumes: [{name: a, emptyDir: {}}, {name: b, emptyDir: {}}], containers: [{name: web, image: nginx, volumeMounts: [{name: a, mountPath: /x}, {name: b, mountPath: /x}]}]}",
            "{volumes: [{name: a, emptyDir: {}}], containers: [{name: web, image: nginx, volumeMounts: [{name: a, mountPath: /x, subPath: ../y}]}]}",
        ],
    },
];

/// Fields of a volume that are not its type.
fn types<'a>(volume: &'a Json<'a>) -> impl Iterator<Item = &'a str> {
    let fields: &[(std::borrow::Cow<'a, str>, Json<'a>)] = if let Json::Map(fields) = volume { fields } else { &[] };
    fields.iter().filter(|(key, value)| *key != "name" && !value.is_null()).map(|(key, _)| &**key)
}

fn each<'a>(pod: &PodSpec<'a>) -> impl Iterator<Item = (&'a Json<'a>, String)> {
    let path = pod.path;
    pod.spec["volumes"].items().iter().enumerate().map(move |(index, v)| (v, format!("{path}.volumes[{index}]")))
}

fn volumes(pod: &PodSpec<'_>, faults: &mut Faults) {
    let mut seen = BTreeSet::new();
    for (volume, path) in each(pod) {
        // One of no type is an `emptyDir`.
        for field in types(volume).skip(1) {
            faults.forbidden(format!("{path}.{field}"), "may not specify more than 1 volume type");
        }
        match volume["name"].as_str().unwrap_or_default() {
            "" => faults.required(format!("{path}.name"), ""),
            name if !is_dns_label(name) => faults.invalid_text(format!("{path}.name"), name, no_label(name)),
            name if !seen.insert(name) => faults.duplicate(format!("{path}.name"), name),
            _ => {}
        }
    }
}

/// What names where a volume of a type comes from.
const NAMES: [(&str, &str); 4] =
    [("hostPath", "path"), ("secret", "secretName"), ("configMap", "name"), ("persistentVolumeClaim", "claimName")];

fn sources(pod: &PodSpec<'_>, faults: &mut Faults) {
    for (volume, path) in each(pod) {
        for (of, field) in NAMES.into_iter().filter(|(of, _)| volume[*of].is_map()) {
            if volume[of][field].as_str().unwrap_or_default().is_empty() {
                faults.required(format!("{path}.{of}.{field}"), "");
            }
        }
    }
}

fn mounts(pod: &PodSpec<'_>, faults: &mut Faults) {
    let named = each(pod).filter_map(|(volume, _)| volume["name"].as_str());
    let named: BTreeSet<&str> = named.chain(pod.claims.iter().copied()).collect();
    for container in pod.containers(EVERY) {
        let mut seen = BTreeSet::new();
        for (index, mount) in container.value["volumeMounts"].items().iter().enumerate() {
            let path = format!("{}.volumeMounts[{index}]", container.path);
            let name = mount["name"].as_str().unwrap_or_default();
            if name.is_empty() {
                faults.required(format!("{path}.name"), "");
            } else if !named.contains(name) {
                faults.not_found(format!("{path}.name"), name);
            }
            let at = mount["mountPath"].as_str().unwrap_or_default();
            if at.is_empty() {
                faults.required(format!("{path}.mountPath"), "");
            } else if !seen.insert(at) {
                faults.invalid_text(format!("{path}.mountPath"), at, "must be unique");
            }
            let below = mount["subPath"].as_str().unwrap_or_default();
            let path = format!("{}.volumeMounts.subPath", container.path);
            if below.starts_with('/') {
                faults.invalid_text(path, below, "must be a relative path");
            } else if below.split('/').any(|step| step == "..") {
                faults.invalid_text(path, below, "must not contain '..'");
            }
        }
    }
}
