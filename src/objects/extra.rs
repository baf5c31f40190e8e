//! Objects of the platform team's templates, beside our own; see [`crate::templates`].

use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::{InNamespace, Object, Plain};

/// A namespace's objects from templates.
pub fn build(scope: &InNamespace<'_>) -> Vec<Object> {
    let extras = scope.namespace.extras.iter();
    extras
        .map(|extra| Object {
            id: extra.id.clone(),
            manifest: Box::new(Plain(Content(Arc::clone(&extra.content)))),
            at: extra.at.clone(),
            origins: Vec::new(),
        })
        .collect()
}

/// An object as JSON, its first keys in the order that people expect.
struct Content(Arc<Value>);

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const FIRST: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];
        let Value::Object(map) = &*self.0 else { return self.0.serialize(serializer) };
        let mut out = serializer.serialize_map(Some(map.len()))?;
        for key in FIRST {
            if let Some(value) = map.get(key) {
                out.serialize_entry(key, value)?;
            }
        }
        for (key, value) in map.iter().filter(|(key, _)| !FIRST.contains(&key.as_str())) {
            out.serialize_entry(key, value)?;
        }
        out.end()
    }
}
