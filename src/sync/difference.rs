//! In what two states of an object differ, and whose each difference is.

use serde_json::Value;

use super::fields::{owners, walk};
use crate::rendered::ObjectId;

/// A field that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which one, as Kubernetes writes paths.
    pub field: String,
    /// What is there; `None`: nothing, or nothing that may be shown.
    pub before: Option<String>,
    /// What would be there.
    pub after: Option<String>,
    /// Who set what is there.
    pub managers: Vec<String>,
}

/// What an API server itself keeps up to date.
const KEPT: [&str; 6] = ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"];

/// The longest value that is shown.
const LONGEST: usize = 120;

/// The fields in which `after`, what a trial made of it, differs from `before`, what is there.
pub fn differences(id: &ObjectId, before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut path = Vec::new();
    compare(before, after, &mut path, &mut found);
    let hidden = id.is("", "Secret");
    let each = found.into_iter().map(|(path, before_value, after_value)| {
        let pointer: String = path.iter().map(|step| format!("/{}", crate::objects::step(step))).collect();
        let shown = |value: Option<&Value>| value.filter(|_| !hidden || !pointer.starts_with("/data")).map(shown);
        Difference {
            field: named(&path),
            before: shown(before_value),
            after: shown(after_value),
            managers: managers(before, &pointer),
        }
    });
    each.collect()
}

type Found<'v> = (Vec<String>, Option<&'v Value>, Option<&'v Value>);

fn compare<'v>(before: &'v Value, after: &'v Value, path: &mut Vec<String>, found: &mut Vec<Found<'v>>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let kept = path.is_empty() && key == "status"
                    || path.as_slice() == ["metadata"] && KEPT.contains(&key.as_str());
                if kept {
                    continue;
                }
                path.push(key.clone());
                match (old.get(key), new.get(key)) {
                    (Some(old), Some(new)) => compare(old, new, path, found),
                    (old, new) => found.push((path.clone(), old, new)),
                }
                path.pop();
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                path.push(index.to_string());
                compare(old, new, path, found);
                path.pop();
            }
        }
        (old, new) if old != new => found.push((path.clone(), Some(old), Some(new))),
        _ => {}
    }
}

fn named(path: &[String]) -> String {
    let mut text = String::new();
    for step in path {
        if step.contains(['.', '/']) || step.bytes().all(|b| b.is_ascii_digit()) {
            text.push_str(&format!("[{step}]"));
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(step);
        }
    }
    text
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// Who owns the value at a pointer, something in it, or what it is in.
fn managers(object: &Value, pointer: &str) -> Vec<String> {
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mut all = Vec::new();
    for owner in owners(object) {
        let mut owns = false;
        walk(owner.fields, object, &mut |path, _, whole| {
            let owned = path.pointer();
            owns |= within(&owned, pointer) || whole && within(pointer, &owned);
        });
        if owns && !all.iter().any(|name| name == owner.manager) {
            all.push(owner.manager.to_owned());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id(kind: &'static str) -> ObjectId {
        ObjectId { group: "".into(), kind: kind.into(), namespace: Some("n".into()), name: "x".into() }
    }

    #[test]
    fn each_field_is_told_with_who_set_it() {
        let before = json!({
            "metadata": {"resourceVersion": "1", "labels": {"a.b/c": "1"}, "managedFields": [
                {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:hard": {"f:pods": {}}}}},
                {"manager": "k8s-mtp", "operation": "Apply", "fieldsV1": {"f:spec": {"f:hard": {"f:cpu": {}}}}},
            ]},
            "spec": {"hard": {"pods": "99", "cpu": "1"}, "list": [1, 2]}, "status": {"x": 1},
        });
        let after = json!({
            "metadata": {"resourceVersion": "2", "labels": {}}, "spec": {"hard": {"pods": "20", "cpu": "1"}, "list": [1]},
        });
        let difference = |field: &str, before: Option<&str>, after: Option<&str>, managers: &[&str]| Difference {
            field: field.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            managers: managers.iter().map(|m| (*m).to_owned()).collect(),
        };
        let expected = [
            difference("metadata.labels[a.b/c]", Some("\"1\""), None, &[]),
            difference("spec.hard.pods", Some("\"99\""), Some("\"20\""), &["kubectl-edit"]),
            difference("spec.list", Some("[1,2]"), Some("[1]"), &[]),
        ];
        assert_eq!(differences(&id("ResourceQuota"), &before, &after), expected);
    }

    #[test]
    fn no_value_of_a_secret_is_shown() {
        let [before, after] = ["old", "new"].map(|value| json!({"data": {"key": value}, "type": value}));
        let found = differences(&id("Secret"), &before, &after);
        assert_eq!((&found[0].field[..], &found[0].before, &found[0].after), ("data.key", &None, &None));
        assert_eq!(found[1].before.as_deref(), Some("\"old\""));
    }
}
