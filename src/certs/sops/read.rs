//! Reading a file that SOPS wrote, or we did.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use super::cipher::DataKey;
use super::{ENCRYPTED, REGEX};
use crate::certs::x509::hex;
use crate::place::Span;
use crate::yaml::{self, Node, Value, plain};

/// An encrypted file. What is public in it can be read; the rest takes the key.
#[derive(Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Recipients (`age1…`), each with the key wrapped for it.
    pub recipients: Vec<(String, String)>,
    leaves: Vec<Leaf>,
    modified: String,
    mac: String,
    only_encrypted: bool,
}

/// A value of the document, with its place as SOPS counts it: `data:tls.key:`.
#[derive(Debug, PartialEq, Eq)]
struct Leaf {
    place: String,
    /// As it stands in the file.
    text: String,
    /// As SOPS hashes it where it is not encrypted; `None`: no part of the MAC.
    hashed: Option<String>,
    span: Span,
}

/// Reads a file without its key. The error says what is wrong, and where.
pub fn read(text: &str) -> Result<Sealed, (Span, String)> {
    // What stands there is never repeated: it may be a key that somebody put there.
    let form = |span| (span, "expected YAML that all readers take for the same".to_owned());
    let documents = yaml::read(text).map_err(|error| form(error.span))?;
    let [Node { value: Value::Map(entries), span }] = documents.as_slice() else {
        return Err((Span::default(), "expected one document, a map".to_owned()));
    };
    let sops = entries.iter().find(|(key, _)| key.text() == Some("sops")).map(|(_, value)| value);
    let sops = sops.ok_or((*span, "expected a file that SOPS encrypted: there is no `sops`".to_owned()))?;
    let word = |key: &str| sops.get(key).and_then(Node::text).unwrap_or_default().to_owned();
    let mut recipients = Vec::new();
    if let Some(Node { value: Value::List(items), .. }) = sops.get("age") {
        for item in items {
            let word = |key: &str| item.get(key).and_then(Node::text).map(str::to_owned);
            let (Some(recipient), Some(wrapped)) = (word("recipient"), word("enc")) else {
                return Err((item.span, "expected a `recipient` and its `enc`".to_owned()));
            };
            recipients.push((recipient, wrapped));
        }
    }
    if recipients.is_empty() {
        return Err((sops.span, "expected recipients of age below `sops`: no other keys are known here".to_owned()));
    }
    let (modified, mac) = (word("lastmodified"), word("mac"));
    // SOPS reads the time, and uses it as it would write it itself.
    let modified = crate::certs::due::read(&modified)
        .map(|time| crate::certs::due::written(time.to_offset(time::UtcOffset::UTC)))
        .map_err(|_| (sops.span, "expected a time as `lastmodified` below `sops`".to_owned()))?;
    if !is_sealed(&mac) || semver::Version::parse(&word("version")).is_err() {
        return Err((sops.span, "expected `mac` and `version` below `sops`".to_owned()));
    }
    // Keys of other kinds, and parts of keys, which SOPS would want as well.
    let is_known = |key: &str| {
        matches!(key, "age" | "encrypted_regex" | "lastmodified" | "mac" | "mac_only_encrypted" | "version")
    };
    let is_empty = |node: &Node<'_>| matches!(&node.value, Value::List(items) if items.is_empty());
    if let Value::Map(fields) = &sops.value
        && let Some((key, _)) = fields.iter().find(|(key, value)| !key.text().is_some_and(is_known) && !is_empty(value))
    {
        return Err((key.span, "expected recipients of age alone below `sops`".to_owned()));
    }
    // What decides on which values SOPS takes for encrypted.
    if word("encrypted_regex") != REGEX {
        return Err((sops.span, format!("expected `encrypted_regex: {REGEX}` below `sops`")));
    }
    unique(&documents[0])?;
    let mut leaves = Vec::new();
    for (key, value) in entries.iter().filter(|(key, _)| key.text() != Some("sops")) {
        collect(value, &place("", key), &mut leaves)?;
    }
    Ok(Sealed { recipients, leaves, modified, mac, only_encrypted: word("mac_only_encrypted") == "true" })
}

