//! Manifests that others wrote: what kubectl, kustomize, Flux and Argo CD agree on is read, though the contract refuses it.
//!
//! Tags, merge keys, directives and text over several lines are read as go-yaml reads them. What is read before a mistake is
//! kept: a linter speaks about the rest of the file too.

use std::collections::BTreeSet;

use granit_parser::Parser;

use super::{Bounds, MAX_NODES, MAX_TEXT, Node, Reader, Unreadable, Value, span, syntax};
use crate::place::Span;

/// What a file of others holds.
#[derive(Debug, Default)]
pub struct Foreign<'a> {
    /// The documents, up to the first mistake; empty ones are left out.
    pub documents: Vec<Node<'a>>,
    /// The mistake that ended the reading.
    pub mistake: Option<Unreadable>,
}

/// Reads a text that others wrote. Aliases may add as much to it as a file of ours may hold in all.
pub fn read_foreign(text: &str) -> Foreign<'_> {
    let bounds = Bounds { nodes: MAX_NODES + text.len(), text: MAX_TEXT + text.len(), foreign: true };
    let mut reader = Reader::new(bounds);
    let mut all = Foreign::default();
    for event in Parser::new_from_str(text) {
        let taken = event.map_err(|e| syntax(&e)).and_then(|(event, at)| {
            let lines = at.end.line() - at.start.line() + 1;
            reader.take(event, span(&at), lines)
        });
        match taken {
            Ok(Some(document)) => all.documents.push(document),
            Ok(None) => {}
            Err(mistake) => {
                all.mistake = Some(mistake);
                break;
            }
        }
    }
    all
}

/// Reads JSON that is no YAML, such as one with a key of more than 1,024 characters; nothing in it knows its line.
pub fn read_json(text: &str) -> Foreign<'static> {
    let value = serde_json::from_str(text).ok();
    Foreign { documents: value.into_iter().map(node).collect(), mistake: None }
}

fn node(value: serde_json::Value) -> Node<'static> {
    use serde_json::Value as Json;
    let scalar = |text: String, plain| Value::Scalar { text: text.into(), plain };
    let value = match value {
        Json::String(text) => scalar(text, false),
        Json::Array(items) => Value::List(items.into_iter().map(node).collect()),
        Json::Object(fields) => {
            Value::Map(fields.into_iter().map(|(key, value)| (node(Json::String(key)), node(value))).collect())
        }
        other => scalar(other.to_string(), true),
    };
    Node { span: Span::default(), value }
}

/// Whether a tag makes text of whatever follows it.
pub fn is_tagged_text(tag: Option<&granit_parser::Tag>) -> bool {
    tag.is_some_and(|tag| matches!(tag.to_string().as_str(), "!!str" | "tag:yaml.org,2002:str" | "!!binary" | "!"))
}

type Entries<'a> = Vec<(Node<'a>, Node<'a>)>;

impl<'a> Reader<'a> {
    /// A map with what its `<<` bring in; its own keys win, and then the earlier map (<https://yaml.org/type/merge.html>).
    pub(super) fn merged(&self, mut entries: Entries<'a>) -> Entries<'a> {
        let merges = |key: &Node<'_>| matches!(&key.value, Value::Scalar { text, plain: true } if text == "<<");
        if !self.bounds.foreign || !entries.iter().any(|(key, _)| merges(key)) {
            return entries;
        }
        let mut brought: Vec<Node<'a>> = Vec::new();
        entries.retain(|(key, value)| {
            if !merges(key) {
                return true;
            }
            match &value.value {
                Value::List(maps) => brought.extend(maps.iter().cloned()),
                _ => brought.push(value.clone()),
            }
            false
        });
        let mut known: BTreeSet<String> = entries.iter().filter_map(|(k, _)| k.text().map(str::to_owned)).collect();
        for map in brought {
            let Value::Map(more) = map.value else { continue };
            entries.extend(more.into_iter().filter(|(key, _)| known.insert(key.text().unwrap_or_default().to_owned())));
        }
        entries
    }
}
