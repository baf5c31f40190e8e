//! Whom a new key file is encrypted for: what `.sops.yaml` says of it.

use crate::yaml::{self, Node, Value};

/// The recipients that the first rule for `path` names (`age1…`), in its order. An empty list: no rule is for it. The error
/// says why the file cannot be used.
///
/// Source: <https://getsops.io/docs/#using-sopsyaml-conf-to-select-kms-pgp-and-age-for-new-files>
pub fn of(config: &str, path: &str) -> Result<Vec<String>, String> {
    let documents = yaml::read(config).map_err(|error| format!("line {}: {}", error.span.line, error.message))?;
    let Some(Node { value: Value::List(rules), .. }) = documents.first().and_then(|d| d.get("creation_rules")) else {
        return Err("expected a list `creation_rules`".to_owned());
    };
    for rule in rules {
        let matches = match rule.get("path_regex").and_then(Node::text) {
            None | Some("") => true,
            Some(regex) => regex_lite::Regex::new(regex)
                .map_err(|error| format!("line {}: path_regex: {error}", rule.span.line))?
                .is_match(path),
        };
        if matches {
            let mut found = Vec::new();
            let groups = match rule.get("key_groups") {
                Some(Node { value: Value::List(groups), .. }) => groups.as_slice(),
                _ => &[],
            };
            // A key that SOPS would use as well, and that is not known here, would be left out of what it expects.
            let known = |node: &Node<'_>, keys: &[&str]| match &node.value {
                Value::Map(fields) => fields.iter().find_map(|(key, value)| {
                    let name = key.text().unwrap_or_default();
                    (!keys.contains(&name) && !is_empty(value)).then(|| name.to_owned())
                }),
                _ => None,
            };
            let other = known(rule, &RULE).or_else(|| groups.iter().find_map(|group| known(group, &["age"])));
            if let Some(other) = other {
                return Err(format!("line {}: expected keys of age alone, found `{other}`", rule.span.line));
            }
            // As SOPS has it: groups take the place of the rest.
            if groups.is_empty() {
                listed(rule.get("age"), &mut found);
            }
            if let Some(Node { value: Value::List(groups), .. }) = rule.get("key_groups") {
                if groups.len() > 1 {
                    return Err(format!("line {}: expected one key group, found {}", rule.span.line, groups.len()));
                }
                groups.iter().for_each(|group| listed(group.get("age"), &mut found));
            }
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// What a rule may say besides: which file it is for, and which values are encrypted.
const RULE: [&str; 10] = [
    "path_regex",
    "age",
    "key_groups",
    "encrypted_regex",
    "unencrypted_regex",
    "encrypted_suffix",
    "unencrypted_suffix",
    "encrypted_comment_regex",
    "unencrypted_comment_regex",
    "mac_only_encrypted",
];

/// Whether it names nothing.
fn is_empty(node: &Node<'_>) -> bool {
    match &node.value {
        Value::Scalar { text, .. } => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(fields) => fields.is_empty(),
    }
}

/// A list of recipients, or a text with commas between them.
fn listed(node: Option<&Node<'_>>, found: &mut Vec<String>) {
    let mut add =
        |text: &str| found.extend(text.split(',').map(str::trim).filter(|r| !r.is_empty()).map(str::to_owned));
    match node.map(|node| &node.value) {
        Some(Value::Scalar { text, .. }) => add(text),
        Some(Value::List(items)) => items.iter().filter_map(Node::text).for_each(add),
        _ => {}
    }
}
