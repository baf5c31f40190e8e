//! Who owns which field of a live object: `metadata.managedFields`, walked together with the object's values.
//!
//! An API server says for each manager which fields it set, keyed as the kind's schema wants it. That is all that is
//! needed to see whether what we applied still stands, of any kind and without its schema.
//!
//! Source: <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>

use std::fmt;

use serde_json::{Map, Value};

/// The field manager of everything that is applied from git.
pub const MANAGER: &str = "k8s-mtp";

/// One entry of `managedFields`.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'v> {
    /// Who: the name that a client gave itself.
    pub manager: &'v str,
    /// Whether by server-side apply; otherwise by an update of any kind.
    pub applied: bool,
    /// The subresource through which; empty for the object itself.
    pub subresource: &'v str,
    /// Which fields, as `FieldsV1`.
    pub fields: &'v Value,
    /// When he last changed what he owns: RFC 3339 in whole seconds; empty where it is not said.
    pub time: &'v str,
}

impl Owner<'_> {
    /// Whether it is what we applied.
    pub fn is_ours(&self) -> bool {
        self.manager == MANAGER && self.applied && self.subresource.is_empty()
    }

    /// Whether it is somebody else who wrote the object itself. What admission changes of what we apply has our name.
    pub fn is_somebodys(&self) -> bool {
        self.manager != MANAGER && self.subresource.is_empty()
    }
}

/// The managers of an object.
pub fn owners(object: &Value) -> impl Iterator<Item = Owner<'_>> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten();
    entries.map(|entry| {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default();
        Owner {
            manager: text("manager"),
            applied: text("operation") == "Apply",
            subresource: text("subresource"),
            fields: entry.get("fieldsV1").unwrap_or(&Value::Null),
            time: text("time"),
        }
    })
}

/// Whether somebody may have been there before we applied it: then he made it. Whoever came within the same second, or did not
/// say when, may have.
pub fn is_preceded(object: &Value) -> bool {
    let ours = owners(object).find(Owner::is_ours).map_or("", |owner| owner.time);
    owners(object).filter(Owner::is_somebodys).any(|owner| ours.is_empty() || owner.time <= ours)
}

/// A step from a value to one within it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A field of a map.
    Field(String),
    /// An item of a list: where it stands now, and how people tell it from others.
    Item(usize, String),
}

/// From an object to a value within it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// The JSON pointer (RFC 6901) to the value, as the object stands now.
    pub fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in &self.0 {
            pointer.push('/');
            match step {
                Step::Field(name) => pointer.push_str(&crate::objects::step(name)),
                Step::Item(index, _) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }
}

impl fmt::Display for Path {
    /// As Kubernetes writes paths: `spec.ports[port=80,protocol=TCP].name`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if name.contains(['.', '/']) => write!(f, "[{name}]")?,
                Step::Field(name) if index == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Item(_, which) => write!(f, "[{which}]")?,
            }
        }
        Ok(())
    }
}

/// What is told of each field that an owner owns: its path, and its value where there is one; `whole` says that
/// whatever lies within is owned too.
pub type Visit<'f, 'v> = &'f mut dyn FnMut(&Path, Option<&'v Value>, bool);

/// Visits the fields of an owner in a fixed order.
pub fn walk<'v>(fields: &Value, object: &'v Value, visit: Visit<'_, 'v>) {
    let mut path = Path::default();
    if let Some(fields) = fields.as_object() {
        descend(fields, Some(object), &mut path, visit);
    }
}

fn descend<'v>(fields: &Map<String, Value>, value: Option<&'v Value>, path: &mut Path, visit: Visit<'_, 'v>) {
    for (key, inner) in fields {
        if key == "." {
            // The map or the item itself: that it is there, whatever is in it.
            visit(path, value, false);
            continue;
        }
        let Some((step, found)) = follow(key, value) else { continue };
        path.0.push(step);
        match inner.as_object() {
            Some(inner) if !inner.is_empty() => descend(inner, found, path, visit),
            _ => visit(path, found, true),
        }
        path.0.pop();
    }
}

/// One key of `FieldsV1`: `f:` a field, `k:` the item with these keys, `v:` the item that is this value, `i:` the item
/// at this place.
fn follow<'v>(key: &str, value: Option<&'v Value>) -> Option<(Step, Option<&'v Value>)> {
    let (form, rest) = key.split_once(':')?;
    let items = || value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match form {
        "f" => Some((Step::Field(rest.to_owned()), value.and_then(|v| v.get(rest)))),
        "k" => {
            let keys: Map<String, Value> = serde_json::from_str(rest).ok()?;
            let has = |item: &Value| keys.iter().all(|(key, wanted)| item.get(key) == Some(wanted));
            let index = items().iter().position(has);
            let which: Vec<String> = keys.iter().map(|(key, wanted)| format!("{key}={}", plain(wanted))).collect();
            Some((Step::Item(index.unwrap_or(usize::MAX), which.join(",")), index.and_then(|i| items().get(i))))
        }
        "v" => {
            let wanted: Value = serde_json::from_str(rest).ok()?;
            let index = items().iter().position(|item| *item == wanted);
            Some((Step::Item(index.unwrap_or(usize::MAX), plain(&wanted)), index.and_then(|i| items().get(i))))
        }
        "i" => {
            let index: usize = rest.parse().ok()?;
            Some((Step::Item(index, index.to_string()), items().get(index)))
        }
        _ => None,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(fields: &Value, object: &Value) -> Vec<String> {
        let mut all = Vec::new();
        walk(fields, object, &mut |path, value, whole| {
            let value = value.map_or_else(|| "-".to_owned(), Value::to_string);
            all.push(format!("{path} {} {whole} {value}", path.pointer()));
        });
        all
    }

    #[test]
    fn each_form_of_key_is_followed() {
        let object = json!({
            "metadata": {"labels": {"a.b/c": "1"}, "finalizers": ["x", "y"]},
            "spec": {"ports": [{"port": 80, "protocol": "TCP", "name": "web"}], "list": [7, 8], "gone": null},
        });
        let fields = json!({
            "f:metadata": {"f:labels": {".": {}, "f:a.b/c": {}}, "f:finalizers": {"v:\"y\"": {}, "v:\"z\"": {}}},
            "f:spec": {
                "f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}}},
                "f:list": {"i:1": {}}, "f:none": {"f:deep": {}}, "x:future": {},
            },
        });
        let missing = usize::MAX;
        let expected = [
            "metadata.finalizers[y] /metadata/finalizers/1 true \"y\"".to_owned(),
            format!("metadata.finalizers[z] /metadata/finalizers/{missing} true -"),
            "metadata.labels /metadata/labels false {\"a.b/c\":\"1\"}".to_owned(),
            "metadata.labels[a.b/c] /metadata/labels/a.b~1c true \"1\"".to_owned(),
            "spec.list[1] /spec/list/1 true 8".to_owned(),
            "spec.none.deep /spec/none/deep true -".to_owned(),
            "spec.ports[port=80,protocol=TCP] /spec/ports/0 false {\"name\":\"web\",\"port\":80,\"protocol\":\"TCP\"}"
                .to_owned(),
            "spec.ports[port=80,protocol=TCP].name /spec/ports/0/name true \"web\"".to_owned(),
        ];
        assert_eq!(told(&fields, &object), expected);
    }

    #[test]
    fn what_is_no_fields_at_all_is_nothing() {
        for fields in [json!(null), json!([]), json!("f:spec"), json!({"k:{broken": {}, "v:": {}, "i:x": {}})] {
            assert_eq!(told(&fields, &json!({"spec": 1})), Vec::<String>::new(), "{fields}");
        }
    }
}
