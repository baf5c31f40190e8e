//! `Pair`: certificate and key of the server, taken whole from their folder or not at all; and the TLS around it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use time::OffsetDateTime;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use zeroize::Zeroizing;

use super::Shared;
use crate::certs::server_name;
use crate::certs::sops::ENCRYPTED;
use crate::certs::x509::Certificate;

/// Certificate and key.
pub struct Pair {
    /// For rustls.
    key: Arc<CertifiedKey>,
    /// Fingerprint of the certificate.
    pub sha256: String,
    /// From when on it holds.
    pub not_before: OffsetDateTime,
    /// Until when it holds.
    pub not_after: OffsetDateTime,
    /// Which files it was read from; a folder that says the same holds the same.
    pub version: String,
}

/// What the kubelet names the folder that holds the current files; it is replaced whole.
///
/// Source: `AtomicWriter` of Kubernetes' `pkg/volume/util/atomic_writer.go`
const DATA: &str = "..data";

/// The largest file that is read.
const LARGEST: u64 = 1024 * 1024;

/// Where the files of a mounted folder are at this moment: all from one folder, so that a certificate never meets the key
/// of another.
pub fn snapshot(folder: &Path) -> PathBuf {
    fs::read_link(folder.join(DATA)).map_or_else(|_| folder.to_owned(), |target| folder.join(target))
}

/// Whether the kubelet renews the files of a folder: it does not where they are mounted one by one (`subPath`).
pub fn is_renewed(folder: &Path) -> bool {
    fs::read_link(folder.join(DATA)).is_ok()
}

/// What tells one state of a folder from another.
pub fn version(folder: &Path, names: &[&str]) -> String {
    let now = snapshot(folder);
    let about = |name: &&str| match fs::metadata(now.join(name)) {
        Ok(file) => format!("{name}:{}:{:?}", file.len(), file.modified().ok()),
        Err(error) => format!("{name}:{:?}", error.kind()),
    };
    let files: Vec<String> = names.iter().map(about).collect();
    format!("{}|{}", now.display(), files.join("|"))
}

/// The files of a pair.
pub const FILES: [&str; 2] = ["tls.crt", "tls.key"];

/// Reads the pair of a folder. The error says why it cannot be served, and never what is in a file.
pub fn load(folder: &Path, namespace: &str) -> Result<Pair, String> {
    let version = version(folder, &FILES);
    let now = snapshot(folder);
    let [certificate, key] = FILES.map(|name| read(&now.join(name)));
    let (certificate, key) = (Zeroizing::new(certificate?), Zeroizing::new(key?));
    let pair = pair(&certificate, &key, namespace, OffsetDateTime::now_utc())?;
    Ok(Pair { version, ..pair })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let wrong = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let size = fs::metadata(path).map_err(wrong)?.len();
    if size > LARGEST {
        return Err(format!("{} has {size} bytes, expected at most {LARGEST}", path.display()));
    }
    fs::read(path).map_err(wrong)
}

/// A pair of PEM texts, if it is one that can be served at that time.
fn pair(certificate: &[u8], key: &[u8], namespace: &str, now: OffsetDateTime) -> Result<Pair, String> {
    let [crt, own] = FILES;
    for (name, bytes) in [(crt, certificate), (own, key)] {
        if bytes.trim_ascii_start().starts_with(ENCRYPTED.as_bytes()) {
            return Err(format!("{name} is still encrypted by SOPS: the Secret was applied without being decrypted"));
        }
    }
    let chain = Certificate::chain(certificate).map_err(|why| format!("{crt}: {why}"))?;
    let [first, rest @ ..] = chain.as_slice() else { return Err(format!("{crt}: there is no certificate")) };
    let name = server_name(namespace);
    if !first.is_for(&name) {
        return Err(format!("{crt} is not for {name}, which the API server asks for"));
    }
    if !first.is_for_servers || first.is_authority {
        return Err(format!("{crt} is not the certificate of a server"));
    }
    if !first.holds_at(now) {
        return Err(format!("{crt} does not hold now: from {} until {}", first.not_before, first.not_after));
    }
    let mut signed = first;
    for authority in rest {
        if !signed.is_signed_by(authority) || !authority.holds_at(now) {
            return Err(format!("{crt}: the chain is broken behind {}", &signed.sha256[..16]));
        }
        signed = authority;
    }
    // What a library says of a key is not repeated.
    let der = PrivateKeyDer::from_pem_slice(key).map_err(|_| format!("{own} holds no private key"))?;
    let signing = ring::sign::any_supported_type(&der).map_err(|_| format!("{own} holds no key that can be used"))?;
    let ders = chain.iter().map(|c| CertificateDer::from(c.der.clone())).collect();
    let certified = CertifiedKey::new(ders, signing);
    certified.keys_match().map_err(|_| format!("{own} is not the key of {crt}"))?;
    Ok(Pair {
        key: Arc::new(certified),
        sha256: first.sha256.clone(),
        not_before: first.not_before,
        not_after: first.not_after,
        version: String::new(),
    })
}

/// Gives each handshake the pair of this moment.
struct Current(Arc<Shared>);

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current(…)")
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.pair.load().key))
    }
}

/// TLS 1.2 and 1.3 with what rustls thinks safe. A client certificate is asked for, and demanded by whoever needs it: the
/// kubelet's probes have none.
pub fn config(shared: &Arc<Shared>, client_ca: Option<&Path>) -> Result<ServerConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            let pem = read(path).map_err(|why| anyhow!(why))?;
            let chain = Certificate::chain(&pem).map_err(|why| anyhow!("{}: {why}", path.display()))?;
            for authority in chain {
                roots.add(authority.der.into()).with_context(|| format!("cannot trust {}", path.display()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.allow_unauthenticated().build()?)
        }
    };
    let mut config = builder.with_cert_resolver(Arc::new(Current(Arc::clone(shared))));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // API servers keep their connections; what a resumption would save is not worth its memory.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// Whether whoever is at the other end may ask: anybody, where nothing else was said.
pub fn is_known_client(stream: &TlsStream<TcpStream>, shared: &Shared) -> bool {
    if !shared.needs_client {
        return true;
    }
    let Some([first, ..]) = stream.get_ref().1.peer_certificates() else { return false };
    shared.client_names.is_empty() || common_name(first).is_some_and(|name| shared.client_names.contains(&name))
}

fn common_name(der: &[u8]) -> Option<String> {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let name = certificate.subject().iter_common_name().next()?;
    name.as_str().ok().map(str::to_owned)
}
