//! L222: a webhook that keeps its own pods from starting.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::{below, items};
use crate::lint::found::Found;
use crate::lint::selectors::selects_all;
use crate::yaml::Node;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L222",
    severity: Severity::Error,
    title: "a webhook that keeps its own pods from starting",
    why: "A webhook that is asked about all pods, fails closed and runs in the cluster refuses the pods that it needs \
          to answer, those of the control plane's namespaces too: once it is down, it stays down.",
    fix: "Exempt its own namespace and kube-system with a `namespaceSelector` on `kubernetes.io/metadata.name`.",
    source: "<https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/> (avoiding \
          operating on the kube-system namespace, avoiding deadlocks)",
    consumers: &[Consumer::Cluster],
    example: "failurePolicy: Fail, rules for pods, and no namespaceSelector",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    let kinds = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];
    if object.group != "admissionregistration.k8s.io" || !kinds.contains(&object.kind) {
        return;
    }
    for webhook in items(object.get(&["webhooks"])) {
        let fails = webhook.get("failurePolicy").and_then(Node::text) != Some("Ignore");
        let inside = below(webhook, &["clientConfig", "service"]).is_some();
        let all = |field: &str| webhook.get(field).is_none_or(selects_all);
        let conditions = !items(webhook.get("matchConditions")).is_empty();
        if !fails || !inside || conditions || !all("namespaceSelector") || !all("objectSelector") {
            continue;
        }
        let has = |rule: &Node<'_>, field: &str, words: &[&str]| {
            items(rule.get(field)).iter().any(|item| item.text().is_some_and(|text| words.contains(&text)))
        };
        let asked = |rule: &&Node<'_>| {
            has(rule, "apiGroups", &["", "*"])
                && has(rule, "resources", &["pods", "*", "*/*"])
                && has(rule, "operations", &["CREATE", "*"])
                && rule.get("scope").and_then(Node::text) != Some("Cluster")
        };
        if items(webhook.get("rules")).iter().any(|rule| asked(&rule)) {
            let at = webhook.get("name").unwrap_or(webhook);
            found.add(
                &RULE,
                object.place(at),
                "the webhook is asked about its own pods, and refuses them while it is down",
            );
        }
    }
}
