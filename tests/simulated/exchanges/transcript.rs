//! What came of an exchange, without what differs from run to run.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Exchange;

/// A way to a server.
pub trait Wire {
    /// Sends a request; returns the status and the body.
    fn send(&self, method: &str, path: &str, content_type: &str, body: Vec<u8>) -> (u16, Value);

    /// Lets the server's controllers work for a moment.
    fn wait(&self);
}

/// Has the exchange in a new namespace of this name.
pub fn transcript(exchange: &Exchange, wire: &dyn Wire, namespace: &str) -> Value {
    let made = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    let path = "/api/v1/namespaces?fieldManager=setup";
    let (status, answer) = wire.send("POST", path, "application/json", made.to_string().into_bytes());
    assert_eq!(status, 201, "{answer}");
    let mut marks: BTreeMap<&str, String> = BTreeMap::from([("{ns}", namespace.to_owned())]);
    let mut versions: BTreeMap<String, String> = BTreeMap::new();
    let mut uids: Vec<String> = Vec::new();
    let mut lines = Vec::new();
    for step in &exchange.steps {
        let fill = |text: &str| marks.iter().fold(text.to_owned(), |text, (mark, value)| text.replace(mark, value));
        let (path, body) = (fill(&step.path), step.body.to_string());
        let body = if step.body.is_null() { Vec::new() } else { fill(&body).into_bytes() };
        let mut sent = wire.send(step.method, &path, step.content_type, body.clone());
        for _ in 0..200 {
            if step.until.is_none_or(|until| until == sent.0) {
                break;
            }
            wire.wait();
            sent = wire.send(step.method, &path, step.content_type, body.clone());
        }
        let (status, mut answer) = sent;
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let (uid, version, next) =
            (text("/metadata/uid"), text("/metadata/resourceVersion"), text("/metadata/continue"));
        let key = path.split('?').next().unwrap_or_default().trim_end_matches("/status").to_owned();
        let changed = version.as_ref().map(|version| versions.insert(key, version.clone()).as_ref() != Some(version));
        let is_list = answer["items"].is_array();
        settle(&mut answer, exchange.controlled);
        let mut line = json!({"request": format!("{} {}", step.method, step.path), "status": status});
        if answer["kind"] == "Status" {
            refusal(&mut line, &answer);
        } else {
            if let Some(changed) = changed.filter(|_| !is_list && !exchange.controlled) {
                line["version"] = json!(if changed { "new" } else { "same" });
            }
            line["answer"] = answer;
        }
        uids.extend(uid.clone());
        for (mark, value) in [("{uid}", uid), ("{version}", version), ("{continue}", next)] {
            value.map(|value| marks.insert(mark, value));
        }
        lines.push(mask(&line, namespace, &uids));
    }
    Value::Array(lines)
}

/// Of a Status, what callers act upon.
fn refusal(line: &mut Value, answer: &Value) {
    for field in ["reason", "details"] {
        if let Some(value) = answer.get(field) {
            line[field] = value.clone();
        }
    }
    let is_conflict = |cause: &Value| cause["reason"] == "FieldManagerConflict";
    if let Some(causes) = line["details"].get_mut("causes").and_then(Value::as_array_mut) {
        let is_conflict = causes.iter().any(is_conflict);
        for cause in causes.iter_mut().filter(|_| !is_conflict) {
            cause.as_object_mut().map(|cause| cause.remove("message"));
        }
        causes.sort_by_key(Value::to_string);
        if is_conflict {
            line["message"] = answer["message"].clone();
        }
    }
}

/// Takes out what differs from run to run.
pub fn settle(answer: &mut Value, controlled: bool) {
    if let Some(items) = answer.get_mut("items").and_then(Value::as_array_mut) {
        items.iter_mut().for_each(|item| settle(item, controlled));
    }
    let Some(object) = answer.as_object_mut() else { return };
    times(object);
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in ["uid", "resourceVersion", "creationTimestamp", "continue", "selfLink"] {
            metadata.remove(field);
        }
        if metadata.contains_key("deletionTimestamp") {
            metadata.insert("deletionTimestamp".to_owned(), json!("some time"));
        }
        if controlled {
            metadata.remove("generation");
            let annotations = metadata.get_mut("annotations").and_then(Value::as_object_mut);
            annotations.map(|all| all.remove("deployment.kubernetes.io/revision"));
            if metadata.get("annotations") == Some(&json!({})) {
                metadata.remove("annotations");
            }
        }
        if metadata.contains_key("generateName") {
            metadata.insert("name".to_owned(), json!("some name"));
        }
        if let Some(entries) = metadata.get_mut("managedFields").and_then(Value::as_array_mut) {
            let controllers = ["kube-controller-manager", "validatingadmissionpolicy-status"];
            // Whether a quota's use is written by its controller or by the API server is a matter of who comes first.
            let counts = |entry: &Value| entry["fieldsV1"]["f:status"]["f:used"].is_object();
            let by_chance = |entry: &Value| counts(entry) || controllers.iter().any(|name| entry["manager"] == *name);
            entries.retain(|entry| !(controlled && by_chance(entry)));
            for entry in entries.iter_mut() {
                entry.as_object_mut().map(|entry| entry.remove("time"));
            }
            entries.sort_by_key(|entry| {
                ["manager", "operation", "subresource"]
                    .map(|field| entry[field].as_str().unwrap_or_default().to_owned())
            });
        }
    }
    if controlled {
        object.remove("status");
    }
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        for field in ["clusterIP", "clusterIPs"] {
            if spec.contains_key(field) {
                spec.insert(field.to_owned(), json!("some address"));
            }
        }
    }
}

fn times(object: &mut Map<String, Value>) {
    let conditions =
        object.get_mut("status").and_then(|status| status.get_mut("conditions")).and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        condition.as_object_mut().map(|condition| condition.remove("lastTransitionTime"));
    }
}

/// Puts the marks back in.
fn mask(line: &Value, namespace: &str, uids: &[String]) -> Value {
    let text = line.to_string().replace(namespace, "{ns}");
    let text = uids.iter().fold(text, |text, uid| text.replace(uid.as_str(), "{uid}"));
    serde_json::from_str(&text).expect("JSON")
}