/// Whether a value has the form of one that SOPS encrypted.
fn is_sealed(text: &str) -> bool {
    let fields = text.strip_prefix("ENC[AES256_GCM,").and_then(|rest| rest.strip_suffix(']'));
    let fields: Vec<&str> = fields.into_iter().flat_map(|fields| fields.split(',')).collect();
    let starts = ["data:", "iv:", "tag:"];
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let has = |(field, start): (&&str, &&str)| {
        field.strip_prefix(*start).is_some_and(|value| !value.is_empty() && value.chars().all(is_base64))
    };
    matches!(fields.as_slice(), [.., kind] if fields.len() == 4 && *kind == "type:str")
        && fields.iter().zip(&starts).all(has)
}

/// Of two equal keys, readers take different ones.
fn unique(node: &Node<'_>) -> Result<(), (Span, String)> {
    match &node.value {
        Value::Map(entries) => {
            let mut seen = BTreeSet::new();
            for (key, value) in entries {
                if !seen.insert(key.text()) {
                    return Err((key.span, "expected each key once".to_owned()));
                }
                unique(value)?;
            }
            Ok(())
        }
        Value::List(items) => items.iter().try_for_each(unique),
        Value::Scalar { .. } => Ok(()),
    }
}

fn place(parent: &str, key: &Node<'_>) -> String {
    format!("{parent}{}:", key.text().unwrap_or_default())
}

fn collect(node: &Node<'_>, at: &str, leaves: &mut Vec<Leaf>) -> Result<(), (Span, String)> {
    match &node.value {
        Value::Map(entries) => entries.iter().try_for_each(|(key, value)| collect(value, &place(at, key), leaves)),
        // Positions in lists are no part of a place.
        Value::List(items) => items.iter().try_for_each(|item| collect(item, at, leaves)),
        Value::Scalar { text, plain: is_plain } => {
            let typed = if *is_plain { plain::value(text).ok() } else { None };
            let hashed = match typed {
                Some(serde_json::Value::Null) => None,
                // As Go writes them.
                Some(serde_json::Value::Bool(true)) => Some("True".to_owned()),
                Some(serde_json::Value::Bool(false)) => Some("False".to_owned()),
                Some(serde_json::Value::Number(number)) if number.is_f64() => {
                    return Err((node.span, "expected no fraction in a Secret".to_owned()));
                }
                Some(serde_json::Value::Number(number)) => Some(number.to_string()),
                _ => Some(text.to_string()),
            };
            leaves.push(Leaf { place: at.to_owned(), text: text.to_string(), hashed, span: node.span });
            Ok(())
        }
    }
}

impl Sealed {
    /// The value at a place (`metadata:name:`), as it stands in the file.
    pub fn value(&self, place: &str) -> Option<(&str, Span)> {
        self.leaves.iter().find(|leaf| leaf.place == place).map(|leaf| (&*leaf.text, leaf.span))
    }

    /// Places of values below `prefix`.
    pub fn places<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, Span)> {
        self.leaves.iter().filter(move |leaf| leaf.place.starts_with(prefix)).map(|leaf| (&*leaf.place, leaf.span))
    }

    /// The first value below `data` or `stringData` that anyone can read; what is empty hides nothing.
    pub fn readable(&self) -> Option<Span> {
        let secret = |leaf: &&Leaf| {
            leaf.place.split(':').any(|key| matches!(key, "data" | "stringData")) && !leaf.text.is_empty()
        };
        self.leaves.iter().filter(secret).find(|leaf| !is_sealed(&leaf.text)).map(|leaf| leaf.span)
    }

    /// Decrypts all values and checks that nobody changed one, encrypted or not.
    pub fn open(&self, key: &DataKey) -> Result<BTreeMap<String, Zeroizing<String>>, String> {
        let mut mac = Sha512::new();
        if self.only_encrypted {
            // So that nobody turns the one kind of MAC into the other.
            mac.update(Sha256::digest(b"sops"));
        }
        let mut values = BTreeMap::new();
        for leaf in &self.leaves {
            if leaf.text.starts_with(ENCRYPTED) {
                let value =
                    key.open(&leaf.text, &leaf.place).map_err(|why| format!("the value of `{}` {why}", leaf.place))?;
                mac.update(value.as_bytes());
                values.insert(leaf.place.clone(), value);
            } else if let (false, Some(hashed)) = (self.only_encrypted, &leaf.hashed) {
                mac.update(hashed.as_bytes());
            }
        }
        let stated = key.open(&self.mac, &self.modified).map_err(|why| format!("the MAC {why}"))?;
        // Both sides come from whoever holds the key; there is nothing to learn from how long this takes.
        if *stated != hex(&mac.finalize()).to_uppercase() {
            return Err("the MAC does not fit: something was changed by hand".to_owned());
        }
        Ok(values)
    }
}
