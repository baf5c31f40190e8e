//! `Certificate`: what a certificate says, as far as anything here depends on it.

use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate itself.
    pub der: Vec<u8>,
    /// Its fingerprint: SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// From when on it holds.
    pub not_before: OffsetDateTime,
    /// Until when it holds.
    pub not_after: OffsetDateTime,
    /// The DNS names that it is for, in its own order.
    pub names: Vec<String>,
    /// Whether it may sign others.
    pub is_authority: bool,
    /// Whether a server may show it.
    pub is_for_servers: bool,
    /// The public key, as SubjectPublicKeyInfo.
    pub public_key: Vec<u8>,
}

/// The label of PEM blocks.
const CERTIFICATE: &str = "CERTIFICATE";

impl Certificate {
    /// Reads one from DER.
    pub fn from_der(der: &[u8]) -> Result<Certificate, String> {
        let (rest, read) = X509Certificate::from_der(der).map_err(|error| format!("no certificate: {error}"))?;
        if !rest.is_empty() {
            return Err("there is something behind the certificate".to_owned());
        }
        let names = read.subject_alternative_name().map_err(|error| format!("no certificate: {error}"))?;
        let names = names.map(|extension| &extension.value.general_names[..]).unwrap_or_default();
        let names = names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        });
        let usage = read.extended_key_usage().map_err(|error| format!("no certificate: {error}"))?;
        Ok(Certificate {
            sha256: hex(&Sha256::digest(der)),
            not_before: read.validity().not_before.to_datetime(),
            not_after: read.validity().not_after.to_datetime(),
            names: names.collect(),
            is_authority: read.is_ca(),
            is_for_servers: usage.is_some_and(|usage| usage.value.server_auth || usage.value.any),
            public_key: read.public_key().raw.to_vec(),
            der: der.to_vec(),
        })
    }

    /// Reads all of a PEM text, the first one first; anything else in it, such as a key, is an error.
    pub fn chain(pem: &[u8]) -> Result<Vec<Certificate>, String> {
        let mut chain = Vec::new();
        for block in Pem::iter_from_buffer(pem) {
            let block = block.map_err(|error| format!("no PEM: {error}"))?;
            if block.label != CERTIFICATE {
                // The content of such a block is never repeated: it may be a key.
                return Err(format!(
                    "expected certificates alone, found a block of another kind behind {}",
                    chain.len()
                ));
            }
            chain.push(Certificate::from_der(&block.contents)?);
        }
        if chain.is_empty() { Err("there is no certificate".to_owned()) } else { Ok(chain) }
    }

    /// As PEM, the way OpenSSL and Go write it.
    pub fn pem(&self) -> String {
        use base64::Engine;
        let text = base64::prelude::BASE64_STANDARD.encode(&self.der);
        let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line));
        let lines: String = lines.map(|line| format!("{line}\n")).collect();
        format!("-----BEGIN {CERTIFICATE}-----\n{lines}-----END {CERTIFICATE}-----\n")
    }

    /// Whether `authority` signed this one, and was allowed to.
    pub fn is_signed_by(&self, authority: &Certificate) -> bool {
        let (Ok((_, own)), Ok((_, other))) =
            (X509Certificate::from_der(&self.der), X509Certificate::from_der(&authority.der))
        else {
            return false;
        };
        authority.is_authority
            && own.issuer().as_raw() == other.subject().as_raw()
            && own.verify_signature(Some(other.public_key())).is_ok()
    }

    /// Whether it is for that name, as a TLS client compares it: a `*` stands for one whole label.
    pub fn is_for(&self, name: &str) -> bool {
        let parent = name.split_once('.').map(|(_, parent)| parent);
        self.names.iter().any(|own| match own.strip_prefix("*.") {
            Some(own) => parent.is_some_and(|parent| own.eq_ignore_ascii_case(parent)),
            None => own.eq_ignore_ascii_case(name),
        })
    }

    /// Whether it holds at that time.
    pub fn holds_at(&self, now: OffsetDateTime) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
