//! What has pods: that it finds them again, and that they may run as it wants them to.

use super::pods::label_map;
use super::{Faults, Whole};
use crate::policy::json::Json;
use crate::policy::judge::{Check::Object, Rule};

/// Kinds that state which pods are theirs.
const SELECTING: &[&str] = &["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController"];

/// Kinds whose pods run on.
const LASTING: &[&str] = &["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController"];

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "A161",
        title: "a workload that does not find its pods",
        why: "A workload knows its pods by their labels: what it selects has to stand in its template.",
        fix: "Repeat `selector.matchLabels` in `template.metadata.labels`.",
        check: Object(SELECTING, selector),
        refused: &[
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: b}}, spec: {containers: [{name: a, image: a}]}}}}",
            "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: a}, spec: {template: {metadata: {labels: {app: b}}, spec: {containers: [{name: a, image: a}]}}}}",
            "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {serviceName: a, selector: {}, template: {metadata: {labels: {app: b}}, spec: {containers: [{name: a, image: a}]}}}}",
        ],
    },
    Rule {
        id: "A162",
        title: "pods that end, of a workload that lasts, or the other way round",
        why: "A Deployment keeps its pods running; a Job waits for its pods to end.",
        fix: "Leave `restartPolicy` out, or state `Never` or `OnFailure` for the pods of a Job.",
        check: Object(&[], restart),
        refused: &[
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}",
            "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {template: {spec: {containers: [{name: a, image: a}]}}}}",
            "{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {schedule: '@daily', jobTemplate: {spec: {template: {spec: {restartPolicy: Always, containers: [{name: a, image: a}]}}}}}}",
        ],
    },
    Rule {
        id: "A163",
        title: "a number below zero",
        why: "There are no fewer pods than none.",
        fix: "State zero or more.",
        check: Object(&[], numbers),
        refused: &[
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: -1, selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: a}]}}}}",
            "{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {backoffLimit: -1, template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}",
        ],
    },
    Rule {
        id: "A164",
        title: "a CronJob without a schedule",
        why: "Nobody would know when to run it.",
        fix: "State a `schedule` of five fields, or `@daily` and its like; the time zone is a field of its own.",
        check: Object(&["CronJob"], schedule),
        refused: &[
            "{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}}}",
            "{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {schedule: '* * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}}}",
            "{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {schedule: '@daily', concurrencyPolicy: Never, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}}}",
        ],
    },
    Rule {
        id: "A165",
        title: "a strategy that is none",
        why: "A workload replaces its pods in one of the ways that its kind has.",
        fix: "Write one of the words that the message names.",
        check: Object(&["Deployment", "StatefulSet", "DaemonSet"], strategy),
        refused: &[
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {strategy: {type: Rolling}, selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: a}]}}}}",
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}, selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: a}]}}}}",
        ],
    },
];

fn selector(object: &Whole<'_>, faults: &mut Faults) {
    let spec = &object.value["spec"];
    let labels = &spec["template"]["metadata"]["labels"];
    label_map(labels, "spec.template.metadata.labels", faults);
    if object.kind == "ReplicationController" {
        // Its selector is plain, and by default its template's labels.
        let Json::Map(wanted) = &spec["selector"] else { return };
        if wanted.iter().any(|(key, value)| labels[&**key] != *value) {
            faults.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`");
        }
        return;
    }
    let selector = &spec["selector"];
    if selector.is_null() && object.kind != "DaemonSet" {
        faults.required("spec.selector", "");
        return;
    }
    let expressions = selector["matchExpressions"].items();
    let wanted: &[_] = if let Json::Map(fields) = &selector["matchLabels"] { fields } else { &[] };
    if wanted.is_empty() && expressions.is_empty() && !selector.is_null() {
        let why = format!("empty selector is invalid for {}", object.kind.to_ascii_lowercase());
        faults.invalid("spec.selector", selector, &why);
        return;
    }
    let holds = |expression: &Json<'_>| {
        let own = &labels[expression["key"].as_str().unwrap_or_default()];
        let listed = expression["values"].items().iter().any(|value| value == own);
        match expression["operator"].as_str().unwrap_or_default() {
            "In" => listed,
            "NotIn" => !listed,
            "Exists" => !own.is_null(),
            "DoesNotExist" => own.is_null(),
            _ => true,
        }
    };
    // A DaemonSet that selects nothing does not select its own.
    let selects = !selector.is_null() && wanted.iter().all(|(key, value)| labels[&**key] == *value);
    if !selects || !expressions.iter().all(holds) {
        faults.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`");
    }
}

/// The spec of a Job, and where it stands.
fn job<'a>(object: &Whole<'a>) -> Option<(&'a Json<'a>, &'static str)> {
    match object.kind {
        "Job" => Some((&object.value["spec"], "spec")),
        "CronJob" => Some((&object.value["spec"]["jobTemplate"]["spec"], "spec.jobTemplate.spec")),
        _ => None,
    }
}

