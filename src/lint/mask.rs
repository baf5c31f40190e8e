//! Values of Secrets do not leave their file, not as the line that a report shows either.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::file::File;
use super::layout::Role;
use crate::diagnostic::Diagnostic;
use crate::inputs::{Input, Inputs};
use crate::yaml::{Node, Value};

/// Fields whose values are hidden wherever they stand in a file that speaks of Secrets: those of a Secret, of an entry of a list of
/// Secrets, of a patch, and what a kustomization makes Secrets of.
const HIDDEN: [&str; 4] = ["data", "stringData", "literals", "kubectl.kubernetes.io/last-applied-configuration"];

/// Blots out values of Secrets in the files that a report shows lines of.
pub fn mask(inputs: &mut Inputs, diagnostics: &[Diagnostic]) {
    let related = diagnostics.iter().flat_map(|d| d.related.iter().map(|(at, _)| &at.path));
    let shown: BTreeSet<&Arc<str>> = diagnostics.iter().map(|d| &d.at.path).chain(related).collect();
    for path in shown {
        let Some(text) = inputs.text(path).filter(|text| may_hold_secrets(text)) else { continue };
        let masked = masked(path, text);
        inputs.insert(Arc::clone(path), Input::Bytes(masked.into_bytes().into()));
    }
}

/// Whether a file may speak of Secrets; the word may be written with escapes.
fn may_hold_secrets(text: &str) -> bool {
    ["Secret", "secretGenerator", "\\u", "\\U", "\\x", "stringData"].iter().any(|word| text.contains(word))
}

fn masked(path: &Arc<str>, text: &str) -> String {
    let file = File::read(path, "", text, Role::Manifest);
    let json = path.ends_with(".json");
    // What follows a mistake is not understood, and may be anything; jsonnet is not read; what an alias brings in may have been
    // written anywhere.
    let unread = file.mistake.is_some() || (json && file.json != Some(1)) || path.ends_with(".jsonnet");
    let aliased = !json && text.split_whitespace().any(|word| word.len() > 1 && word.starts_with('*'));
    if unread || aliased {
        return String::new();
    }
    let mut hidden = vec![false; text.len()];
    file.documents.iter().for_each(|document| below(document, &mut hidden));
    let blot = |(at, c): (usize, char)| {
        let covered = hidden[at] && c != '\n';
        std::iter::repeat_n(if covered { '*' } else { c }, if covered { c.len_utf8() } else { 1 })
    };
    text.char_indices().flat_map(blot).collect()
}

/// Blots out what stands in [`HIDDEN`] fields, however deep.
fn below(node: &Node<'_>, hidden: &mut [bool]) {
    match &node.value {
        Value::Scalar { .. } => {}
        Value::List(items) => items.iter().for_each(|item| below(item, hidden)),
        Value::Map(entries) => {
            for (key, value) in entries {
                if key.text().is_some_and(|key| HIDDEN.contains(&key)) {
                    hide(value, hidden)
                } else {
                    below(value, hidden)
                }
            }
        }
    }
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
