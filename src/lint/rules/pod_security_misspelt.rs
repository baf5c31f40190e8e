//! L236: a Pod Security label that means nothing.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::entries;
use crate::lint::found::Found;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L236",
    severity: Severity::Error,
    title: "a Pod Security label that means nothing",
    why: "A mode that does not exist is a label like any other and enforces nothing; the API server refuses a level \
          or version that does not exist.",
    fix: "Write enforce, audit or warn, with privileged, baseline or restricted, and versions as `v1.36` or \
          `latest`.",
    source: "<https://kubernetes.io/docs/concepts/security/pod-security-admission/#pod-security-admission-labels-for-namespaces>",
    consumers: &[Consumer::Cluster],
    example: "pod-security.kubernetes.io/enforced: restricted",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    if !object.is("", "Namespace") {
        return;
    }
    for (node, value) in entries(object.get(&["metadata", "labels"])) {
        let Some(mode) = node.text().and_then(|key| key.strip_prefix("pod-security.kubernetes.io/")) else { continue };
        let text = value.text().unwrap_or_default();
        match mode {
            "enforce" | "audit" | "warn" => {
                if !["privileged", "baseline", "restricted"].contains(&text) {
                    found.add(&RULE, object.place(value), format!("there is no level `{text}`"));
                }
            }
            "enforce-version" | "audit-version" | "warn-version" => {
                let minor =
                    text.strip_prefix("v1.").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
                if text != "latest" && !minor {
                    found.add(&RULE, object.place(value), format!("`{text}` is no version of Kubernetes"));
                }
            }
            other => {
                found.add(&RULE, object.place(node), format!("there is no mode `{other}`: the label enforces nothing"));
            }
        }
    }
}
