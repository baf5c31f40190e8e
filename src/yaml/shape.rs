//! Compares a document with the schema of its kind and reports every difference, not just the first.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::{Node, Value, plain};
use crate::diagnostic::Findings;
use crate::place::Place;
use crate::quantity::Quantity;
use crate::schema;

/// What each kind looks like.
pub static KINDS: LazyLock<BTreeMap<&'static str, Shape>> =
    LazyLock::new(|| schema::SCHEMAS.iter().map(|(kind, root)| (*kind, Shape::of(root, root))).collect());

/// What a value may be: a JSON Schema, boiled down to what the contract's types can say.
#[derive(Debug)]
pub enum Shape {
    /// A map with known keys.
    Struct(BTreeMap<String, Field>),
    /// A map with any keys.
    Map(Box<Shape>),
    /// A list.
    List(Box<Shape>),
    /// Text.
    Text,
    /// One of some words.
    Word(Vec<String>),
    /// `true` or `false`.
    Bool,
    /// An integer within bounds.
    Integer(u64, u64),
    /// A quantity.
    Quantity,
}

/// A known key of a map.
#[derive(Debug)]
pub struct Field {
    required: bool,
    shape: Shape,
}

impl Shape {
    /// What a schema says, `root` being the whole that it refers into.
    pub fn of(root: &serde_json::Value, schema: &serde_json::Value) -> Shape {
        let schema = schema::resolve(root, schema);
        if schema.get("x-kubernetes-int-or-string").is_some() {
            return Shape::Quantity;
        }
        if let Some(words) = schema::words(schema) {
            return Shape::Word(words.into_iter().map(str::to_owned).collect());
        }
        let bound = |name: &str, otherwise| schema.get(name).and_then(serde_json::Value::as_u64).unwrap_or(otherwise);
        match schema["type"].as_str() {
            Some("boolean") => Shape::Bool,
            Some("integer") => Shape::Integer(bound("minimum", 0), bound("maximum", u64::from(u32::MAX))),
            Some("array") => Shape::List(Box::new(Shape::of(root, &schema["items"]))),
            Some("object") => match &schema["properties"] {
                serde_json::Value::Object(properties) => {
                    let required = schema["required"].as_array();
                    let field = |(name, value): (&String, &serde_json::Value)| {
                        let required = required.is_some_and(|r| r.iter().any(|n| n == name));
                        (name.clone(), Field { required, shape: Shape::of(root, value) })
                    };
                    Shape::Struct(properties.iter().map(field).collect())
                }
                _ => Shape::Map(Box::new(Shape::of(root, &schema["additionalProperties"]))),
            },
            _ => Shape::Text,
        }
    }

    /// Reports where `node` differs from the shape. `name` is what the author calls the value.
    pub fn check(&self, name: &str, node: &Node<'_>, file: &Arc<str>, findings: &mut Findings) {
        let at = || Place::new(file, node.span);
        let wanted = match (self, &node.value) {
            (Shape::Struct(fields), Value::Map(entries)) => {
                return check_struct(fields, name, node, entries, file, findings);
            }
            (Shape::Map(values), Value::Map(entries)) => {
                for (key, value) in entries {
                    check_key(key, file, findings);
                    values.check(key.text().unwrap_or(name), value, file, findings);
                }
                return;
            }
            (Shape::List(items), Value::List(nodes)) => {
                for node in nodes {
                    if node.is_null() {
                        let about = format!("an entry of `{name}` has no value");
                        let hint = "write a value, or take the entry out";
                        findings.error("T013", Place::new(file, node.span), about).hint(hint);
                        continue;
                    }
                    items.check(name, node, file, findings);
                }
                return;
            }
            (_, Value::Scalar { .. }) if node.is_null() => {
                let about = format!("`{name}` has no value");
                let hint = match self {
                    Shape::List(_) => "write `[]` for an empty list, or take the key out",
                    Shape::Map(_) | Shape::Struct(_) => "write `{}` for an empty map, or take the key out",
                    _ => "write a value, or take the key out",
                };
                findings.error("T013", at(), about).hint(hint);
                return;
            }
            (Shape::Text, Value::Scalar { text, plain }) => match plain::reading(text).filter(|_| *plain) {
                Some(reading) => return ambiguous(&format!(", for `{name}`"), text, reading, at(), findings),
                None => return,
            },
            (Shape::Word(words), Value::Scalar { text, plain }) => {
                if words.iter().any(|w| w == text) {
                    // `off` is one of ours, and no text to readers of YAML 1.1.
                    if let Some(reading) = plain::reading(text).filter(|_| *plain) {
                        ambiguous(&format!(", for `{name}`"), text, reading, at(), findings);
                    }
                    return;
                }
                let listed = list(words.iter().map(String::as_str));
                let wrong = findings.error("T014", at(), format!("expected {listed} for `{name}`, found `{text}`"));
                if let Some(close) = closest(text, words.iter().map(String::as_str)) {
                    wrong.hint(format!("did you mean `{close}`?"));
                }
                return;
            }
            (Shape::Bool, Value::Scalar { text, plain: true }) if matches!(&**text, "true" | "false") => return,
            (Shape::Integer(min, max), Value::Scalar { text, plain: true }) if plain::is_integer(text) => {
                if text.parse().is_ok_and(|n: u64| (*min..=*max).contains(&n)) {
                    return;
                }
                findings.error("T013", at(), format!("expected {min} to {max} for `{name}`, found {text}"));
                return;
            }
            (Shape::Quantity, Value::Scalar { text, plain }) => {
                if let Some(reading) = plain::reading(text).filter(|_| *plain && !plain::is_decimal(text)) {
                    let about = format!("{}, for `{name}`", plain::disagreement(text, reading));
                    let hint = match Quantity::parse(text) {
                        Ok(quantity) => format!("write \"{quantity}\""),
                        Err(_) => "write `500m`, `2Gi` or `20`".to_owned(),
                    };
                    findings.error("T007", at(), about).hint(hint);
                }
                return;
            }
            _ => self.wanted(),
        };
        let found = match &node.value {
            Value::Scalar { text, plain: true } => format!("`{text}`"),
            Value::Scalar { text, plain: false } => format!("the text `{text}`"),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
        };
        findings.error("T013", at(), format!("expected {wanted} for `{name}`, found {found}"));
    }

