//! `Faults`: what is wrong with fields, in the words of the API server.
//!
//! Source: `k8s.io/apimachinery/pkg/util/validation/field/errors.go`

use crate::policy::json::Json;

/// What is wrong with one field.
pub struct Fault {
    /// The field: `spec.containers[0].image`.
    pub path: String,
    /// `Required value`
    pub text: String,
}

/// What a look has found so far.
#[derive(Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    fn push(&mut self, path: impl Into<String>, text: String) {
        self.0.push(Fault { path: path.into(), text });
    }

    /// It is not there.
    pub fn required(&mut self, path: impl Into<String>, why: &str) {
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        self.push(path, format!("Required value{why}"));
    }

    /// It may not be so.
    pub fn invalid(&mut self, path: impl Into<String>, value: &Json<'_>, why: &str) {
        self.push(path, format!("Invalid value: {}: {why}", shown(value)));
    }

    /// The same, of text.
    pub fn invalid_text(&mut self, path: impl Into<String>, value: &str, why: &str) {
        self.push(path, format!("Invalid value: {value:?}: {why}"));
    }

    /// It is there again.
    pub fn duplicate(&mut self, path: impl Into<String>, value: &str) {
        self.push(path, format!("Duplicate value: {value:?}"));
    }

    /// It is none of the words that there are.
    pub fn unsupported(&mut self, path: impl Into<String>, value: &str, words: &[&str]) {
        let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
        self.push(path, format!("Unsupported value: {value:?}: supported values: {}", words.join(", ")));
    }

    /// It may not be there.
    pub fn forbidden(&mut self, path: impl Into<String>, why: &str) {
        self.push(path, format!("Forbidden: {why}"));
    }

    /// What it names is not there.
    pub fn not_found(&mut self, path: impl Into<String>, value: &str) {
        self.push(path, format!("Not found: {value:?}"));
    }

    /// A word of a field that has a default: null is not stated.
    pub fn word(&mut self, path: impl Into<String>, value: &Json<'_>, words: &[&str]) {
        if let Some(text) = value.as_str().filter(|text| !text.is_empty() && !words.contains(text)) {
            self.unsupported(path, text, words);
        }
    }

    /// A whole number within bounds, where one is stated.
    pub fn range(&mut self, path: impl Into<String>, value: &Json<'_>, least: i64, most: i64) {
        if value.as_i64().is_some_and(|number| !(least..=most).contains(&number)) {
            let why = match (least, most) {
                (0, i64::MAX) => "must be greater than or equal to 0".to_owned(),
                _ => format!("must be between {least} and {most}, inclusive"),
            };
            self.invalid(path, value, &why);
        }
    }
}

impl IntoIterator for Faults {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

fn shown(value: &Json<'_>) -> String {
    match value {
        Json::Text(text) => format!("{text:?}"),
        Json::Number(number) => number.to_string(),
        Json::Bool(value) => value.to_string(),
        Json::Null => "null".to_owned(),
        // The API server prints the whole, which is long and says nothing more.
        Json::List(_) => "[…]".to_owned(),
        Json::Map(_) => "{…}".to_owned(),
    }
}

/// What is said of a name that is no DNS label.
pub fn no_label(name: &str) -> &'static str {
    if name.contains('.') {
        return "must not contain dots";
    }
    if name.len() > 63 {
        return "must be no more than 63 bytes";
    }
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an \
     alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
}
