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

/// The identities of whoever runs this.
pub struct Identities {
    all: Vec<Box<dyn age::Identity + Send + Sync>>,
    /// Whether they were named for this, and not only found.
    given: bool,
}

impl Identities {
    /// Reads those of a file, or those that are found.
    pub fn read(given: Option<&Path>) -> Result<Identities> {
        let mut texts: Vec<Zeroizing<String>> = Vec::new();
        if let (None, Ok(text)) = (given, std::env::var("SOPS_AGE_KEY")) {
            texts.push(Zeroizing::new(text));
        }
        for place in places(given) {
            // A pipe is fine: that is how a key is kept off the disk.
            match disk::read_text(&place)? {
                Some(text) => texts.push(Zeroizing::new(text)),
                None if given.is_some() => bail!("there is no {}", place.display()),
                None => {}
            }
        }
        let mut all = Vec::new();
        for text in texts {
            // The error of a line that is no identity names its number, and never the line.
            let file = age::IdentityFile::from_buffer(text.as_bytes()).context("cannot read the identities of age")?;
            all.extend(file.into_identities().context("cannot read the identities of age")?);
        }
        Ok(Identities { all, given: given.is_some() })
    }

    /// The key of a file; `None` where no identity that happens to be there opens it. The error: none that was named does.
    pub fn unwrap(&self, sealed: &Sealed) -> Result<Option<DataKey>, String> {
        let each =
            self.all.iter().flat_map(|identity| sealed.recipients.iter().map(move |(_, wrapped)| (identity, wrapped)));
        match each.filter_map(|(identity, wrapped)| open(&**identity, wrapped)).next() {
            None if self.given => Err("none of the identities opens the file: it is encrypted for others".to_owned()),
            key => Ok(key),
        }
    }
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
