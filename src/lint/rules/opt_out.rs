//! L221: a webhook that objects opt out of.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::items;
use crate::lint::found::Found;
use crate::lint::selectors::selects_all;
use crate::yaml::Node;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L221",
    severity: Severity::Warning,
    title: "a webhook that objects opt out of",
    why: "An `objectSelector` is matched against labels of the object, which whoever makes it writes: a webhook that \
          enforces something is gone around by a label.",
    fix: "Select by namespace, or by `matchConditions` on what nobody can choose.",
    source: "<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/> (matching \
          requests: objectSelector)",
    consumers: &[Consumer::Cluster],
    example: "failurePolicy: Fail\nobjectSelector:\n  matchLabels: {checked: \"true\"}",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    if !object.is("admissionregistration.k8s.io", "ValidatingWebhookConfiguration") {
        return;
    }
    for webhook in items(object.get(&["webhooks"])) {
        let fails = webhook.get("failurePolicy").and_then(Node::text) != Some("Ignore");
        if let Some(selector) = webhook.get("objectSelector").filter(|selector| fails && !selects_all(selector)) {
            found.add(&RULE, object.place(selector), "whoever writes the labels of an object opts out of this webhook");
        }
    }
}
