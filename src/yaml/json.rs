//! Nodes as the JSON that kubectl would send.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{Node, Value, plain};
use crate::diagnostic::Findings;
use crate::place::Place;

/// The value that kubectl would send; what readers of YAML disagree on is reported, and left out.
pub fn json(file: &Arc<str>, node: &Node<'_>, findings: &mut Findings) -> Json {
    match &node.value {
        Value::Scalar { text, plain: false } => Json::String(text.to_string()),
        Value::Scalar { text, plain: true } => plain::value(text).unwrap_or_else(|reading| {
            let about = plain::disagreement(text, reading);
            findings.error("T007", Place::new(file, node.span), about).hint("put it in quotes");
            Json::Null
        }),
        Value::List(items) => items.iter().map(|item| json(file, item, findings)).collect(),
        Value::Map(entries) => {
            let fields =
                entries.iter().filter_map(|(key, value)| Some((key.text()?.to_owned(), json(file, value, findings))));
            Json::Object(fields.collect::<Map<String, Json>>())
        }
    }
}
