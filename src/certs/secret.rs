//! `PrivateKey`: bytes that nobody prints.

use std::fmt;

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

/// Whether a text holds a private key that anyone could read.
pub fn holds_private_key(text: &[u8]) -> bool {
    // The last three are how PEM of a private key begins in base64, as the values of a Secret have it.
    const MARKS: [&[u8]; 5] = [
        b"PRIVATE KEY-----",
        b"AGE-SECRET-KEY-1",
        b"LS0tLS1CRUdJTiBQUklWQVRFIEtFWS",
        b"LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS",
        b"LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVkt",
    ];
    MARKS.iter().any(|mark| text.windows(mark.len()).any(|window| window == *mark))
}
