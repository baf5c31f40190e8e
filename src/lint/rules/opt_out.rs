//! L221: a webhook that objects opt out of.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::items;
use crate::lint::found::Found;
use crate::lint::selectors::selects_all;
use crate::lint::webhooks::is_configuration;
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
    let mut chosen = |fails: Option<&Node<'_>>, selector: Option<&Node<'_>>, what: &str| {
        let fails = fails.and_then(Node::text) != Some("Ignore");
        if let Some(selector) = selector.filter(|selector| fails && !selects_all(selector)) {
            let message = format!("whoever writes the labels of an object opts out of this {what}");
            found.add(&RULE, object.place(selector), message);
        }
    };
    if is_configuration(object) {
        for webhook in items(object.get(&["webhooks"])) {
            chosen(webhook.get("failurePolicy"), webhook.get("objectSelector"), "webhook");
        }
    }
    if object.group != "admissionregistration.k8s.io" {
        return;
    }
    match object.kind {
        "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy" => {
            let selector = object.get(&["spec", "matchConstraints", "objectSelector"]);
            chosen(object.get(&["spec", "failurePolicy"]), selector, "policy");
        }
        "ValidatingAdmissionPolicyBinding" | "MutatingAdmissionPolicyBinding" => {
            let actions = items(object.get(&["spec", "validationActions"]));
            // What only warns or writes a log enforces nothing.
            if actions.is_empty() || actions.iter().any(|action| action.text() == Some("Deny")) {
                chosen(None, object.get(&["spec", "matchResources", "objectSelector"]), "policy");
            }
        }
        _ => {}
    }
}
