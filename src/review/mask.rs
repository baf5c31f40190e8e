//! What a review never repeats, and what it says in one line: Secrets, keys, certificates.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::certs::due;
use crate::certs::secret::holds_private_key;
use crate::certs::x509::Certificate;
use crate::names::without_passwords;

/// Stands for a value that is not repeated; of constant length, because a length tells something too.
const MASK: &str = "***";

/// The same where both sides have a value, and not the same one.
const DIFFER: [&str; 2] = ["*** (before)", "*** (after)"];

/// Fields of a Secret whose values are not repeated: its own, and those of SOPS.
const SECRET_FIELDS: [&str; 3] = ["data", "stringData", "sops"];

/// The copy of the whole that `kubectl apply` keeps.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// How a value is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// As it is, unless it is a key.
    Open,
    /// Not at all, unless it is a certificate.
    Hidden,
}

/// Masks both sides of an object, each where it is there. What differs still differs.
pub fn mask(kind: &str, before: Option<&mut Value>, after: Option<&mut Value>) {
    walk(kind == "Secret", 0, Told::Open, before, after);
}

fn walk(is_secret: bool, depth: usize, told: Told, before: Option<&mut Value>, after: Option<&mut Value>) {
    match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            for (name, before) in before.iter_mut() {
                let told = field(is_secret, depth, name, told);
                walk(is_secret, depth + 1, told, Some(before), after.get_mut(name));
            }
            for (name, after) in after.iter_mut().filter(|(name, _)| !before.contains_key(*name)) {
                walk(is_secret, depth + 1, field(is_secret, depth, name, told), None, Some(after));
            }
        }
        (Some(before), Some(after)) => {
            let marks = if before == after { [MASK; 2] } else { DIFFER };
            single(is_secret, depth, told, before, marks[0]);
            single(is_secret, depth, told, after, marks[1]);
        }
        (Some(one), None) | (None, Some(one)) => single(is_secret, depth, told, one, MASK),
        (None, None) => {}
    }
}

fn field(is_secret: bool, depth: usize, name: &str, told: Told) -> Told {
    let hidden = (is_secret && depth == 0 && SECRET_FIELDS.contains(&name)) || name == LAST_APPLIED;
    if hidden { Told::Hidden } else { told }
}

fn single(is_secret: bool, depth: usize, told: Told, value: &mut Value, mask: &str) {
    match value {
        Value::String(text) => {
            if told == Told::Hidden {
                *text = certificates(text).unwrap_or_else(|| mask.to_owned());
            } else if holds_private_key(text.as_bytes()) {
                mask.clone_into(text);
            } else if let Some(lines) = certificates(text) {
                *text = lines;
            } else if let Cow::Owned(plain) = without_passwords(text) {
                *text = plain;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| single(is_secret, depth + 1, told, item, mask)),
        Value::Object(map) => {
            for (name, value) in map {
                single(is_secret, depth + 1, field(is_secret, depth, name, told), value, mask);
            }
        }
        Value::Number(_) | Value::Bool(_) if told == Told::Hidden => *value = Value::String(mask.to_owned()),
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// PEM certificates, or base64 of them, in one line; `None` for everything else, so also for what holds more than that.
pub fn certificates(text: &str) -> Option<String> {
    // "-----BEGIN" in base64: most values begin otherwise.
    let decoded = text.starts_with("LS0tLS1CRUdJTi").then(|| BASE64_STANDARD.decode(text).ok()).flatten();
    let pem = match &decoded {
        Some(bytes) => bytes.as_slice(),
        None if text.contains("-----BEGIN CERTIFICATE-----") => text.as_bytes(),
        None => return None,
    };
    let chain = Certificate::chain(pem).ok()?;
    let lines: Vec<String> = chain.iter().map(line).collect();
    Some(lines.join("; "))
}

/// A certificate in one line: whom it is for, when it holds, and which one it is.
fn line(certificate: &Certificate) -> String {
    let whose = match (certificate.is_authority, certificate.names.first()) {
        (true, _) => "of an authority".to_owned(),
        (false, Some(name)) => format!("for {name}"),
        (false, None) => "for nobody".to_owned(),
    };
    let (from, to) = (due::written(certificate.not_before), due::written(certificate.not_after));
    let print = certificate.sha256.get(..16).unwrap_or_default();
    format!("certificate {whose}, holds from {from} to {to}, sha256 {print}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_masked_and_still_differs() {
        let mut before = json!({"kind": "Secret", "data": {"a": "c2VjcmV0", "b": "eA==", "n": 5}});
        let mut after = json!({"kind": "Secret", "data": {"a": "b3RoZXI=", "b": "eA==", "c": "bmV3"}});
        mask("Secret", Some(&mut before), Some(&mut after));
        assert_eq!(before, json!({"kind": "Secret", "data": {"a": "*** (before)", "b": "***", "n": "***"}}));
        assert_eq!(after, json!({"kind": "Secret", "data": {"a": "*** (after)", "b": "***", "c": "***"}}));
    }

    #[test]
    fn a_key_is_masked_wherever_it_stands() {
        let key = format!("-----BEGIN {}-----\nMIIE\n", "PRIVATE KEY");
        let mut before = json!({"data": {"env": [{"value": key}]}});
        let mut after = json!({"data": {"env": [{"value": format!("{key}x")}]}});
        mask("ConfigMap", Some(&mut before), Some(&mut after));
        assert_eq!(before, json!({"data": {"env": [{"value": "*** (before)"}]}}));
        assert_ne!(before, after);
    }
}
