//! `PrivateKey`: bytes that nobody prints.

use std::fmt;
use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use zeroize::Zeroizing;

/// A private key, or what opens one. Wiped from memory when it goes; has no text form.
#[derive(Clone)]
pub struct Private(Zeroizing<Vec<u8>>);

impl Private {
    /// Takes over bytes; copies that the caller made of them are the caller's to wipe.
    pub fn new(bytes: Vec<u8>) -> Private {
        Private(Zeroizing::new(bytes))
    }

    /// The bytes themselves, for whoever has to work with them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(…)")
    }
}

/// How the text of private keys looks, as it is and in base64, as the values of a Secret have it, wherever it begins there.
static MARKS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut marks = Vec::new();
    for text in ["PRIVATE KEY-----", "AGE-SECRET-KEY-1"] {
        marks.push(text.as_bytes().to_vec());
        for before in 0..3 {
            let padded = [&vec![0; before], text.as_bytes()].concat();
            let coded = BASE64_STANDARD_NO_PAD.encode(&padded);
            // Digits that depend on what stands before or behind it are left out.
            let (first, last) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
            marks.push(coded.as_bytes()[first..last].to_vec());
        }
    }
    marks
});

/// Whether a text holds a private key that anyone could read.
pub fn holds_private_key(text: &[u8]) -> bool {
    MARKS.iter().any(|mark| {
        let first = mark[0];
        // Most bytes are not how it begins.
        text.windows(mark.len()).any(|window| window[0] == first && window == mark.as_slice())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_base64_wherever_they_begin() {
        for before in 0..7 {
            let text = format!("{}-----BEGIN EC PRIVATE KEY-----\nabc", "x".repeat(before));
            assert!(holds_private_key(text.as_bytes()));
            assert!(holds_private_key(base64::prelude::BASE64_STANDARD.encode(&text).as_bytes()), "{before}");
        }
        assert!(!holds_private_key(b"-----BEGIN CERTIFICATE-----"));
        assert_eq!(format!("{:?}", Private::new(b"secret".to_vec())), "Private(\u{2026})");
    }
}
