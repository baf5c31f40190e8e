//! Values of Secrets do not leave their file, not as the line that a report shows either.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::file::{File, Object, below, entries};
use super::layout::Role;
use crate::diagnostic::Diagnostic;
use crate::inputs::{Input, Inputs};
use crate::yaml::{Node, Value};

/// Where kubectl keeps what it applied, values of Secrets included.
const LAST_APPLIED: [&str; 3] = ["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"];

/// Blots out values of Secrets in the files that a report shows lines of.
pub fn mask(inputs: &mut Inputs, diagnostics: &[Diagnostic]) {
    let related = diagnostics.iter().flat_map(|d| d.related.iter().map(|(at, _)| &at.path));
    let shown: BTreeSet<&Arc<str>> = diagnostics.iter().map(|d| &d.at.path).chain(related).collect();
    for path in shown {
        // JSON may write the word with escapes.
        let mentioned = |text: &&str| text.contains("Secret") || text.contains("\\u");
        let Some(text) = inputs.text(path).filter(mentioned) else { continue };
        let masked = masked(path, text);
        inputs.insert(Arc::clone(path), Input::Bytes(masked.into_bytes().into()));
    }
}

fn masked(path: &Arc<str>, text: &str) -> String {
    let file = File::read(path, "", text, Role::Manifest);
    let json = path.ends_with(".json");
    // What follows a mistake is not understood, and may be anything.
    if file.mistake.is_some() || (json && file.json != Some(1)) {
        return String::new();
    }
    let mut hidden = vec![false; text.len()];
    for object in file.objects().into_iter().filter(|object| object.kind == "Secret") {
        secret(&object, &mut hidden);
    }
    let blot = |(at, c): (usize, char)| {
        let covered = hidden[at] && c != '\n';
        std::iter::repeat_n(if covered { '*' } else { c }, if covered { c.len_utf8() } else { 1 })
    };
    text.char_indices().flat_map(blot).collect()
}

/// Blots out one Secret. Keys are looked at one by one: of one that is there twice, only the first is found by its name.
fn secret(object: &Object<'_>, hidden: &mut [bool]) {
    for (key, value) in entries(Some(object.node)) {
        if matches!(key.text(), Some("data" | "stringData")) {
            hide(value, hidden);
        }
    }
    let annotations = below(object.node, &LAST_APPLIED[..2]);
    let last = entries(annotations).iter().filter(|(key, _)| key.text() == Some(LAST_APPLIED[2]));
    last.for_each(|(_, value)| hide(value, hidden));
}

/// Blots out all scalars in a node; what an alias brings in stands where it was written.
fn hide(node: &Node<'_>, hidden: &mut [bool]) {
    match &node.value {
        Value::Scalar { .. } => {
            let (start, end) = (node.span.start as usize, node.span.end as usize);
            if let Some(part) = hidden.get_mut(start..end) {
                part.fill(true);
            }
        }
        Value::List(items) => items.iter().for_each(|item| hide(item, hidden)),
        Value::Map(entries) => entries.iter().for_each(|(_, value)| hide(value, hidden)),
    }
}
