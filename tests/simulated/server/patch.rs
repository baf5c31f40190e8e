//! Merge patches and JSON patches.

use serde_json::{Value, json};

use super::answer::Answer;

/// Applies a merge patch.
pub fn merge(target: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Some(map) = target.as_object_mut() else { return };
    for (name, value) in fields {
        if value.is_null() {
            map.remove(name);
        } else {
            merge(map.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Applies a JSON patch: `test`, `add`, `remove`, `replace`.
pub fn json_patch(target: &mut Value, patch: &Value) -> Result<(), Answer> {
    let Some(operations) = patch.as_array() else {
        return Err(Answer::bad_request("json: cannot unmarshal object into Go value of type jsonpatch.Patch"));
    };
    for operation in operations {
        let path = operation["path"].as_str().unwrap_or_default();
        match operation["op"].as_str() {
            Some("test") => {
                let found = target.pointer(path).unwrap_or(&Value::Null);
                if *found != operation["value"] {
                    return Err(refused());
                }
            }
            Some("add") => add(target, path, operation["value"].clone())?,
            // As the real server: a field of an object need not be there to be replaced.
            Some("replace") if target.pointer(path).is_none() => match target.pointer(split(path).0) {
                Some(Value::Object(_)) => add(target, path, operation["value"].clone())?,
                _ => return Err(refused()),
            },
            Some("replace") => {
                if let Some(found) = target.pointer_mut(path) {
                    *found = operation["value"].clone();
                }
            }
            Some("remove") => remove(target, path)?,
            _ => return Err(refused()),
        }
    }
    Ok(())
}

fn split(path: &str) -> (&str, String) {
    let (parent, last) = path.rsplit_once('/').unwrap_or(("", path));
    (parent, last.replace("~1", "/").replace("~0", "~"))
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), Answer> {
    let (parent, last) = split(path);
    match target.pointer_mut(parent) {
        Some(Value::Object(map)) => {
            map.insert(last, value);
        }
        Some(Value::Array(items)) if last == "-" => items.push(value),
        Some(Value::Array(items)) if last.parse().is_ok_and(|index: usize| index <= items.len()) => {
            items.insert(last.parse().unwrap_or_default(), value);
        }
        _ => {
            return Err(refused());
        }
    }
    Ok(())
}

fn remove(target: &mut Value, path: &str) -> Result<(), Answer> {
    let (parent, last) = split(path);
    let removed = match target.pointer_mut(parent) {
        Some(Value::Object(map)) => map.remove(&last).is_some(),
        Some(Value::Array(items)) => match last.parse::<usize>() {
            Ok(index) if index < items.len() => {
                items.remove(index);
                true
            }
            _ => false,
        },
        _ => false,
    };
    if removed {
        return Ok(());
    }
    Err(refused())
}

/// What the real server says of a patch that does not fit: one text for all.
fn refused() -> Answer {
    Answer::refusal(422, "Invalid", "the server rejected our request due to an error in our request", json!({}))
}
