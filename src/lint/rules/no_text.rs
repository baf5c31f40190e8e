//! L109: text that is read as something else.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::api::of_kind;
use crate::lint::file::Object;
use crate::lint::file::entries;
use crate::lint::found::Found;
use crate::yaml::{Node, Value, plain};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L109",
    severity: Severity::Error,
    title: "text that is read as something else",
    why: "Without quotes, words such as `on`, numbers such as `1e3` and dates are no text to kubectl, Flux or Argo \
          CD: the API server refuses them where it wants text, and a key such as `no` becomes `false`.",
    fix: "Put it in quotes.",
    source: "<https://github.com/kubernetes-sigs/yaml>, which reads YAML 1.1; go.yaml.in/yaml resolve.go",
    consumers: &[Consumer::Argo, Consumer::Flux, Consumer::Kubectl],
    example: "data:\n  debug: on",
    in_units: false,
    check: Check::Object(check),
};

/// Maps of text to text, wherever they stand in Kubernetes' own kinds.
const TEXTS: [&str; 4] = ["labels", "annotations", "matchLabels", "nodeSelector"];

fn check(object: &Object<'_>, found: &mut Found) {
    for key in ["labels", "annotations"] {
        map(object, object.get(&["metadata", key]), found);
    }
    if let ("", "ConfigMap" | "Secret") = (object.group, object.kind) {
        let field = if object.kind == "Secret" { "stringData" } else { "data" };
        return map(object, object.get(&[field]), found);
    }
    if of_kind(object.group, object.kind).is_none() {
        return;
    }
    let mut open: Vec<(&str, &Node<'_>)> =
        entries(object.get(&["spec"])).iter().filter_map(|(k, v)| Some((k.text()?, v))).collect();
    while let Some((name, node)) = open.pop() {
        match &node.value {
            Value::Scalar { .. } => {}
            _ if TEXTS.contains(&name) => map(object, Some(node), found),
            Value::List(items) if matches!(name, "args" | "command") => {
                items.iter().for_each(|item| scalar(object, item, false, found));
            }
            Value::List(items) if name == "env" => {
                items.iter().filter_map(|item| item.get("value")).for_each(|value| scalar(object, value, false, found));
            }
            Value::List(items) => open.extend(items.iter().map(|item| (name, item))),
            Value::Map(entries) => open.extend(entries.iter().filter_map(|(k, v)| Some((k.text()?, v)))),
        }
    }
}

fn map(object: &Object<'_>, node: Option<&Node<'_>>, found: &mut Found) {
    for (key, value) in entries(node) {
        scalar(object, key, true, found);
        scalar(object, value, false, found);
    }
}

fn scalar(object: &Object<'_>, node: &Node<'_>, is_key: bool, found: &mut Found) {
    let Value::Scalar { text, plain: true } = &node.value else { return };
    let Some(reading) = other(text) else { return };
    let value = object.kind == "Secret" && !is_key;
    // What a Secret holds is not repeated.
    let what = if value { String::new() } else { format!(": `{text}` without quotes") };
    found.add(&RULE, object.place(node), format!("expected text, found {reading}{what}"));
    // An alias stands where the scalar does not.
    let span = node.span;
    if object.file.text.get(span.start as usize..span.end as usize) == Some(text) {
        found.edit(&RULE, object.file.path, span, format!("\"{text}\""));
    }
}

/// What Go's readers take a scalar for, where it is no text.
fn other(text: &str) -> Option<&'static str> {
    let reading = plain::reading(text)?;
    let certain = match reading {
        // Only whole words in one of three capitals; `t` and `f` are booleans to nobody here.
        "a boolean" => {
            let rest = text.get(1..).unwrap_or_default();
            !matches!(text, "t" | "T" | "f" | "F")
                && (rest.chars().all(char::is_lowercase) || text.chars().all(char::is_uppercase))
        }
        // Base 60 is known to others; a dot or a sign alone is no number.
        "a number" => !text.contains(':') && text.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_alphabetic()),
        "a date" => text.bytes().all(|b| b.is_ascii_digit() || b"-+:.TtZz ".contains(&b)),
        _ => false,
    };
    certain.then_some(reading)
}
