//! Objects as a server of typed objects writes them: without empty fields, with those that are always there.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::schema::{Structure, Type, Written};

/// Whether there is an empty list or map in it, which is none once it is stored.
pub fn has_empty(value: &Value, kind: &Type) -> bool {
    match (kind, value) {
        (Type::List(_, item), Value::Array(all)) => all.is_empty() || all.iter().any(|value| has_empty(value, item)),
        (Type::Map { item, .. }, Value::Object(all)) => {
            all.is_empty() || all.values().any(|value| has_empty(value, item))
        }
        (Type::Named { .. }, Value::Object(all)) => kind.structure().is_some_and(|structure| {
            let field = |name: &String| structure.fields.get(name);
            all.iter().any(|(name, value)| field(name).is_some_and(|field| has_empty(value, &field.kind)))
        }),
        _ => false,
    }
}

/// Brings a value into the form of its type.
pub fn normalise(value: &mut Value, kind: &Type) {
    form(value, kind, false);
}

/// The same, as it comes back from the storage, which does not tell an empty list from none.
pub fn as_stored(value: &mut Value, kind: &Type) {
    form(value, kind, true);
}

fn form(value: &mut Value, kind: &Type, stored: bool) {
    match kind {
        Type::List(_, item) => value.as_array_mut().into_iter().flatten().for_each(|value| form(value, item, stored)),
        Type::Map { item, .. } => {
            if let Some(map) = value.as_object_mut() {
                map.values_mut().for_each(|value| form(value, item, stored));
            }
        }
        Type::Named { .. } => {
            if let (Some(structure), Some(map)) = (kind.structure(), value.as_object_mut()) {
                in_structure(map, structure, stored);
            }
        }
        Type::Own(own) => {
            // A custom object keeps what it has; its metadata is that of all objects.
            let metadata = value.get_mut("metadata").filter(|metadata| metadata.is_object());
            if let (Some(metadata), Some(field)) = (metadata, own.fields.get("metadata")) {
                form(metadata, &field.kind, stored);
            }
        }
        _ => {}
    }
}

fn in_structure(map: &mut Map<String, Value>, structure: &Structure, stored: bool) {
    map.retain(|name, value| match structure.fields.get(name) {
        Some(field) => {
            form(value, &field.kind, stored);
            match field.written {
                Written::UnlessEmpty => !is_empty(value),
                Written::AlwaysOrNull if stored => !is_empty(value),
                _ => !value.is_null(),
            }
        }
        None => !value.is_null(),
    });
    for (name, field) in &structure.fields {
        match field.written {
            Written::Always if !map.contains_key(name) => {
                let mut zero = field.kind.zero();
                form(&mut zero, &field.kind, stored);
                map.insert(name.clone(), zero);
            }
            Written::AlwaysOrNull if !map.contains_key(name) => {
                map.insert(name.clone(), Value::Null);
            }
            _ => {}
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// The first field at the top that the type does not have.
pub fn unknown_field(value: &Value, kind: &Type) -> Option<String> {
    let structure = kind.structure().filter(|structure| structure.rest.is_none())?;
    let names = value.as_object()?.keys();
    let own = ["apiVersion", "kind", "metadata"];
    names.into_iter().find(|name| !own.contains(&name.as_str()) && !structure.fields.contains_key(*name)).cloned()
}

/// Labels, or annotations, of an object.
pub fn texts<'a>(object: &'a Value, field: &str) -> BTreeMap<&'a str, &'a str> {
    let map = object["metadata"][field].as_object();
    map.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect()
}