fn restart(object: &Whole<'_>, faults: &mut Faults) {
    if LASTING.contains(&object.kind) {
        let template = &object.value["spec"]["template"]["spec"];
        let path = "spec.template.spec";
        if let Some(policy @ ("Never" | "OnFailure")) = template["restartPolicy"].as_str() {
            faults.unsupported(format!("{path}.restartPolicy"), policy, &["Always"]);
        }
        if !template["activeDeadlineSeconds"].is_null() {
            let of = if object.kind == "Deployment" { "ReplicaSet" } else { object.kind };
            faults.forbidden(
                format!("{path}.activeDeadlineSeconds"),
                &format!("activeDeadlineSeconds in {of} is not Supported"),
            );
        }
    }
    if let Some((spec, path)) = job(object)
        && matches!(spec["template"]["spec"]["restartPolicy"].as_str(), None | Some("" | "Always"))
        && spec["template"]["spec"].is_map()
    {
        let why = "valid values: \"OnFailure\", \"Never\"";
        faults.required(format!("{path}.template.spec.restartPolicy"), why);
    }
}

fn numbers(object: &Whole<'_>, faults: &mut Faults) {
    let fields: &[&str] = match object.kind {
        kind if LASTING.contains(&kind) => {
            &["replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"]
        }
        "CronJob" => &["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"],
        _ => &[],
    };
    for field in fields {
        faults.range(format!("spec.{field}"), &object.value["spec"][*field], 0, i64::MAX);
    }
    let Some((spec, path)) = job(object) else { return };
    for field in ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"] {
        faults.range(format!("{path}.{field}"), &spec[field], 0, i64::MAX);
    }
}

/// Words that stand for a schedule.
const SCHEDULES: [&str; 7] = ["@annually", "@daily", "@hourly", "@midnight", "@monthly", "@weekly", "@yearly"];

fn schedule(object: &Whole<'_>, faults: &mut Faults) {
    let spec = &object.value["spec"];
    match spec["schedule"].as_str().unwrap_or_default() {
        "" => faults.required("spec.schedule", ""),
        text if text.contains("TZ") => {
            faults.invalid_text(
                "spec.schedule",
                text,
                "cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
            );
        }
        text if SCHEDULES.contains(&text) || text.starts_with("@every ") => {}
        text if text.starts_with('@') => {
            faults.invalid_text("spec.schedule", text, &format!("unrecognized descriptor: {text}"));
        }
        text => {
            let fields = text.split_whitespace().count();
            if fields != 5 {
                let why = format!("expected exactly 5 fields, found {fields}: [{text}]");
                faults.invalid_text("spec.schedule", text, &why);
            }
        }
    }
    faults.word("spec.concurrencyPolicy", &spec["concurrencyPolicy"], &["Allow", "Forbid", "Replace"]);
}

fn strategy(object: &Whole<'_>, faults: &mut Faults) {
    let spec = &object.value["spec"];
    let (field, words): (&str, &[&str]) = match object.kind {
        "Deployment" => ("strategy", &["Recreate", "RollingUpdate"]),
        _ => ("updateStrategy", &["OnDelete", "RollingUpdate"]),
    };
    let word = &spec[field]["type"];
    // A newer one of StatefulSets is not known to every version.
    if object.kind == "StatefulSet" && *word == "Recreate" {
        return;
    }
    faults.word(format!("spec.{field}.type"), word, words);
    if object.kind == "Deployment" && *word == "Recreate" && !spec[field]["rollingUpdate"].is_null() {
        let why = "may not be specified when strategy `type` is 'Recreate'";
        faults.forbidden("spec.strategy.rollingUpdate", why);
    }
}
