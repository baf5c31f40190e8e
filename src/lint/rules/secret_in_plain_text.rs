//! L120: a Secret in plain text.

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
    if !object.is("", "Secret") || object.node.get("sops").is_some() {
        return;
    }
    for field in ["data", "stringData"] {
        for (key, value) in entries(object.get(&[field])) {
            let text = value.text().unwrap_or_default().trim();
            // Encrypted by itself, or put in by Flux when it applies.
            let elsewhere = text.starts_with("ENC[") || (text.starts_with("${") && text.ends_with('}'));
            if text.is_empty() || value.is_null() || elsewhere {
                continue;
            }
            // The value is never repeated.
            let message = format!("`{field}.{}` of {} is readable", key.text().unwrap_or_default(), object.title());
            found.add(&RULE, object.place(key), message);
            return;
        }
    }
}
