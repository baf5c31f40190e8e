//! `mtp certs verify`: everything in git fits together, and no key stands anywhere in plain text.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use rcgen::{KeyPair, PublicKeyData};

use super::age::Identities;
use super::{Platform, platform, read_lock};
use crate::certs::lock::Lock;
use crate::certs::secret::holds_private_key;
use crate::certs::x509::Certificate;
use crate::certs::{LOCK, NEXT, SERVED, manifest};
use crate::cli::Exit;
use crate::commands::Shell;
use crate::contract::admission::Certificates;
use crate::disk;
use crate::inputs::TENANTS;
use crate::rendered::RENDERED;
use crate::report::causes;

/// Options of the command.
#[derive(Debug, Args)]
pub struct Options {
    /// Identities of age that open the key (default: as sops finds them)
    #[arg(long, value_name = "FILE")]
    age_key: Option<PathBuf>,
}

/// Runs the command.
pub fn run(options: &Options, root: &Path, shell: &mut Shell<'_>) -> Result<Exit> {
    let Some(platform) = platform(root, shell)? else { return Ok(Exit::Failed) };
    let namespace = &platform.namespace;
    let identities = Identities::read(options.age_key.as_deref())?;
    let mut wrong: Vec<String> = Vec::new();
    let mut unseen = false;
    for folder in [TENANTS, RENDERED] {
        disk::each_file(root, folder, |path, bytes| {
            if holds_private_key(bytes) {
                wrong.push(format!("{path}: a private key stands here in plain text: it is lost, issue another"));
            }
        })?;
    }
    let lock = match read_lock(root) {
        Ok(lock) => lock,
        Err(error) => {
            wrong.push(causes(&error));
            None
        }
    };
    // Without the lock, nobody knows which certificate belongs to what is there.
    if lock.is_none() && disk::exists(&root.join(SERVED)) && !disk::exists(&root.join(LOCK)) {
        wrong.push(format!("{SERVED} is there without {LOCK}"));
    }
    if let Some(lock) = &lock {
        let name = crate::certs::server_name(namespace);
        for certificate in lock.served.iter().chain(&lock.next).filter(|c| !c.is_for(&name)) {
            wrong.push(format!("{LOCK}: certificate {} is not for {name}", &certificate.sha256[..16]));
        }
        for (path, certificate) in [(SERVED, &lock.served), (NEXT, &lock.next)] {
            let text = disk::read_small(&root.join(path))?;
            match (certificate, text) {
                (Some(_), None) => wrong.push(format!("{path} is missing")),
                (None, Some(_)) => wrong.push(format!(
                    "{path} belongs to nothing in {LOCK}: a step was cut off; take it again, or remove the file"
                )),
                (Some(certificate), Some(text)) => match pair(&text, namespace, certificate, &identities) {
                    Ok(seen) => unseen |= !seen,
                    Err(why) => wrong.push(format!("{path}: {why}")),
                },
                (None, None) => {}
            }
        }
        wrong.extend(unrendered(root, &platform, lock)?);
    }
    if !wrong.is_empty() {
        shell.answer(&wrong.iter().map(|line| format!("{}\n", crate::report::line(line))).collect::<String>())?;
        return Ok(Exit::Findings);
    }
    match (&lock, unseen) {
        (None, _) => shell.answer(&format!("there is no {LOCK}, and no key in plain text\n"))?,
        (Some(lock), _) if !platform.uses(lock) => {
            shell.answer("certificate and key fit together; the Platform does not use them\n")?;
        }
        (Some(_), true) => {
            shell.answer("everything that can be read without the key fits together\n")?;
            shell.note(
                "no identity of age that opens it is at hand: that the key is the certificate's was not looked at",
            );
        }
        (Some(_), false) => shell.answer("certificate, key, and what is rendered fit together\n")?,
    }
    Ok(Exit::Clean)
}

/// Whether a file is the Secret of a certificate; `false` where that takes a key that nobody has here.
fn pair(text: &str, namespace: &str, certificate: &Certificate, identities: &Identities) -> Result<bool, String> {
    let sealed = manifest::check(text, namespace).map_err(|(span, why)| format!("line {}: {why}", span.line.max(1)))?;
    if manifest::certificate(&sealed) != Some(&certificate.sha256) {
        return Err("it holds another certificate than the lock says".to_owned());
    }
    let Some(key) = identities.unwrap(&sealed)? else {
        return Ok(false);
    };
    let (pem, key) = manifest::pair(&sealed.open(&key)?)?;
    if Certificate::chain(&pem)?.first() != Some(certificate) {
        return Err("it holds another certificate than the lock says".to_owned());
    }
    // Errors of the library are not repeated: they are about the key.
    let key = std::str::from_utf8(key.expose()).ok().and_then(|pem| KeyPair::from_pem(pem).ok());
    let key = key.ok_or("its key cannot be read")?;
    if key.subject_public_key_info() != certificate.public_key {
        return Err("its key is not the certificate's".to_owned());
    }
    Ok(true)
}

/// What `rendered/` does not have as the files below `tenants/certs/` say, where the Platform uses them.
fn unrendered(root: &Path, platform: &Platform, lock: &Lock) -> Result<Option<String>> {
    let uses = matches!(platform.mode, Some(Certificates::Sops | Certificates::External));
    if !uses || !disk::exists(&root.join(RENDERED)) || super::is_rendered(root, lock)? {
        return Ok(None);
    }
    Ok(Some(format!("{RENDERED}/ does not have what {LOCK} says; run `mtp render`")))
}
