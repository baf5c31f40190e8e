//! What a container has to be: its name, its image, what it listens at, what it is told, how it is probed.

use std::collections::BTreeSet;

use super::faults::no_label;
use super::{EVERY, Faults, PodSpec};
use crate::names::is_dns_label;
use crate::policy::json::Json;
use crate::policy::judge::{Check::Pod, Rule};
use crate::policy::pod::List;

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "A111",
        title: "a pod without containers",
        why: "A pod is what its containers are.",
        fix: "State at least one container.",
        check: Pod(none),
        refused: &["{containers: []}", "{initContainers: [{name: a, image: a}]}"],
    },
    Rule {
        id: "A112",
        title: "a container without a proper name",
        why: "Containers are named in logs, statuses and DNS.",
        fix: "State a `name` of at most 63 lower case letters, digits and `-`, with a letter or digit at both ends.",
        check: Pod(name),
        refused: &[
            "containers: [{image: nginx}]",
            "containers: [{name: Web, image: nginx}]",
            "containers: [{name: a.b, image: nginx}]",
            "{containers: [{name: a, image: a}], initContainers: [{name: a_b, image: a}]}",
        ],
    },
    Rule {
        id: "A113",
        title: "two containers of one name",
        why: "Names are unique in a pod, init containers included.",
        fix: "Rename one of them.",
        check: Pod(names),
        refused: &[
            "containers: [{name: web, image: nginx}, {name: web, image: nginx}]",
            "{containers: [{name: web, image: nginx}], initContainers: [{name: web, image: nginx}]}",
        ],
    },
    Rule {
        id: "A114",
        title: "a container without an image",
        why: "Nothing would run.",
        fix: "State an `image`, without blanks around it.",
        check: Pod(image),
        refused: &["containers: [{name: web}]", "containers: [{name: web, image: \"nginx \"}]"],
    },
    Rule {
        id: "A115",
        title: "a word that a container's field does not know",
        why: "Fields with a choice know their own words, in their own case.",
        fix: "Write one of the words that the message names.",
        check: Pod(words),
        refused: &[
            "containers: [{name: web, image: nginx, imagePullPolicy: always}]",
            "containers: [{name: web, image: nginx, terminationMessagePolicy: Log}]",
        ],
    },
    Rule {
        id: "A116",
        title: "a port that is none",
        why: "Ports are numbers from 1 to 65535; their names are short, and unique in a container.",
        fix: "State `containerPort`, and a name of at most 15 lower case letters, digits and `-`, one of them a letter.",
        check: Pod(ports),
        refused: &[
            "containers: [{name: web, image: nginx, ports: [{name: http}]}]",
            "containers: [{name: web, image: nginx, ports: [{containerPort: 70000}]}]",
            "containers: [{name: web, image: nginx, ports: [{containerPort: 80, protocol: tcp}]}]",
            "containers: [{name: web, image: nginx, ports: [{name: Http, containerPort: 80}]}]",
            "containers: [{name: web, image: nginx, ports: [{name: a-name-that-is-too-long, containerPort: 80}]}]",
        ],
    },
    Rule {
        id: "A117",
        title: "an environment variable that is none",
        why: "A variable has a name, and a value or a place that it comes from.",
        fix: "State `name`, and one of `value` and `valueFrom`, which names one source.",
        check: Pod(environment),
        refused: &[
            "containers: [{name: web, image: nginx, env: [{value: a}]}]",
            "containers: [{name: web, image: nginx, env: [{name: \"A=B\"}]}]",
            "containers: [{name: web, image: nginx, env: [{name: A, valueFrom: {}}]}]",
            "containers: [{name: web, image: nginx, env: [{name: A, value: a, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}]",
        ],
    },
    Rule {
        id: "A118",
        title: "a probe that asks nothing, or too much",
        why: "A probe asks in one way; init containers that end are not probed.",
        fix: "State one of `exec`, `httpGet`, `tcpSocket` and `grpc`; `successThreshold` of liveness and startup probes is 1.",
        check: Pod(probes),
        refused: &[
            "containers: [{name: web, image: nginx, livenessProbe: {periodSeconds: 5}}]",
            "containers: [{name: web, image: nginx, livenessProbe: {tcpSocket: {port: 80}, exec: {command: [a]}}}]",
            "containers: [{name: web, image: nginx, livenessProbe: {tcpSocket: {port: 80}, successThreshold: 2}}]",
            "{containers: [{name: web, image: nginx}], initContainers: [{name: a, image: a, readinessProbe: {tcpSocket: {port: 80}}}]}",
        ],
    },
];

fn none(pod: &PodSpec<'_>, faults: &mut Faults) {
    if pod.spec["containers"].items().is_empty() {
        faults.required(format!("{}.containers", pod.path), "");
    }
}

fn name(pod: &PodSpec<'_>, faults: &mut Faults) {
    for container in pod.containers(EVERY) {
        let path = format!("{}.name", container.path);
        match container.value["name"].as_str().unwrap_or_default() {
            "" => faults.required(path, ""),
            name if !is_dns_label(name) => faults.invalid_text(path, name, no_label(name)),
            _ => {}
        }
    }
}

fn names(pod: &PodSpec<'_>, faults: &mut Faults) {
    let mut seen = BTreeSet::new();
    for container in pod.containers(EVERY) {
        let Some(name) = container.value["name"].as_str().filter(|name| !name.is_empty()) else { continue };
        if !seen.insert(name) {
            faults.duplicate(format!("{}.name", container.path), name);
        }
    }
}

