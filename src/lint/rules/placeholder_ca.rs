//! L223: a caBundle that is a placeholder.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Check, Consumer, Rule};
use crate::certs::x509::Certificate;
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::{below, items};
use crate::lint::found::Found;
use crate::yaml::Node;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L223",
    severity: Severity::Error,
    title: "a caBundle that is a placeholder",
    why: "The API server trusts nobody with it: each call of the webhook fails, and with it each request where the \
          webhook fails closed. A field that something else fills in is a fight with whoever applies the file.",
    fix: "Put the PEM of the authority there, or leave the field out where something fills it in.",
    source: "<https://pkg.go.dev/k8s.io/api/admissionregistration/v1#WebhookClientConfig>; argoproj/argo-cd#4912",
    consumers: &[Consumer::Cluster],
    example: "caBundle: Cg==",
    in_units: false,
    check: Check::Object(check),
};

/// Annotations of those who fill it in.
const INJECTED: [&str; 4] = [
    "cert-manager.io/inject-ca-from",
    "cert-manager.io/inject-ca-from-secret",
    "cert-manager.io/inject-apiserver-ca",
    "service.beta.openshift.io/inject-cabundle",
];

fn check(object: &Object<'_>, found: &mut Found) {
    let own: Vec<&Node<'_>> = match (object.group, object.kind) {
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") => {
            let webhooks = items(object.get(&["webhooks"])).iter();
            webhooks.filter_map(|webhook| below(webhook, &["clientConfig", "caBundle"])).collect()
        }
        ("apiregistration.k8s.io", "APIService") => object.get(&["spec", "caBundle"]).into_iter().collect(),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            object.get(&["spec", "conversion", "webhook", "clientConfig", "caBundle"]).into_iter().collect()
        }
        _ => return,
    };
    if INJECTED.iter().any(|key| object.get(&["metadata", "annotations", key]).is_some()) {
        return;
    }
    // `null` is how one writes that nothing is set.
    for node in own.into_iter().filter(|node| !node.is_null()) {
        let text: String = node.text().unwrap_or_default().split_whitespace().collect();
        if text.starts_with("${") {
            continue;
        }
        let what = match STANDARD.decode(&text) {
            _ if text.is_empty() => "nothing".to_owned(),
            Err(_) => format!("`{}`", crate::diagnostic::shortened(text, 30)),
            // A frame of PEM says nothing about what is in it.
            Ok(bytes) => match Certificate::chain(&bytes) {
                Ok(_) => continue,
                Err(_) if bytes.windows(MARK.len()).any(|part| part == MARK) => "a frame around no certificate".into(),
                Err(_) => "base64 of something else".to_owned(),
            },
        };
        found.add(&RULE, object.place(node), format!("expected certificates in PEM, in base64, found {what}"));
    }
}

const MARK: &[u8] = b"-----BEGIN CERTIFICATE-----";
