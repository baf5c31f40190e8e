//! Reads: GET, and LIST with selectors and pages.

use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use super::answer::Answer;
use super::request::{Asked, Target};
use super::selector::Selector;
use super::state::Key;
use super::world::World;
use super::write::Outcome;

/// How an object is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// As it is.
    Whole,
    /// As an item of a list of built-in objects: without kind and API version.
    Item,
    /// Its metadata.
    Metadata,
}

/// An object in its form.
pub struct Shown<'a>(pub &'a Value, pub Form);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Shown(object, form) = self;
        let mut map = serializer.serialize_map(None)?;
        if *form == Form::Metadata {
            map.serialize_entry("kind", "PartialObjectMetadata")?;
            map.serialize_entry("apiVersion", "meta.k8s.io/v1")?;
            map.serialize_entry("metadata", &object["metadata"])?;
            return map.end();
        }
        for (field, value) in object.as_object().into_iter().flatten() {
            if *form == Form::Whole || !matches!(field.as_str(), "kind" | "apiVersion") {
                map.serialize_entry(field, value)?;
            }
        }
        map.end()
    }
}

/// Whether metadata alone is asked for.
pub fn wants_metadata(asked: &Asked) -> bool {
    asked.accept.contains("as=PartialObjectMetadata")
}

impl World {
    /// An answer with an object that is stored.
    pub fn shown(&mut self, object: &Value) -> Answer {
        Answer { bytes: Some(self.text(object, Form::Whole).to_vec()), ..Answer::ok(Value::Null) }
    }

    /// An object that is stored, as text. Each version is written once, however often it is read.
    fn text(&mut self, object: &Value, form: Form) -> Arc<[u8]> {
        let version = object["metadata"]["resourceVersion"].as_str().and_then(|version| version.parse().ok());
        let key = (version.unwrap_or_default(), form);
        if let Some(text) = self.texts.get(&key) {
            return Arc::clone(text);
        }
        let text: Arc<[u8]> = serde_json::to_vec(&Shown(object, form)).expect("JSON").into();
        if self.texts.len() > 100_000 {
            self.texts.clear();
        }
        self.texts.insert(key, Arc::clone(&text));
        text
    }

    /// GET of one object, as of a revision.
    pub fn get(&mut self, asked: &Asked, target: &Target, revision: Option<u64>) -> Outcome {
        let key = target.key();
        let found = match revision {
            Some(revision) => self.state.get_at(&key, revision),
            None => self.state.get(&key).cloned(),
        };
        let found = found.ok_or_else(|| Answer::not_found(&target.kind, &target.name))?;
        let form = if wants_metadata(asked) { Form::Metadata } else { Form::Whole };
        if found["apiVersion"] == target.kind.api_version() {
            return Ok(Answer { bytes: Some(self.text(&found, form).to_vec()), ..Answer::ok(Value::Null) });
        }
        let mut object = (*found).clone();
        object["apiVersion"] = json!(target.kind.api_version());
        Ok(Answer::ok(object))
    }

    /// LIST, as of a revision.
    pub fn list(&mut self, asked: &Asked, target: &Target, revision: Option<u64>) -> Outcome {
        let labels = Selector::read(asked.parameter("labelSelector"))?;
        let fields = asked.parameter("fieldSelector");
        let namespace = (!target.namespace.is_empty()).then_some(target.namespace.as_str());
        let resource = target.kind.resource();
        let (revision, start) = match asked.parameter("continue") {
            "" => (revision, None),
            token => {
                let (at, start) = self.page(token, &resource)?;
                (Some(at), Some(start))
            }
        };
        let at = revision.unwrap_or(self.state.revision());
        let all: Vec<(Key, Arc<Value>)> = match revision {
            Some(revision) => self.state.list_at(&resource, namespace, revision).into_iter().collect(),
            None => self.state.list(&resource, namespace).map(|(k, object)| (k.clone(), Arc::clone(object))).collect(),
        };
        let is_wanted = |(key, object): &(Key, Arc<Value>)| {
            start.as_ref().is_none_or(|start| key > start) && labels.selects(object) && has_fields(key, fields)
        };
        let mut wanted: Vec<(Key, Arc<Value>)> = all.into_iter().filter(is_wanted).collect();
        let limit = asked.parameter("limit").parse().ok().filter(|limit| *limit > 0);
        let mut metadata = json!({"resourceVersion": at.to_string()});
        if let Some(limit) = limit.filter(|limit| wanted.len() > *limit) {
            let left = wanted.len() - limit;
            wanted.truncate(limit);
            if let Some((last, _)) = wanted.last() {
                metadata["continue"] = json!(format!("{at}:{}/{}", last.namespace, last.name));
            }
            if asked.parameter("labelSelector").is_empty() && fields.is_empty() {
                metadata["remainingItemCount"] = json!(left);
            }
        }
        let form = match (wants_metadata(asked), target.kind.custom) {
            (true, _) => Form::Metadata,
            (_, true) => Form::Whole,
            _ => Form::Item,
        };
        let (kind, api_version) = if form == Form::Metadata {
            ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned())
        } else {
            (format!("{}List", target.kind.kind), target.kind.api_version())
        };
        let mut bytes =
            format!("{{\"kind\":{kind:?},\"apiVersion\":{api_version:?},\"metadata\":{metadata},\"items\":[")
                .into_bytes();
        for (index, (_, object)) in wanted.iter().enumerate() {
            if index > 0 {
                bytes.push(b',');
            }
            bytes.extend_from_slice(&self.text(object, form));
        }
        bytes.extend_from_slice(b"]}");
        Ok(Answer { bytes: Some(bytes), ..Answer::ok(Value::Null) })
    }

    /// Where a page goes on.
    fn page(&self, token: &str, resource: &str) -> Result<(u64, Key), Answer> {
        let parts = token.split_once(':').and_then(|(at, rest)| Some((at.parse::<u64>().ok()?, rest.split_once('/')?)));
        let Some((at, (namespace, name))) = parts else {
            return Err(Answer::bad_request("continue key is not valid: it cannot be decoded"));
        };
        if at < self.state.compacted() {
            let mut expired = Answer::expired(
                "The provided continue parameter is too old to display a consistent list result. You can start a new list \
                 without the continue parameter, or use the continue token in this response to retrieve the remainder of the \
                 results. Continuing with the provided token results in an inconsistent list - objects that were created, \
                 modified, or deleted between the time the first chunk was returned and now may show up in the list.",
            );
            let now = self.state.revision();
            expired.body["metadata"]["continue"] = json!(format!("{now}:{namespace}/{name}"));
            return Err(expired);
        }
        Ok((at, Key::new(resource, namespace, name)))
    }
}

/// Whether a key has what a field selector says of names.
fn has_fields(key: &Key, selector: &str) -> bool {
    selector.split(',').filter_map(|part| part.split_once('=')).all(|(field, value)| match field {
        "metadata.name" => key.name == value,
        "metadata.namespace" => key.namespace == value,
        _ => true,
    })
}
