//! The manifest of the Secret: how it is written, and what a file of it must be.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use super::secret::{Private, holds_private_key};
use super::sops::{self, Seal, Sealed};
use super::x509::Certificate;
use super::{FINGERPRINT, SECRET, SERVED};
use crate::objects::meta::{self, ObjectMeta};
use crate::parse::SKIP_MARKER;
use crate::place::Span;
use crate::rendered::HEADER;

/// The keys of a TLS Secret.
const KEYS: [&str; 2] = ["tls.crt", "tls.key"];

/// The first line of the file: it is copied to `rendered/`, byte for byte.
fn header() -> String {
    format!("{HEADER}{SERVED}\n")
}

/// The file of the Secret: certificate and key, encrypted. `None` where the cipher refuses.
pub fn write(namespace: &str, certificate: &Certificate, key: &Private, seal: Seal<'_>) -> Option<String> {
    let data = BTreeMap::from([
        (KEYS[0].to_owned(), ByteString(certificate.pem().into_bytes())),
        (KEYS[1].to_owned(), ByteString(key.expose().to_vec())),
    ]);
    let metadata = ObjectMeta {
        name: Some(SECRET.to_owned()),
        namespace: Some(namespace.to_owned()),
        labels: Some(meta::platform_labels()),
        annotations: Some([(FINGERPRINT.to_owned(), certificate.sha256.clone())].into()),
        ..ObjectMeta::default()
    };
    let mut secret =
        Secret { data: Some(data), metadata, type_: Some("kubernetes.io/tls".to_owned()), ..Secret::default() };
    let text = sops::write(&secret, seal).map(|text| header() + &text);
    for value in secret.data.iter_mut().flatten().map(|(_, value)| value) {
        zeroize::Zeroize::zeroize(&mut value.0);
    }
    text
}

/// Whether a file is the Secret that the webhook is to have, and hides what it must.
pub fn check(text: &str, namespace: &str) -> Result<Sealed, (Span, String)> {
    let start = Span::default();
    if holds_private_key(text.as_bytes()) {
        return Err((start, "a private key stands here in plain text: it is lost, issue another".to_owned()));
    }
    // It is copied: what a consumer of `rendered/` would act on, or read otherwise, must not be in it.
    // Beyond ASCII, there are characters that some readers of YAML take for the end of a line.
    let odd = |c: char| c != '\n' && !(' '..='~').contains(&c);
    if text.contains(SKIP_MARKER) || text.contains("${") || text.contains(odd) || !text.ends_with('\n') {
        return Err((start, "expected lines of visible ASCII that Argo CD and Flux leave alone".to_owned()));
    }
    let sealed = sops::read(text)?;
    if let Some(span) = sealed.readable() {
        return Err((span, "expected values that SOPS encrypted, found one that anyone can read".to_owned()));
    }
    if !text.starts_with(&header()) {
        return Err((start, format!("expected the first line `{}`", header().trim_end())));
    }
    let labels = meta::platform_labels().into_iter().map(|(key, value)| (format!("metadata:labels:{key}:"), value));
    let fixed = [
        ("apiVersion:".to_owned(), "v1".to_owned()),
        ("kind:".to_owned(), "Secret".to_owned()),
        ("metadata:name:".to_owned(), SECRET.to_owned()),
        ("metadata:namespace:".to_owned(), namespace.to_owned()),
        ("type:".to_owned(), "kubernetes.io/tls".to_owned()),
    ];
    let mut wanted: BTreeMap<String, Option<String>> =
        fixed.into_iter().chain(labels).map(|(k, v)| (k, Some(v))).collect();
    wanted.extend(KEYS.map(|key| (format!("data:{key}:"), None)));
    wanted.insert(fingerprint(), None);
    if let Some((place, span)) = sealed.places("").find(|(place, _)| !wanted.contains_key(*place)) {
        return Err((
            span,
            format!("expected nothing at `{}`: the Secret is written by `mtp certs`", place.trim_end_matches(':')),
        ));
    }
    for (place, wanted) in wanted {
        let name = place.trim_end_matches(':');
        match (sealed.value(&place), wanted) {
            (None, _) => return Err((start, format!("expected `{name}`"))),
            (Some((found, span)), Some(wanted)) if found != wanted => {
                // What stands there is not repeated: it may have been a key.
                return Err((span, format!("expected `{wanted}` at `{name}`, found something else")));
            }
            (Some(("", span)), None) => return Err((span, format!("expected a value at `{name}`"))),
            _ => {}
        }
    }
    Ok(sealed)
}

/// Which certificate is in it, by its SHA-256.
pub fn certificate(sealed: &Sealed) -> Option<&str> {
    sealed.value(&fingerprint()).map(|(sha256, _)| sha256)
}

fn fingerprint() -> String {
    format!("metadata:annotations:{FINGERPRINT}:")
}

/// Certificate and key of a decrypted Secret: PEM each.
pub fn pair(values: &BTreeMap<String, zeroize::Zeroizing<String>>) -> Result<(Vec<u8>, Private), String> {
    let value = |key: &str| {
        let text = values.get(&format!("data:{key}:")).ok_or_else(|| format!("there is no {key}"))?;
        BASE64_STANDARD.decode(text.as_bytes()).map_err(|_| format!("{key} is no base64"))
    };
    Ok((value(KEYS[0])?, Private::new(value(KEYS[1])?)))
}
