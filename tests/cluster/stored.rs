//! What a server stored against what was rendered: equal, but for what the server alone writes.

use serde_json::Value;

use crate::manifests::ORDER;

/// What a server adds to objects of any kind.
const EVERYWHERE: [&str; 6] = [
    "/metadata/creationTimestamp",
    "/metadata/generation",
    "/metadata/managedFields",
    "/metadata/resourceVersion",
    "/metadata/uid",
    "/status",
];

/// What it adds to objects of one kind: the kind, the place (`*` is any entry), the value.
const DEFAULTS: &[(&str, &str, &str)] = &[
    ("CustomResourceDefinition", "/spec/conversion", r#"{"strategy":"None"}"#),
    ("Namespace", "/metadata/labels/kubernetes.io~1metadata.name", ""),
    ("Namespace", "/spec", r#"{"finalizers":["kubernetes"]}"#),
];

/// All differences, with their places.
pub fn differences(rendered: &Value, stored: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let kind = rendered["kind"].as_str().unwrap_or_default();
    compare(kind, "", Some(rendered), Some(stored), &mut found);
    found
}

fn compare(kind: &str, at: &str, rendered: Option<&Value>, stored: Option<&Value>, found: &mut Vec<String>) {
    match (rendered, stored) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                compare(kind, &at, a.get(key), b.get(key), found);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(kind, &format!("{at}/{index}"), Some(a), Some(b), found);
            }
        }
        (None, Some(added)) if is_servers(kind, at, added) => {}
        (a, b) if a == b => {}
        (a, b) => {
            let shown = |v: Option<&Value>| v.map_or("nothing".to_owned(), Value::to_string);
            found.push(format!("{at}: rendered {}, stored {}", shown(a), shown(b)));
        }
    }
}

/// Whether the server alone writes what stands there.
fn is_servers(kind: &str, at: &str, added: &Value) -> bool {
    let matches = |pattern: &str| {
        pattern.split('/').count() == at.split('/').count()
            && pattern.split('/').zip(at.split('/')).all(|(p, a)| p == a || p == "*")
    };
    // What templates make is for their authors to state in full or not.
    !ORDER.contains(&kind)
        || EVERYWHERE.contains(&at)
        || DEFAULTS.iter().any(|(of, pattern, value)| {
            *of == kind
                && matches(pattern)
                && (value.is_empty() || serde_json::from_str::<Value>(value).is_ok_and(|v| v == *added))
        })
}
