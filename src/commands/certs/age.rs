//! age: wraps the key of a file for a recipient, and unwraps it with an identity of whoever runs this.
#![expect(clippy::disallowed_methods, reason = "this is the shell: identities come from the environment, as for sops")]

use std::path::{Path, PathBuf};

use age::x25519::Recipient;
use anyhow::{Context, Result, anyhow, bail};
use zeroize::Zeroizing;

use crate::certs::sops::{DataKey, Sealed};
use crate::disk;

/// A key, wrapped for a recipient: an age file in its armour.
pub fn wrap(key: &DataKey, recipient: &str) -> Result<String> {
    let parsed: Recipient = recipient
        .parse()
        // What was given instead may be an identity, which is a secret.
        .map_err(|why: &str| anyhow!("expected a recipient such as age1…, found something else: {why}"))?;
    age::encrypt_and_armor(&parsed, key.expose()).context("cannot encrypt for a recipient")
}

/// Where identities are, in the order in which `sops` looks for them.
///
/// Source: <https://getsops.io/docs/#encrypting-using-age>
fn places(given: Option<&Path>) -> Vec<PathBuf> {
    if let Some(path) = given {
        return vec![path.to_owned()];
    }
    if let Some(path) = std::env::var_os("SOPS_AGE_KEY_FILE") {
        return vec![path.into()];
    }
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.or_else(|| std::env::home_dir().map(|home| home.join(".config")));
    config.into_iter().map(|folder| folder.join("sops/age/keys.txt")).collect()
}

/// The key of a file, if an identity is at hand that opens it; `None`: there is no identity at all.
pub fn unwrap(sealed: &Sealed, given: Option<&Path>) -> Result<Option<DataKey>> {
    let mut texts: Vec<Zeroizing<String>> = Vec::new();
    if let (None, Ok(text)) = (given, std::env::var("SOPS_AGE_KEY")) {
        texts.push(Zeroizing::new(text));
    }
    for place in places(given) {
        match disk::read_small(&place)? {
            Some(text) => texts.push(Zeroizing::new(text)),
            None if given.is_some() => bail!("there is no {}", place.display()),
            None => {}
        }
    }
    if texts.is_empty() {
        return Ok(None);
    }
    for text in texts {
        // The error of a line that is no identity names its number, and never the line.
        let file = age::IdentityFile::from_buffer(text.as_bytes()).context("cannot read the identities of age")?;
        for identity in file.into_identities().context("cannot read the identities of age")? {
            for (_, wrapped) in &sealed.recipients {
                if let Some(key) = open(&*identity, wrapped) {
                    return Ok(Some(key));
                }
            }
        }
    }
    // Identities that happen to be there may be for something else.
    if given.is_none() {
        return Ok(None);
    }
    bail!("none of the identities opens the file: it is encrypted for others")
}

fn open(identity: &dyn age::Identity, wrapped: &str) -> Option<DataKey> {
    use std::io::Read;
    let armour = age::armor::ArmoredReader::new(wrapped.as_bytes());
    let decryptor = age::Decryptor::new_buffered(armour).ok()?;
    let mut key = Zeroizing::new(Vec::with_capacity(DataKey::LENGTH + 1));
    // A key has 32 bytes, whatever somebody wrapped.
    let limit = DataKey::LENGTH as u64 + 1;
    decryptor.decrypt(std::iter::once(identity)).ok()?.take(limit).read_to_end(&mut key).ok()?;
    DataKey::new(std::mem::take(&mut *key))
}
