//! What a pod has to be as a whole, and its metadata.

use super::faults::no_label;
use super::{Faults, PodSpec, Whole};
use crate::names::{is_dns_label, is_dns_subdomain, is_label_value, is_qualified};
use crate::policy::json::Json;
use crate::policy::judge::{Check::Object, Check::Pod, Rule};
use crate::policy::pod::List;

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "A151",
        title: "a word that a pod's field does not know",
        why: "Fields with a choice know their own words, in their own case.",
        fix: "Write one of the words that the message names.",
        check: Pod(words),
        refused: &[
            "{restartPolicy: always, containers: [{name: web, image: nginx}]}",
            "{dnsPolicy: Cluster, containers: [{name: web, image: nginx}]}",
        ],
    },
    Rule {
        id: "A152",
        title: "an ephemeral container of a new pod",
        why: "Ephemeral containers come to a pod that runs: `kubectl debug` adds them.",
        fix: "Take `ephemeralContainers` out.",
        check: Pod(ephemeral),
        refused: &["{containers: [{name: web, image: nginx}], ephemeralContainers: [{name: debug, image: busybox}]}"],
    },
    Rule {
        id: "A153",
        title: "a port of the host that is another one than the container's",
        why: "In the host's network, a container listens at the host's own ports.",
        fix: "Make `hostPort` what `containerPort` is, or leave it out.",
        check: Pod(host_network),
        refused: &[
            "{hostNetwork: true, containers: [{name: web, image: nginx, ports: [{containerPort: 80, hostPort: 8080}]}]}",
        ],
    },
    Rule {
        id: "A154",
        title: "a number that is out of range",
        why: "Times are whole seconds, and not below what makes sense.",
        fix: "State a number in the range that the message names.",
        check: Pod(numbers),
        refused: &["{activeDeadlineSeconds: 0, containers: [{name: web, image: nginx}]}"],
    },
    Rule {
        id: "A155",
        title: "a name in a pod that is none",
        why: "What a pod refers to is found by its name: names are lower case DNS names.",
        fix: "Correct the name.",
        check: Pod(names),
        refused: &[
            "{hostname: a.b, containers: [{name: web, image: nginx}]}",
            "{subdomain: A, containers: [{name: web, image: nginx}]}",
            "{nodeName: My_Node, containers: [{name: web, image: nginx}]}",
            "{nodeSelector: {disk: \"a b\"}, containers: [{name: web, image: nginx}]}",
        ],
    },
    Rule {
        id: "A156",
        title: "a toleration that contradicts itself",
        why: "`Exists` compares no value; only `NoExecute` ends after a time.",
        fix: "Take the value out, or correct `operator` and `effect`.",
        check: Pod(tolerations),
        refused: &[
            "{tolerations: [{key: a, operator: Exists, value: b}], containers: [{name: web, image: nginx}]}",
            "{tolerations: [{operator: Equal}], containers: [{name: web, image: nginx}]}",
            "{tolerations: [{key: a, operator: Exists, effect: NoSchedule, tolerationSeconds: 5}], containers: [{name: web, image: nginx}]}",
            "{tolerations: [{key: a, operator: Exists, effect: Never}], containers: [{name: web, image: nginx}]}",
        ],
    },
    Rule {
        id: "A157",
        title: "an object without a proper name",
        why: "Objects are found by their names, which stand in addresses.",
        fix: "State `metadata.name`, of lower case letters, digits, `-` and `.`.",
        check: Object(&[], name),
        refused: &[
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: My_Map}}",
            "{apiVersion: v1, kind: Service, metadata: {name: my.service}, spec: {ports: [{port: 80}]}}",
            "{apiVersion: batch/v1, kind: CronJob, metadata: {name: this-name-is-longer-than-the-52-characters-that-are-left-for-jobs}, spec: {schedule: '@daily', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}}}",
        ],
    },
    Rule {
        id: "A158",
        title: "a label or annotation that is none",
        why: "Keys are names with or without a domain; values of labels are short and simple.",
        fix: "Shorten or correct the key or the value.",
        check: Object(&[], labels),
        refused: &[
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {app: \"a b\"}}}",
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {\"a b\": c}}}",
        ],
    },
];

/// Fields of a pod that have a choice.
const WORDS: [(&str, &[&str]); 2] = [
    ("restartPolicy", &["Always", "OnFailure", "Never"]),
    ("dnsPolicy", &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]),
];

fn words(pod: &PodSpec<'_>, faults: &mut Faults) {
    for (field, words) in WORDS {
        faults.word(format!("{}.{field}", pod.path), &pod.spec[field], words);
    }
}

fn ephemeral(pod: &PodSpec<'_>, faults: &mut Faults) {
    if pod.is_pod && pod.containers(&[List::Ephemeral]).next().is_some() {
        faults.forbidden(format!("{}.ephemeralContainers", pod.path), "cannot be set on create");
    }
}

