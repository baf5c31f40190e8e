//! Manifests as values: the documents of a file, and the objects in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::diagnostic::Findings;
use crate::objects::meta;
use crate::parse;
use crate::place::Place;
use crate::rendered::ObjectId;
use crate::tree::source;
use crate::yaml;

/// An object of one side of a change.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Which object.
    pub id: ObjectId,
    /// The object as JSON.
    pub value: Value,
    /// The entry of `tenants/` that it is made for, or where it stands itself.
    pub at: Place,
    /// Where single values come from: a JSON pointer into the object, and the author's line.
    pub origins: Vec<(String, Place)>,
}

impl Manifest {
    /// The tenant that it says it belongs to.
    pub fn tenant(&self) -> Option<&str> {
        self.label(meta::TENANT)
    }

    /// A label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.value.get("metadata")?.get("labels")?.get(key)?.as_str()
    }

    /// An annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.value.get("metadata")?.get("annotations")?.get(key)?.as_str()
    }

    /// Where the value at a pointer comes from: the origin that is closest above it, or the whole object's.
    pub fn origin(&self, pointer: &str) -> &Place {
        let above =
            |origin: &str| pointer.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let origins = self.origins.iter().filter(|(origin, _)| above(origin));
        origins.max_by_key(|(origin, _)| origin.len()).map_or(&self.at, |(_, at)| at)
    }
}

/// The labels of a manifest.
pub fn labels(manifest: &Value) -> BTreeMap<String, String> {
    let labels = manifest.pointer("/metadata/labels").and_then(Value::as_object).into_iter().flatten();
    labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// The items of a list; none where there is no such list.
pub fn items<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> + Clone {
    value.get(field).and_then(Value::as_array).into_iter().flatten()
}

/// The texts of a list.
pub fn texts(value: &Value, field: &str) -> Vec<String> {
    items(value, field).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The documents of a file of manifests that we rendered, in their order, without header and separators. No value of a
/// manifest has a line `---` of its own: text of several lines is indented.
pub fn documents(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let text = rest?;
        match find(text, b"\n---\n") {
            Some(end) => {
                rest = Some(&text[end + 5..]);
                Some(&text[..=end])
            }
            None => {
                rest = None;
                Some(text)
            }
        }
    })
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.iter().position(|b| *b == what[0]) {
        if text[from + at..].starts_with(what) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// The objects of a text of manifests, made by anything. What cannot be read is reported, and nothing is left out in silence.
pub fn read(path: &Arc<str>, bytes: &[u8], findings: &mut Findings) -> Vec<Manifest> {
    let Some(text) = parse::text(path, bytes, findings) else { return Vec::new() };
    let mut all = Vec::new();
    // YAML is no superset of JSON in everything: a key of it has at most 1,024 characters.
    if path.ends_with(".json") {
        match serde_json::from_str(text) {
            Ok(value) => objects(value, &Place::file(Arc::clone(path)), &mut all, findings),
            Err(error) => drop(findings.error("T001", Place::file(Arc::clone(path)), format!("no JSON: {error}"))),
        }
        return all;
    }
    let nodes = match yaml::read(text) {
        Ok(nodes) => nodes,
        Err(unreadable) => {
            parse::report_unreadable(path, unreadable, findings);
            return Vec::new();
        }
    };
    let from = source(bytes).map(Place::file);
    for node in &nodes {
        let at = from.clone().unwrap_or_else(|| Place::new(path, node.span));
        let value = yaml::json(path, node, findings);
        objects(value, &at, &mut all, findings);
    }
    all
}

/// An object, or those of a list of them.
fn objects(value: Value, at: &Place, all: &mut Vec<Manifest>, findings: &mut Findings) {
    if let Some(items) = value.get("items").and_then(Value::as_array)
        && value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"))
    {
        return items.iter().for_each(|item| objects(item.clone(), at, all, findings));
    }
    // What tells kustomize what to do is no object of a cluster.
    if value.get("apiVersion").and_then(Value::as_str).is_some_and(|v| v.starts_with("kustomize.config.k8s.io/")) {
        return;
    }
    match id(&value) {
        Some(id) => all.push(Manifest { id, value, at: at.clone(), origins: Vec::new() }),
        None => drop(findings.error("T012", at.clone(), "expected a Kubernetes object with apiVersion, kind and name")),
    }
}

/// Kinds that rules look at and that stand in a namespace, stated or not.
const NAMESPACED: [&str; 9] = [
    "Ingress",
    "LimitRange",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Service",
    "ServiceAccount",
];

/// The identity of an object; the version is no part of it.
pub fn id(value: &Value) -> Option<ObjectId> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let version = text(value.get("apiVersion"))?;
    let metadata = value.get("metadata")?;
    let kind = text(value.get("kind"))?;
    // Where `kubectl apply` puts what states no namespace.
    let unstated = || NAMESPACED.contains(&kind.as_str()).then(|| "default".to_owned());
    Some(ObjectId {
        group: version.rsplit_once('/').map_or(String::new(), |(group, _)| group.to_owned()).into(),
        namespace: text(metadata.get("namespace")).or_else(unstated).map(Arc::from),
        kind: kind.into(),
        name: text(metadata.get("name")).or_else(|| Some(format!("{}…", text(metadata.get("generateName"))?)))?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_split_at_their_separators_alone() {
        let text = "# head\na: |\n  ---\n  x\n---\nb: 1\n---\nc: 2\n";
        let parts: Vec<&str> = documents(text.as_bytes()).map(|d| std::str::from_utf8(d).expect("text")).collect();
        assert_eq!(parts, ["# head\na: |\n  ---\n  x\n", "b: 1\n", "c: 2\n"]);
    }
}
