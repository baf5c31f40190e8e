//! L224: a webhook with a long timeout.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::items;
use crate::lint::found::Found;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L224",
    severity: Severity::Error,
    title: "a webhook with a long timeout",
    why: "While it does not answer, every request that it is asked about waits that long, and the API server with it; \
          more than 30 seconds are refused, and 10 are the default already.",
    fix: "State 10 seconds or less.",
    source: "<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/> (use a small \
          timeout)",
    consumers: &[Consumer::Cluster],
    example: "timeoutSeconds: 30",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    let kinds = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];
    if object.group != "admissionregistration.k8s.io" || !kinds.contains(&object.kind) {
        return;
    }
    for node in items(object.get(&["webhooks"])).iter().filter_map(|webhook| webhook.get("timeoutSeconds")) {
        let Some(seconds) = node.text().and_then(|text| text.parse::<i64>().ok()) else { continue };
        let at = object.place(node);
        match seconds {
            1..=10 => continue,
            11..=30 => found.warn(&RULE, at, format!("requests wait up to {seconds} seconds for this webhook")),
            _ => found.add(&RULE, at, format!("expected 1 to 30 seconds, found {seconds}")),
        };
    }
}
