//! The schemas of the three kinds, made from the types of the contract.
//!
//! One schema serves editors (`schemas/`), the reader ([`crate::yaml::shape`]), the Tenant CRD and `mtp explain`, so that
//! they cannot disagree on what a file may hold.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::contract::{GROUP, PlatformFile, TenantFile, TierFile, VERSION};

/// JSON Schema of each kind, by the name of the kind, as `schemas/` holds it.
pub static SCHEMAS: LazyLock<BTreeMap<&'static str, Value>> = LazyLock::new(|| {
    let made = [
        ("Platform", schemars::schema_for!(PlatformFile)),
        ("Tier", schemars::schema_for!(TierFile)),
        ("Tenant", schemars::schema_for!(TenantFile)),
    ];
    made.into_iter().map(|(kind, schema)| (kind, published(kind, schema.to_value()))).collect()
});

/// The schema of what authors write that is no kind.
pub fn of<T: schemars::JsonSchema>() -> Value {
    let mut schema = schemars::schema_for!(T).to_value();
    tidy(&mut schema);
    schema
}

/// The file of a kind's schema, relative to the root: `schemas/tenant.json`.
pub fn file_name(kind: &str) -> String {
    format!("schemas/{}.json", kind.to_ascii_lowercase())
}

/// What [`file_name`] holds: the schema, indented, with a final line feed.
pub fn text(kind: &str) -> String {
    format!("{:#}\n", SCHEMAS[kind])
}

fn published(kind: &str, mut schema: Value) -> Value {
    tidy(&mut schema);
    schema["title"] = json!(kind);
    schema["$id"] = json!(format!("https://{GROUP}/{VERSION}/{}.json", kind.to_ascii_lowercase()));
    schema
}

/// Takes out what says nothing: `null` is never written (a key without a value is refused), and defaults are said in
/// words, because most of them depend on the Platform or the Tier.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.remove("default");
            // Doc comments are wrapped where the source is; a paragraph is one line to whoever reads the schema.
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = text.replace("\n\n", "\u{0}").replace('\n', " ").replace('\u{0}', "\n\n");
            }
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|t| t != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
                choices.retain(|c| c != &json!({"type": "null"}));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    map.remove("anyOf");
                    for (key, value) in only {
                        map.entry(key).or_insert(value);
                    }
                }
            }
            for (keyword, value) in map {
                match value {
                    // Names of fields and of types, not keywords: one of them is called `default`.
                    Value::Object(named) if matches!(keyword.as_str(), "properties" | "$defs") => {
                        named.values_mut().for_each(tidy);
                    }
                    value => tidy(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Follows a `$ref` into the definitions of `root`.
pub fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    match schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/")) {
        Some(name) => &root["$defs"][name],
        None => schema,
    }
}

/// The words that a schema of a word allows.
pub fn words(schema: &Value) -> Option<Vec<&str>> {
    if let Some(word) = schema.get("const").and_then(Value::as_str) {
        return Some(vec![word]);
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().map(Value::as_str).collect();
    }
    schema.get("oneOf")?.as_array()?.iter().map(|c| c.get("const")?.as_str()).collect()
}

/// The schema of a kind's `spec` as a CustomResourceDefinition wants it: structural, nothing by reference, no keyword
/// that the API server does not know.
///
/// Source: <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema>
pub fn structural(kind: &str) -> Value {
    let root = &SCHEMAS[kind];
    structure(root, &root["properties"]["spec"])
}

fn structure(root: &Value, schema: &Value) -> Value {
    let target = resolve(root, schema);
    let mut out = Map::new();
    // A field's own words say more than those of its type.
    if let Some(description) = schema.get("description").or_else(|| target.get("description")) {
        out.insert("description".to_owned(), description.clone());
    }
    if target.get("x-kubernetes-int-or-string").is_some() {
        out.insert("x-kubernetes-int-or-string".to_owned(), json!(true));
        out.insert("anyOf".to_owned(), json!([{"type": "integer"}, {"type": "string"}]));
        out.insert("pattern".to_owned(), json!(crate::contract::values::QUANTITY_PATTERN));
        return Value::Object(out);
    }
    if let Some(words) = words(target) {
        out.insert("type".to_owned(), json!("string"));
        out.insert("enum".to_owned(), json!(words));
        return Value::Object(out);
    }
    for keyword in ["type", "pattern", "format", "maxLength", "minLength", "minimum", "maximum", "required"] {
        let value = schema.get(keyword).or_else(|| target.get(keyword));
        // The API server's formats are others than JSON Schema's; a number's bounds say it all.
        if let Some(value) = value.filter(|v| keyword != "format" || *v == "email") {
            out.insert(keyword.to_owned(), value.clone());
        }
    }
    if let Some(Value::Object(properties)) = target.get("properties") {
        let inner: Map<_, _> = properties.iter().map(|(k, v)| (k.clone(), structure(root, v))).collect();
        out.insert("properties".to_owned(), Value::Object(inner));
    } else if let Some(values @ Value::Object(_)) = target.get("additionalProperties") {
        out.insert("additionalProperties".to_owned(), structure(root, values));
    }
    if let Some(items) = target.get("items") {
        out.insert("items".to_owned(), structure(root, items));
    }
    Value::Object(out)
}
