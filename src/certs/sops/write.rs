//! Writing a Secret as SOPS would.

use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use super::REGEX;
use super::cipher::DataKey;
use crate::certs::x509::hex;
use crate::emit::emit;

/// The version of SOPS whose format this is; SOPS refuses a file without one.
const VERSION: &str = "3.11.0";

/// What a file is sealed with.
pub struct Seal<'a> {
    /// The key of the file, which is used for no other.
    pub key: &'a DataKey,
    /// A nonce for each encrypted value and one for the MAC.
    pub nonces: &'a mut dyn FnMut() -> [u8; 32],
    /// Recipients (`age1…`), each with the key wrapped for it: an age file in its armour.
    pub recipients: &'a [(String, String)],
    /// The time, as RFC 3339 in UTC, to the second.
    pub now: &'a str,
}

/// The manifest of a Secret whose `data` is encrypted; `None` where the cipher refuses.
pub fn write(secret: &Secret, seal: Seal<'_>) -> Option<String> {
    // The copies that serde makes hold the values; they are wiped below.
    let mut manifest = serde_json::to_value(secret).ok()?;
    let mut leaves = Leaves { mac: Sha512::new(), seal, failed: false };
    leaves.visit(&mut manifest, "", false);
    let Leaves { mac, seal, failed } = leaves;
    if failed {
        return None;
    }
    let mac = hex(&mac.finalize()).to_uppercase();
    let mac = seal.key.seal(&mac, seal.now, (seal.nonces)())?;
    let recipients: Vec<Value> =
        seal.recipients.iter().map(|(recipient, enc)| json!({"enc": enc, "recipient": recipient})).collect();
    manifest["sops"] = json!({
        "age": recipients,
        "encrypted_regex": REGEX,
        "lastmodified": seal.now,
        "mac": mac,
        "version": VERSION,
    });
    let mut text = Vec::new();
    emit(&manifest, &mut text).ok()?;
    String::from_utf8(text).ok()
}

/// Encrypts as it walks, in the order in which the file is written.
struct Leaves<'a> {
    mac: Sha512,
    seal: Seal<'a>,
    failed: bool,
}

impl Leaves<'_> {
    fn visit(&mut self, value: &mut Value, place: &str, is_secret: bool) {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    let is_secret = is_secret || matches!(key.as_str(), "data" | "stringData");
                    self.visit(value, &format!("{place}{key}:"), is_secret);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.visit(item, place, is_secret)),
            Value::String(text) => {
                self.mac.update(text.as_bytes());
                if is_secret {
                    let nonce = (self.seal.nonces)();
                    let sealed = self.seal.key.seal(text, place, nonce);
                    self.failed |= sealed.is_none();
                    drop(Zeroizing::new(std::mem::replace(text, sealed.unwrap_or_default())));
                }
            }
            // A Secret has no other values, and to leave one out of the MAC would be wrong.
            Value::Bool(_) | Value::Number(_) => self.failed = true,
            Value::Null => {}
        }
    }
}