fn host_network(pod: &PodSpec<'_>, faults: &mut Faults) {
    for container in pod.containers(&[List::Main]).filter(|_| pod.spec["hostNetwork"] == true) {
        for (index, port) in container.value["ports"].items().iter().enumerate() {
            let of_host = port["hostPort"].as_i64().unwrap_or_default();
            if of_host != 0 && port["containerPort"].as_i64().is_some_and(|own| own != of_host) {
                let path = format!("{}.ports[{index}].hostPort", container.path);
                let why = "must match `containerPort` when `hostNetwork` is true";
                faults.invalid(path, &port["hostPort"], why);
            }
        }
    }
}

fn numbers(pod: &PodSpec<'_>, faults: &mut Faults) {
    let deadline = "activeDeadlineSeconds";
    faults.range(format!("{}.{deadline}", pod.path), &pod.spec[deadline], 1, i64::from(i32::MAX));
}

fn names(pod: &PodSpec<'_>, faults: &mut Faults) {
    let (spec, path) = (pod.spec, pod.path);
    let stated = |field: &str| spec[field].as_str().unwrap_or_default().to_owned();
    for field in ["hostname", "subdomain"] {
        let name = stated(field);
        if !name.is_empty() && !is_dns_label(&name) {
            faults.invalid_text(format!("{path}.{field}"), &name, no_label(&name));
        }
    }
    for field in ["serviceAccountName", "priorityClassName", "runtimeClassName", "nodeName"] {
        let name = stated(field);
        if !name.is_empty() && !is_dns_subdomain(&name) {
            faults.invalid_text(format!("{path}.{field}"), &name, NO_SUBDOMAIN);
        }
    }
    label_map(&spec["nodeSelector"], &format!("{path}.nodeSelector"), faults);
}

fn tolerations(pod: &PodSpec<'_>, faults: &mut Faults) {
    for (index, toleration) in pod.spec["tolerations"].items().iter().enumerate() {
        let path = format!("{}.tolerations[{index}]", pod.path);
        let text = |field: &str| toleration[field].as_str().unwrap_or_default();
        let operator = text("operator");
        if text("key").is_empty() && operator != "Exists" {
            let why = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            faults.invalid_text(format!("{path}.operator"), operator, why);
        }
        if operator == "Exists" && !text("value").is_empty() {
            let why = "value must be empty when `operator` is 'Exists'";
            faults.invalid_text(format!("{path}.operator"), text("value"), why);
        }
        faults.word(format!("{path}.operator"), &toleration["operator"], &["Equal", "Exists", "Gt", "Lt"]);
        if !toleration["tolerationSeconds"].is_null() && text("effect") != "NoExecute" {
            let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            faults.invalid_text(format!("{path}.effect"), text("effect"), why);
        }
        faults.word(format!("{path}.effect"), &toleration["effect"], &["NoSchedule", "PreferNoSchedule", "NoExecute"]);
    }
}

/// What is said of a name that is no DNS name.
pub const NO_SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
                                '.', and must start and end with an alphanumeric character";

/// Kinds whose names are paths of their own.
const OTHER_NAMES: [&str; 4] = ["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"];

fn name(object: &Whole<'_>, faults: &mut Faults) {
    let metadata = &object.value["metadata"];
    let name = metadata["name"].as_str().unwrap_or_default();
    let path = "metadata.name";
    if name.is_empty() {
        if metadata["generateName"].as_str().unwrap_or_default().is_empty() {
            faults.required(path, "name or generateName is required");
        }
        return;
    }
    match object.kind {
        kind if OTHER_NAMES.contains(&kind) => {}
        "Service" | "StatefulSet" if !is_dns_label(name) => faults.invalid_text(path, name, no_label(name)),
        "CronJob" if name.len() > 52 => faults.invalid_text(path, name, "must be no more than 52 characters"),
        _ if !is_dns_subdomain(name) => faults.invalid_text(path, name, NO_SUBDOMAIN),
        _ => {}
    }
}

fn labels(object: &Whole<'_>, faults: &mut Faults) {
    label_map(&object.value["metadata"]["labels"], "metadata.labels", faults);
    let Json::Map(annotations) = &object.value["metadata"]["annotations"] else { return };
    for (key, _) in annotations.iter().filter(|(key, _)| !is_qualified(&key.to_ascii_lowercase())) {
        faults.invalid_text("metadata.annotations", key, NO_KEY);
    }
}

/// What is said of a key that is none.
const NO_KEY: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                      alphanumeric character";

/// Labels, or what selects by them.
pub fn label_map(map: &Json<'_>, path: &str, faults: &mut Faults) {
    let Json::Map(fields) = map else { return };
    for (key, value) in fields {
        if !is_qualified(key) {
            faults.invalid_text(path, key, NO_KEY);
        }
        if let Some(value) = value.as_str().filter(|value| !is_label_value(value)) {
            let why = if value.len() > 63 {
                "must be no more than 63 bytes"
            } else {
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
                 start and end with an alphanumeric character"
            };
            faults.invalid_text(path, value, why);
        }
    }
}
