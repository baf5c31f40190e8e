//! Objects as a server of typed objects writes them: without empty fields, with those that are always there.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::schema::{Structure, Type, Written};

/// Brings a value into the form of its type.
pub fn normalise(value: &mut Value, kind: &Type) {
    match kind {
        Type::List(_, item) => value.as_array_mut().into_iter().flatten().for_each(|value| normalise(value, item)),
        Type::Map { item, .. } => {
            if let Some(map) = value.as_object_mut() {
                map.values_mut().for_each(|value| normalise(value, item));
            }
        }
        Type::Named { .. } => {
            if let (Some(structure), Some(map)) = (kind.structure(), value.as_object_mut()) {
                in_structure(map, structure);
            }
        }
        Type::Own(own) => {
            // A custom object keeps what it has; its metadata is that of all objects.
            let metadata = value.get_mut("metadata").filter(|metadata| metadata.is_object());
            if let (Some(metadata), Some(field)) = (metadata, own.fields.get("metadata")) {
                normalise(metadata, &field.kind);
            }
        }
        _ => {}
    }
}

fn in_structure(map: &mut Map<String, Value>, structure: &Structure) {
    map.retain(|name, value| match structure.fields.get(name) {
        Some(field) => {
            normalise(value, &field.kind);
            match field.written {
                Written::UnlessEmpty => !is_empty(value),
                _ => !value.is_null(),
            }
        }
        None => !value.is_null(),
    });
    for (name, field) in &structure.fields {
        match field.written {
            Written::Always if !map.contains_key(name) => {
                let mut zero = field.kind.zero();
                normalise(&mut zero, &field.kind);
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
