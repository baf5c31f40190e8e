//! `Digest`: whether two contents are the same, in 16 bytes.

use std::fmt;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What tells contents apart: the first half of their SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 16]);

impl Digest {
    /// Of a value; maps are sorted, so that order of keys says nothing.
    pub fn of(value: &Value) -> Digest {
        let mut digester = Digester::default();
        digester.value(value);
        digester.finish()
    }

    /// Reads what [`fmt::Display`] writes.
    pub fn read(text: &str) -> Option<Digest> {
        let mut bytes = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return None;
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
        }
        Some(Digest(bytes))
    }
}

/// Takes contents in, piece by piece.
#[derive(Default)]
pub struct Digester(Vec<u8>);

impl Digester {
    /// Takes text in, and that it ends there.
    pub fn text(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
    }

    /// Takes a value in.
    pub fn value(&mut self, value: &Value) {
        // Memory takes whatever is written, and values have text for keys: this does not fail.
        let _ = serde_json::to_writer(&mut self.0, value);
        self.0.push(0);
    }

    /// What was taken in.
    pub fn finish(&self) -> Digest {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&Sha256::digest(&self.0)[..16]);
        Digest(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let digest = Digest::of(&json!({"b": 1, "a": [true]}));
        assert_eq!(Digest::read(&digest.to_string()), Some(digest));
        assert_eq!(digest, Digest::of(&json!({"a": [true], "b": 1})));
        assert_ne!(digest, Digest::of(&json!({"a": [true, null], "b": 1})));
        for text in ["", "00", "zz000000000000000000000000000000", "é0000000000000000000000000000é"] {
            assert_eq!(Digest::read(text), None, "{text}");
        }
    }
}
