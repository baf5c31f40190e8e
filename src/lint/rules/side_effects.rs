//! L225: a webhook that does not say what it needs to.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::items;
use crate::lint::found::Found;
use crate::yaml::Node;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L225",
    severity: Severity::Error,
    title: "a webhook that does not say what it needs to",
    why: "The API server refuses a webhook without `sideEffects: None` or `NoneOnDryRun`, and one without \
          `admissionReviewVersions`.",
    fix: "State `sideEffects: None` and `admissionReviewVersions: [v1]`.",
    source: "<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/> (side \
          effects)",
    consumers: &[Consumer::Cluster],
    example: "sideEffects: Unknown",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    let kinds = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];
    if object.group != "admissionregistration.k8s.io" || object.version != "v1" || !kinds.contains(&object.kind) {
        return;
    }
    for webhook in items(object.get(&["webhooks"])) {
        let effects = webhook.get("sideEffects");
        if !matches!(effects.and_then(Node::text), Some("None" | "NoneOnDryRun")) {
            let at = effects.or_else(|| webhook.get("name")).unwrap_or(webhook);
            found.add(&RULE, object.place(at), "expected `sideEffects: None` or `NoneOnDryRun`");
        }
        if items(webhook.get("admissionReviewVersions")).is_empty() {
            let at = webhook.get("name").unwrap_or(webhook);
            found.add(&RULE, object.place(at), "expected versions in `admissionReviewVersions`, found none");
        }
    }
}