    fn wanted(&self) -> &'static str {
        match self {
            Shape::Struct(_) | Shape::Map(_) => "a map",
            Shape::List(_) => "a list",
            Shape::Text => "text",
            Shape::Word(_) => "a word",
            Shape::Bool => "`true` or `false`",
            Shape::Integer(..) => "a whole number",
            Shape::Quantity => "a quantity",
        }
    }

    /// Where below this shape a key `name` would be right: `quota.cpu`.
    fn find(&self, name: &str) -> Option<String> {
        let Shape::Struct(fields) = self else { return None };
        if fields.contains_key(name) {
            return Some(name.to_owned());
        }
        fields.iter().find_map(|(key, field)| Some(format!("{key}.{}", field.shape.find(name)?)))
    }
}

fn check_struct(
    fields: &BTreeMap<String, Field>,
    name: &str,
    node: &Node<'_>,
    entries: &[(Node<'_>, Node<'_>)],
    file: &Arc<str>,
    findings: &mut Findings,
) {
    for (key, value) in entries {
        let Some(text) = key.text() else {
            findings.error("T013", Place::new(file, key.span), "expected text for a key, found a list or a map");
            continue;
        };
        if let Some(field) = fields.get(text) {
            field.shape.check(text, value, file, findings);
            continue;
        }
        let about = format!("`{name}` has no field `{text}`");
        let unknown = findings.error("T011", Place::new(file, key.span), about);
        let elsewhere = || fields.iter().find_map(|(key, f)| Some(format!("{key}.{}", f.shape.find(text)?)));
        if let Some(close) = closest(text, fields.keys().map(String::as_str)) {
            unknown.hint(format!("did you mean `{close}`?"));
        } else if let Some(path) = elsewhere() {
            unknown.hint(format!("did you mean `{path}`?"));
        } else {
            unknown.hint(format!("the fields are {}", list(fields.keys().map(String::as_str))));
        }
    }
    for (key, _) in fields.iter().filter(|(_, field)| field.required) {
        if node.get(key).is_none() {
            let about = format!("`{name}` has no `{key}`, which is required");
            findings.error("T012", Place::new(file, node.span), about);
        }
    }
}

fn check_key(key: &Node<'_>, file: &Arc<str>, findings: &mut Findings) {
    let at = Place::new(file, key.span);
    match &key.value {
        Value::Scalar { text, plain: true } => {
            if let Some(reading) = plain::reading(text) {
                ambiguous(", for a key", text, reading, at, findings);
            }
        }
        Value::Scalar { .. } => {}
        Value::List(_) | Value::Map(_) => {
            findings.error("T013", at, "expected text for a key, found a list or a map");
        }
    }
}

fn ambiguous(whose: &str, text: &str, reading: &str, at: Place, findings: &mut Findings) {
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    findings.error("T007", at, plain::disagreement(text, reading) + whose).hint(format!("write \"{quoted}\""));
}

/// The longest text, in bytes, that is taken for a slip of the keyboard.
const MOST_TYPED: usize = 100;

/// The word that was probably meant.
pub fn closest<'w>(typed: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    // The comparison takes time and memory by the product of both lengths.
    if typed.len() > MOST_TYPED {
        return None;
    }
    let lower = typed.to_lowercase();
    words
        .map(|word| (strsim::normalized_damerau_levenshtein(&lower, &word.to_lowercase()), word))
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, word)| word)
}

/// `` `a`, `b` or `c` ``.
pub fn list<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let quoted: Vec<String> = words.map(|w| format!("`{w}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
