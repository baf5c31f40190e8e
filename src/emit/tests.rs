//! Generated values: what is written is read back as it was meant, by three readers that know nothing of the emitter.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::emit;
use crate::yaml::{self, Node, plain};

/// Text that is likely to go wrong: pieces that some reader takes for structure, between any characters.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(vec![
            "", " ", "  ", "\t", "\n", "\n\n", "\r", "- ", ": ", ":", " #", "#", "---", "...", "? ", "|", ">", "|-", "&a", "*a",
            "!t", "%Y", "@", "`", "\"", "'", "\\", "{", "}", "[", "]", ",", "~", "null", "no", "On", "yes", "y", "TRUE", "=", "0x", "0o",
            "0b", "1", "9", "_", ".", "e", "E", "+", "-", "12:30", "2001-01-01", ".inf", "nan", "\u{85}", "\u{2028}", "\u{feff}",
            "\u{202e}", "\u{1f600}", "é", "a", "Z", "${x}", "<<",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[ -~]{0,12}",
    ];
    let pieces = prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat());
    prop_oneof![
        4 => pieces,
        1 => any::<String>(),
        1 => "[-+.0-9_eExXoObBaAfF:TtZz ]{0,12}",
        1 => "[ \t\r\na#:\\-\\[\\]{}\"'|>%@`&*!?,.]{0,12}",
        1 => prop::collection::vec("[ \t]{0,2}[a#-]{0,2}[ ]{0,1}", 0..6).prop_map(|lines| lines.join("\n")),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => text().prop_map(Value::String),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => any::<i64>().prop_map(|n| json!(n)),
        1 => any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| json!(n)),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        // Our reader refuses the merge key, and no manifest of ours has one.
        let key = text().prop_filter("no merge key", |key| key != "<<");
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map(key, inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn written(value: &Value) -> String {
    let mut bytes = Vec::new();
    emit(value, &mut bytes).expect("can be written");
    String::from_utf8(bytes).expect("UTF-8")
}

/// What our own reader reads, with scalars as every reader takes them.
fn ours(node: &Node<'_>) -> Value {
    match &node.value {
        yaml::Value::Scalar { text, plain: true } => match &**text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            text if plain::is_null(text) => Value::Null,
            text if plain::is_text(text) => Value::String(text.to_owned()),
            text => text.parse::<i64>().map_or_else(|_| json!(text.parse::<f64>().expect("a number")), |n| json!(n)),
        },
        yaml::Value::Scalar { text, plain: false } => Value::String(text.to_string()),
        yaml::Value::List(items) => items.iter().map(ours).collect(),
        yaml::Value::Map(entries) => {
            entries.iter().map(|(k, v)| (k.text().expect("text").to_owned(), ours(v))).collect()
        }
    }
}

/// Equal, with numbers by value: `1` is `1.0` to some readers.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((k, v), (l, w))| k == l && equal(v, w))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(v, w)| equal(v, w)),
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_as_it_was_meant(value in value()) {
        // Objects are maps; a text alone is no manifest.
        let value = json!({ "spec": value });
        let text = written(&value);
        let read = yaml::read(&text).map_err(|e| TestCaseError::fail(format!("{e:?}\n{text}")))?;
        prop_assert!(equal(&ours(&read[0]), &value), "ours\n{}", text);
        let theirs = serde_yaml::Deserializer::from_str(&text).map(serde_yaml::Value::deserialize).next();
        let theirs: Value = theirs.expect("a document").map(|v| serde_json::to_value(v).expect("JSON"))
            .map_err(|e| TestCaseError::fail(format!("serde_yaml: {e}\n{text}")))?;
        prop_assert!(equal(&theirs, &value), "serde_yaml\n{}", text);
        let theirs: Value = serde_saphyr::from_str(&text)
            .map_err(|e| TestCaseError::fail(format!("serde-saphyr: {e}\n{text}")))?;
        prop_assert!(equal(&theirs, &value), "serde-saphyr\n{}", text);
    }
}

/// Bytes are an interface: how values look, frozen.
#[test]
fn how_values_look() {
    let value = json!({
        "block": "one\n  two\n\nthree\n",
        "deep": [[1, [2]], {"a": {"b": []}, "c": {}}, []],
        "float": [0.5, 1e-7, 1e300, 3.0],
        "no": "no",
        "open": "one\ntwo",
        "quoted": ["", " x", "a: b", "a #b", "x\u{202e}y", "12:30", "tab\tx", "two\n\n"],
        "plain": ["a b", "http://x/y#z", "500m", "10.0.0.0/8", "it's", "tenant-a"],
    });
    assert_eq!(
        written(&value),
        "\
block: |
  one
    two

  three
deep:
- - 1
  - - 2
- a:
    b: []
  c: {}
- []
float:
- 0.5
- 1.0e-7
- 1.0e+300
- 3.0
\"no\": \"no\"
open: |-
  one
  two
plain:
- a b
- http://x/y#z
- 500m
- 10.0.0.0/8
- it's
- tenant-a
quoted:
- \"\"
- \" x\"
- \"a: b\"
- \"a #b\"
- \"x\\u202ey\"
- \"12:30\"
- \"tab\\tx\"
- \"two\\n\\n\"
"
    );
}
