//! `Issuer` and `Certificate` of cert-manager: an authority of the webhook's own, and its certificate.
//!
//! Source: <https://cert-manager.io/docs/reference/api-docs/#cert-manager.io/v1>

use serde_json::{Value, json};

use super::{NAME, Scope, scope};
use crate::certs::{SECRET, names};
use crate::objects::{Build, Kind, Object};
use crate::plan::Plan;
use crate::plan::admission::CertificatesPlan;

/// The API group of cert-manager.
const GROUP: &str = "cert-manager.io";

/// The row of [`crate::objects::KINDS`] of issuers.
pub const ISSUER: Kind = Kind { group: GROUP, version: "v1", kind: "Issuer", build: Build::Platform(issuers) };

/// The row of [`crate::objects::KINDS`] of certificates.
pub const CERTIFICATE: Kind =
    Kind { group: GROUP, version: "v1", kind: "Certificate", build: Build::Platform(certificates) };

/// The annotation by which cert-manager tells the API server whom to trust.
///
/// Source: <https://cert-manager.io/docs/concepts/ca-injector/>
pub fn injection(namespace: &str) -> (String, String) {
    (format!("{GROUP}/inject-ca-from"), format!("{namespace}/{SECRET}"))
}

/// The authority: its own signature, and its key.
fn authority() -> String {
    format!("{NAME}-ca")
}

fn issuers(plan: &Plan) -> Vec<Object> {
    let Some(scope) = wanted(plan) else { return Vec::new() };
    vec![
        object(&scope, ISSUER.kind, NAME.to_owned(), json!({"ca": {"secretName": authority()}})),
        object(&scope, ISSUER.kind, format!("{NAME}-self-signed"), json!({"selfSigned": {}})),
    ]
}

/// The authority outlives every certificate that it signs, and both are renewed long before their end: cert-manager keeps the
/// old authority trusted meanwhile, from 1.19 on.
fn certificates(plan: &Plan) -> Vec<Object> {
    let Some(scope) = wanted(plan) else { return Vec::new() };
    let key = json!({"algorithm": "ECDSA", "rotationPolicy": "Always", "size": 256});
    let authority_spec = json!({
        "commonName": authority(),
        "duration": "8760h0m0s",
        "isCA": true,
        "issuerRef": {"group": GROUP, "kind": "Issuer", "name": format!("{NAME}-self-signed")},
        "privateKey": key,
        "renewBefore": "4380h0m0s",
        "secretName": authority(),
        "usages": ["cert sign"],
    });
    let served = json!({
        "dnsNames": names(&scope.platform.namespace),
        "duration": "2160h0m0s",
        "issuerRef": {"group": GROUP, "kind": "Issuer", "name": NAME},
        "privateKey": key,
        "renewBefore": "1440h0m0s",
        "secretName": SECRET,
        "usages": ["digital signature", "server auth"],
    });
    vec![
        object(&scope, CERTIFICATE.kind, authority(), authority_spec),
        object(&scope, CERTIFICATE.kind, SECRET.to_owned(), served),
    ]
}

fn wanted(plan: &Plan) -> Option<Scope<'_>> {
    scope(plan).filter(|scope| matches!(scope.webhook.certificates, CertificatesPlan::CertManager))
}

fn object(scope: &Scope<'_>, kind: &'static str, name: String, spec: Value) -> Object {
    Object::custom("cert-manager.io/v1", kind, scope.metadata(name), spec, scope.webhook.at.clone())
}