fn image(pod: &PodSpec<'_>, faults: &mut Faults) {
    for container in pod.containers(EVERY) {
        let path = format!("{}.image", container.path);
        match container.value["image"].as_str().unwrap_or_default() {
            "" => faults.required(path, ""),
            // A template may have blanks, a pod may not.
            image if pod.is_pod && image.trim() != image => {
                faults.invalid_text(path, image, "must not have leading or trailing whitespace");
            }
            _ => {}
        }
    }
}

/// Fields of a container that have a choice.
const WORDS: [(&str, &[&str]); 2] = [
    ("imagePullPolicy", &["Always", "IfNotPresent", "Never"]),
    ("terminationMessagePolicy", &["File", "FallbackToLogsOnError"]),
];

fn words(pod: &PodSpec<'_>, faults: &mut Faults) {
    for container in pod.containers(EVERY) {
        for (field, words) in WORDS {
            faults.word(format!("{}.{field}", container.path), &container.value[field], words);
        }
    }
}

/// Whether a text may name a port (RFC 6335).
pub fn is_port_name(name: &str) -> bool {
    (1..=15).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && name.bytes().any(|b| b.is_ascii_lowercase())
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

fn ports(pod: &PodSpec<'_>, faults: &mut Faults) {
    for container in pod.containers(EVERY) {
        let mut seen = BTreeSet::new();
        for (index, port) in container.value["ports"].items().iter().enumerate() {
            let path = format!("{}.ports[{index}]", container.path);
            if let Some(name) = port["name"].as_str().filter(|name| !name.is_empty()) {
                if !is_port_name(name) {
                    let why = if name.len() > 15 {
                        "must be no more than 15 characters"
                    } else {
                        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
                    };
                    faults.invalid_text(format!("{path}.name"), name, why);
                } else if !seen.insert(name) {
                    faults.duplicate(format!("{path}.name"), name);
                }
            }
            match port["containerPort"].as_i64().unwrap_or_default() {
                0 => faults.required(format!("{path}.containerPort"), ""),
                _ => faults.range(format!("{path}.containerPort"), &port["containerPort"], 1, 65535),
            }
            if port["hostPort"].as_i64() != Some(0) {
                faults.range(format!("{path}.hostPort"), &port["hostPort"], 1, 65535);
            }
            faults.word(format!("{path}.protocol"), &port["protocol"], &["SCTP", "TCP", "UDP"]);
        }
    }
}

/// Where the value of a variable may come from.
const SOURCES: [&str; 5] = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];

fn environment(pod: &PodSpec<'_>, faults: &mut Faults) {
    for container in pod.containers(EVERY) {
        for (index, variable) in container.value["env"].items().iter().enumerate() {
            let path = format!("{}.env[{index}]", container.path);
            match variable["name"].as_str().unwrap_or_default() {
                "" => faults.required(format!("{path}.name"), ""),
                name if !name.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'=') => {
                    let why = "a valid environment variable name must consist only of printable ASCII characters other \
                               than '='";
                    faults.invalid_text(format!("{path}.name"), name, why);
                }
                _ => {}
            }
            let from = &variable["valueFrom"];
            if !from.is_map() {
                continue;
            }
            let path = format!("{path}.valueFrom");
            let sources = SOURCES.iter().filter(|source| !from[**source].is_null()).count();
            if sources == 0 {
                faults.invalid_text(path.as_str(), "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`");
            } else if variable["value"].as_str().is_some_and(|value| !value.is_empty()) {
                faults.invalid_text(path.as_str(), "", "may not be specified when `value` is not empty");
            } else if sources > 1 {
                faults.invalid_text(path, "", "may not have more than one field specified at a time");
            }
        }
    }
}

const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

fn probes(pod: &PodSpec<'_>, faults: &mut Faults) {
    for container in pod.containers(EVERY) {
        let ends = container.list == List::Init && container.value["restartPolicy"] != "Always";
        for field in PROBES.into_iter().chain(["lifecycle"]) {
            let probe = &container.value[field];
            let path = format!("{}.{field}", container.path);
            match container.list {
                _ if probe.is_null() => {}
                List::Ephemeral => faults.forbidden(path, "cannot be set for an Ephemeral Container"),
                _ if ends => {
                    faults.forbidden(path, "may not be set for init containers without restartPolicy=Always");
                }
                _ if field != "lifecycle" => one_probe(field, probe, &path, faults),
                _ => {}
            }
        }
    }
}

fn one_probe(field: &str, probe: &Json<'_>, path: &str, faults: &mut Faults) {
    let handlers: Vec<&str> =
        ["exec", "httpGet", "tcpSocket", "grpc"].into_iter().filter(|handler| !probe[*handler].is_null()).collect();
    match handlers.as_slice() {
        [] => faults.required(path, "must specify a handler type"),
        [_] => {}
        [_, more @ ..] => {
            more.iter().for_each(|handler| {
                faults.forbidden(format!("{path}.{handler}"), "may not specify more than 1 handler type")
            });
        }
    }
    for number in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold"] {
        faults.range(format!("{path}.{number}"), &probe[number], 0, i64::MAX);
    }
    let threshold = &probe["successThreshold"];
    if field != "readinessProbe" && threshold.as_i64().is_some_and(|number| !matches!(number, 0 | 1)) {
        faults.invalid(format!("{path}.successThreshold"), threshold, "must be 1");
    }
}
