//! L120: a Secret in plain text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::entries;
use crate::lint::found::Found;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L120",
    severity: Severity::Error,
    title: "a Secret in plain text",
    why: "Whoever may read the repository reads the Secret, and its history keeps it for ever; base64 hides nothing.",
    fix: "Take it out of git, change what it protects, and keep it encrypted (SOPS, Sealed Secrets) or elsewhere \
          (External Secrets).",
    source: "<https://kubernetes.io/docs/concepts/security/secrets-good-practices/>; \
          docs/operator-manual/secret-management.md of argoproj/argo-cd",
    consumers: &[Consumer::Argo, Consumer::Flux, Consumer::Kubectl, Consumer::Cluster],
    example: "kind: Secret\nstringData:\n  password: hunter2",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    // That `sops` is there says nothing: it may be empty, or leave these fields out.
    if !object.is("", "Secret") {
        return;
    }
    let labels = object.get(&["metadata", "labels"]);
    let argo = labels.and_then(|labels| labels.get("argocd.argoproj.io/secret-type")).is_some();
    for field in ["data", "stringData"] {
        for (key, value) in entries(object.get(&[field])) {
            let (name, text) = (key.text().unwrap_or_default(), value.text().unwrap_or_default().trim());
            let decoded = Some(field).filter(|field| *field == "data").and_then(|_| STANDARD.decode(text).ok());
            let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
            let meant = decoded.as_deref().unwrap_or(text).trim();
            if value.is_null()
                || is_harmless(name, text)
                || is_harmless(name, meant)
                || (argo && is_address(name, meant))
            {
                continue;
            }
            // The value is never repeated.
            let message = format!("`{field}.{name}` of {} is readable", object.title());
            found.add(&RULE, object.place(key), message);
            return;
        }
    }
}

/// Whether a value protects nothing: encrypted by itself, put in when it is applied, or public.
fn is_harmless(key: &str, text: &str) -> bool {
    // A default is a value that stands here: `${P:=hunter2}`.
    let name = |inside: &str| !inside.is_empty() && inside.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let variable = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).is_some_and(name);
    // `<path:…>` of Argo CD's vault plugin, and what people write for others to fill in.
    let placeholder = text
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        .is_some_and(|inside| !inside.contains(['<', '>', '\n']));
    let public =
        ["-----BEGIN CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----"].iter().any(|mark| text.starts_with(mark));
    let encrypted = text.starts_with("ENC[") && text.ends_with(']');
    let private = text.contains("PRIVATE KEY");
    text.is_empty() || encrypted || variable || placeholder || ((public || key == "ca.crt") && !private)
}

/// Whether a value of a Secret of Argo CD says where a repository is, and not how one gets in.
fn is_address(key: &str, text: &str) -> bool {
    matches!(key, "type" | "project" | "name") || (key == "url" && !has_password(text))
}

/// Whether an address holds a password: `https://name:password@host/`.
fn has_password(address: &str) -> bool {
    let host = address.split_once("://").and_then(|(_, rest)| rest.split('/').next());
    // The token of a forge stands where the name would.
    let web = address.starts_with("http");
    host.and_then(|host| host.rsplit_once('@')).is_some_and(|(user, _)| web || user.contains(':'))
}
