//! L108: a key twice.

use std::collections::BTreeMap;

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::File;
use crate::lint::found::Found;
use crate::yaml::{Node, Value};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L108",
    severity: Severity::Error,
    title: "a key twice",
    why: "kubectl and Argo CD take the last of two equal keys in silence, and Flux fails the whole folder: a reviewer \
          may have read the other.",
    fix: "Keep one of them.",
    source: "<https://yaml.org/spec/1.2.2/#3213-node-comparison>; kustomize refuses it: `mapping key already \
          defined`",
    consumers: &[Consumer::Argo, Consumer::Flux, Consumer::Kubectl],
    example: "labels:\n  app: web\n  app: api",
    in_units: false,
    check: Check::File(check),
};

fn check(file: &File<'_>, found: &mut Found) {
    let mut open: Vec<&Node<'_>> = file.documents.iter().collect();
    while let Some(node) = open.pop() {
        match &node.value {
            Value::Scalar { .. } => {}
            Value::List(items) => open.extend(items),
            Value::Map(entries) => {
                twice(file, entries, found);
                open.extend(entries.iter().map(|(_, value)| value));
            }
        }
    }
}

fn twice(file: &File<'_>, entries: &[(Node<'_>, Node<'_>)], found: &mut Found) {
    // Most maps are small: a set of each would cost more than it saves.
    let mut large = (entries.len() > 16).then(BTreeMap::new);
    for (index, (key, _)) in entries.iter().enumerate() {
        let Some(text) = key.text() else { continue };
        let first = match &mut large {
            Some(seen) => seen.insert(text, index),
            None => entries[..index].iter().position(|(other, _)| other.text() == Some(text)),
        };
        if let Some(first) = first {
            let message = format!("the key `{text}` is there twice");
            found.add(&RULE, file.at(key.span), message).related(file.at(entries[first].0.span), "the first one");
        }
    }
}
