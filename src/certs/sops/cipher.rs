//! Single values: AES-256 in GCM with a nonce of 32 bytes, bound to their place in the document.

use aes_gcm::aead::consts::U32;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Nonce};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::certs::secret::Private;

/// The key of one file.
#[derive(Debug, Clone)]
pub struct DataKey(Private);

/// Length of the tag of GCM, in bytes.
const TAG: usize = 16;

impl DataKey {
    /// How many bytes a key has.
    pub const LENGTH: usize = 32;

    /// A key; `None` where these are not 32 bytes.
    pub fn new(bytes: Vec<u8>) -> Option<DataKey> {
        let key = Private::new(bytes);
        (key.expose().len() == Self::LENGTH).then_some(DataKey(key))
    }

    /// The bytes, for whoever wraps them for a recipient.
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    fn cipher(&self) -> Option<AesGcm<Aes256, U32>> {
        AesGcm::new_from_slice(self.0.expose()).ok()
    }

    /// Encrypts text that stands at `place` (`data:tls.key:`), with a nonce that was never used with this key.
    pub fn seal(&self, text: &str, place: &str, nonce: [u8; 32]) -> Option<String> {
        // What is empty stays so: there is nothing to hide, and SOPS does the same.
        if text.is_empty() {
            return Some(String::new());
        }
        let payload = Payload { msg: text.as_bytes(), aad: place.as_bytes() };
        let mut sealed = self.cipher()?.encrypt(&Nonce::<U32>::from(nonce), payload).ok()?;
        let tag = sealed.split_off(sealed.len().checked_sub(TAG)?);
        let [data, nonce, tag] = [&sealed[..], &nonce, &tag].map(|bytes| BASE64_STANDARD.encode(bytes));
        Some(format!("ENC[AES256_GCM,data:{data},iv:{nonce},tag:{tag},type:str]"))
    }

    /// Decrypts a value that stands at `place`; the error never repeats what was found.
    pub fn open(&self, sealed: &str, place: &str) -> Result<Zeroizing<String>, &'static str> {
        const FORM: &str = "is no value that SOPS encrypts";
        let inside = sealed.strip_prefix("ENC[AES256_GCM,").and_then(|rest| rest.strip_suffix(']')).ok_or(FORM)?;
        let field = |name: &str| inside.split(',').find_map(|field| field.strip_prefix(name)?.strip_prefix(':'));
        let bytes = |name| BASE64_STANDARD.decode(field(name).ok_or(FORM)?).map_err(|_| FORM);
        let nonce: [u8; 32] = bytes("iv")?.try_into().map_err(|_| FORM)?;
        let (mut message, tag) = (bytes("data")?, bytes("tag")?);
        if tag.len() != TAG {
            return Err(FORM);
        }
        message.extend_from_slice(&tag);
        let payload = Payload { msg: &message, aad: place.as_bytes() };
        let cipher = self.cipher().ok_or(FORM)?;
        const OTHER: &str = "does not decrypt: it was changed, or moved from another place";
        let plain = Zeroizing::new(cipher.decrypt(&Nonce::<U32>::from(nonce), payload).map_err(|_| OTHER)?);
        String::from_utf8(plain.to_vec()).map(Zeroizing::new).map_err(|_| "does not decrypt to text")
    }
}
