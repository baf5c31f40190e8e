//! Label selectors: those of queries, and those of objects.

use serde_json::Value;

use super::answer::Answer;
use super::normal::texts;

/// A selector of a query.
#[derive(Debug, Clone, Default)]
pub struct Selector(Vec<Requirement>);

#[derive(Debug, Clone)]
enum Requirement {
    Equals(String, String),
    Differs(String, String),
    Exists(String),
    Absent(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
}

impl Selector {
    /// Reads `a=b,c!=d,e,!f,g in (h,i)`.
    pub fn read(text: &str) -> Result<Selector, Answer> {
        let mut all = Vec::new();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        for part in parts(text) {
            let part = part.trim();
            let list = |rest: &str| -> Vec<String> {
                rest.trim().trim_matches(['(', ')']).split(',').map(|value| value.trim().to_owned()).collect()
            };
            let own = |text: &str| text.trim().to_owned();
            if let Some((key, rest)) = part.split_once(" notin ") {
                all.push(Requirement::NotIn(own(key), list(rest)));
            } else if let Some((key, rest)) = part.split_once(" in ") {
                all.push(Requirement::In(own(key), list(rest)));
            } else if let Some((key, value)) = part.split_once("!=") {
                all.push(Requirement::Differs(own(key), own(value)));
            } else if let Some((key, value)) = part.split_once('=') {
                all.push(Requirement::Equals(own(key), own(value.strip_prefix('=').unwrap_or(value))));
            } else if let Some(key) = part.strip_prefix('!') {
                all.push(Requirement::Absent(own(key)));
            } else {
                all.push(Requirement::Exists(own(part)));
            }
        }
        let is_text = |text: &String| text.chars().all(is_plain);
        let is_sound = |requirement: &Requirement| match requirement {
            Requirement::Equals(key, value) | Requirement::Differs(key, value) => is_text(key) && is_text(value),
            Requirement::Exists(key) | Requirement::Absent(key) => is_text(key) && !key.is_empty(),
            Requirement::In(key, values) | Requirement::NotIn(key, values) => {
                is_text(key) && values.iter().all(is_text)
            }
        };
        if !all.iter().all(is_sound) {
            return Err(Answer::bad_request(&format!("unable to parse requirement: {text}")));
        }
        Ok(Selector(all))
    }

    /// Whether an object has such labels.
    pub fn selects(&self, object: &Value) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let labels = texts(object, "labels");
        let of = |key: &String| labels.get(key.as_str()).copied();
        self.0.iter().all(|requirement| match requirement {
            Requirement::Equals(key, value) => of(key) == Some(value),
            Requirement::Differs(key, value) => of(key) != Some(value),
            Requirement::Exists(key) => of(key).is_some(),
            Requirement::Absent(key) => of(key).is_none(),
            Requirement::In(key, values) => of(key).is_some_and(|v| values.iter().any(|value| value == v)),
            Requirement::NotIn(key, values) => of(key).is_none_or(|v| values.iter().all(|value| value != v)),
        })
    }
}

/// Split at commas outside of parentheses.
fn parts(text: &str) -> Vec<&str> {
    let (mut all, mut depth, mut start) = (Vec::new(), 0, 0);
    for (index, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                all.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    all.push(&text[start..]);
    all.retain(|part| !part.trim().is_empty());
    all
}

/// Whether a `LabelSelector` selects an object by its labels.
pub fn selects(selector: &Value, object: &Value) -> bool {
    let labels = texts(object, "labels");
    let of = |key: &str| labels.get(key).copied();
    let equal = selector["matchLabels"].as_object().into_iter().flatten();
    let mut equal = equal.map(|(key, value)| of(key) == value.as_str());
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    let mut expressions = expressions.map(|expression| {
        let label = of(expression["key"].as_str().unwrap_or_default());
        let values: Vec<&str> =
            expression["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        match expression["operator"].as_str() {
            Some("In") => label.is_some_and(|label| values.contains(&label)),
            Some("NotIn") => label.is_none_or(|label| !values.contains(&label)),
            Some("Exists") => label.is_some(),
            Some("DoesNotExist") => label.is_none(),
            _ => false,
        }
    });
    equal.all(|held| held) && expressions.all(|held| held)
}
