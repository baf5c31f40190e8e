//! What differs between two objects, by what they mean: sets have no order, items of lists have keys, and `1000m` is `1`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::lists::{List, holds_quantities, key, list};
use crate::quantity::Quantity;

/// One value that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Difference {
    /// Where: `spec.hard.limits.cpu`, `webhooks[name=pods.example.com].failurePolicy`.
    pub path: String,
    /// What was there; `None`: nothing.
    pub before: Option<String>,
    /// What is there; `None`: nothing.
    pub after: Option<String>,
}

/// The object in the form in which objects are compared: sets in order, and nothing that says nothing.
pub fn normal(kind: &str, value: Value) -> Value {
    normal_field(kind, "", value)
}

fn normal_field(kind: &str, field: &str, value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let fields = map.into_iter().filter(|(_, v)| !v.is_null());
            Value::Object(fields.map(|(name, v)| (name.clone(), normal_field(kind, &name, v))).collect())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(|item| normal_field(kind, "", item)).collect();
            match list(kind, field) {
                List::Ordered => {}
                List::Set => {
                    items.sort_by_cached_key(Value::to_string);
                    items.dedup();
                }
                List::Keyed(fields) => items.sort_by_cached_key(|item| (key(fields, item), item.to_string())),
            }
            Value::Array(items)
        }
        scalar => scalar,
    }
}

/// Spells quantities of `after` as `before` spells them, where the value is the same.
pub fn respell(before: &Value, after: &mut Value) {
    respell_field("", before, after);
}

fn respell_field(field: &str, before: &Value, after: &mut Value) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let quantities = holds_quantities(field);
            for (name, after) in after.iter_mut() {
                let Some(before) = before.get(name) else { continue };
                if quantities && before != after && quantity(before).is_some_and(|b| Some(b) == quantity(after)) {
                    *after = before.clone();
                } else {
                    respell_field(name, before, after);
                }
            }
        }
        // Lists are in order by now; the items of those without keys differ as a whole.
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            before.iter().zip(after.iter_mut()).for_each(|(before, after)| respell_field("", before, after));
        }
        _ => {}
    }
}

/// A quantity, spelt as text or as a number.
pub fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}

/// All that differs between two objects in their normal form, in the order of their paths.
pub fn differences(kind: &str, before: &Value, after: &Value) -> Vec<Difference> {
    let mut all = Vec::new();
    compare(kind, "", "", before, after, &mut all);
    all
}

fn compare(kind: &str, path: &str, field: &str, before: &Value, after: &Value, all: &mut Vec<Difference>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => maps(kind, path, before, after, all),
        (Value::Array(before), Value::Array(after)) => match list(kind, field) {
            List::Keyed(fields) => match (keyed(fields, before), keyed(fields, after)) {
                (Some(before), Some(after)) => keys(kind, path, &before, &after, all),
                _ => sets(path, before, after, all),
            },
            List::Set => sets(path, before, after, all),
            List::Ordered => ordered(kind, path, before, after, all),
        },
        _ => all.push(Difference { path: path.to_owned(), before: text(before), after: text(after) }),
    }
}

fn maps(kind: &str, path: &str, before: &Map<String, Value>, after: &Map<String, Value>, all: &mut Vec<Difference>) {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let path = join(path, name);
        match (before.get(name), after.get(name)) {
            (Some(before), Some(after)) => compare(kind, &path, name, before, after, all),
            (before, after) => leaves(&path, before, after, all),
        }
    }
}

/// A value that is on one side alone; of a map, each entry is told, so that a label reads as a label.
fn leaves(path: &str, before: Option<&Value>, after: Option<&Value>, all: &mut Vec<Difference>) {
    if let Some(Value::Object(map)) = before.or(after)
        && !map.is_empty()
    {
        for name in map.keys() {
            let inner = |value: Option<&Value>| value.and_then(|v| v.get(name)).cloned();
            leaves(&join(path, name), inner(before).as_ref(), inner(after).as_ref(), all);
        }
        return;
    }
    all.push(Difference { path: path.to_owned(), before: before.and_then(text), after: after.and_then(text) });
}

fn keyed<'v>(fields: &[&str], items: &'v [Value]) -> Option<BTreeMap<String, &'v Value>> {
    let mut all = BTreeMap::new();
    for item in items {
        // Two items with one key: no key then.
        if all.insert(key(fields, item)?, item).is_some() {
            return None;
        }
    }
    Some(all)
}

fn keys(
    kind: &str,
    path: &str,
    before: &BTreeMap<String, &Value>,
    after: &BTreeMap<String, &Value>,
    all: &mut Vec<Difference>,
) {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let path = format!("{path}[{name}]");
        match (before.get(name), after.get(name)) {
            (Some(before), Some(after)) => compare(kind, &path, "", before, after, all),
            (before, after) => {
                all.push(Difference { path, before: before.and_then(|v| text(v)), after: after.and_then(|v| text(v)) })
            }
        }
    }
}

fn sets(path: &str, before: &[Value], after: &[Value], all: &mut Vec<Difference>) {
    let gone = before.iter().filter(|item| !after.contains(item));
    let new = after.iter().filter(|item| !before.contains(item));
    let path = format!("{path}[]");
    all.extend(gone.map(|item| Difference { path: path.clone(), before: text(item), after: None }));
    all.extend(new.map(|item| Difference { path: path.clone(), before: None, after: text(item) }));
}

fn ordered(kind: &str, path: &str, before: &[Value], after: &[Value], all: &mut Vec<Difference>) {
    for index in 0..before.len().max(after.len()) {
        let path = format!("{path}[{index}]");
        match (before.get(index), after.get(index)) {
            (Some(before), Some(after)) => compare(kind, &path, "", before, after, all),
            (before, after) => {
                all.push(Difference { path, before: before.and_then(text), after: after.and_then(text) });
            }
        }
    }
}

/// A step of a path; keys with dots stay one step.
fn join(path: &str, name: &str) -> String {
    match (path.is_empty(), name.contains(['.', '/', '[', ' '])) {
        (_, true) => format!("{path}[{name}]"),
        (true, false) => name.to_owned(),
        (false, false) => format!("{path}.{name}"),
    }
}

/// A value as it is told: text without quotes, everything else as JSON.
fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}
