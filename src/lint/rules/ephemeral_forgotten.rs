//! L226: a webhook for pods that forgets ephemeral containers.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::items;
use crate::lint::found::Found;
use crate::yaml::Node;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L226",
    severity: Severity::Warning,
    title: "a webhook for pods that forgets ephemeral containers",
    why: "`kubectl debug` adds containers to a running pod through `pods/ephemeralcontainers`: a webhook for `pods` \
          alone never sees them.",
    fix: "Add `pods/ephemeralcontainers` with the operation UPDATE to the rules.",
    source: "<https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/>; pod-security-webhook of \
          kubernetes/pod-security-admission",
    consumers: &[Consumer::Cluster],
    example: "resources: [pods]",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    if !object.is("admissionregistration.k8s.io", "ValidatingWebhookConfiguration") {
        return;
    }
    for webhook in items(object.get(&["webhooks"])) {
        let rules = items(webhook.get("rules"));
        let resources = rules.iter().flat_map(|rule| items(rule.get("resources")));
        let names: Vec<(&str, &Node<'_>)> = resources.filter_map(|node| Some((node.text()?, node))).collect();
        let all = ["pods/ephemeralcontainers", "pods/*", "*/*", "*/ephemeralcontainers"];
        if let Some((_, node)) = names.iter().find(|(name, _)| *name == "pods")
            && !names.iter().any(|(name, _)| all.contains(name))
        {
            found.add(&RULE, object.place(node), "ephemeral containers are added to pods without asking this webhook");
        }
    }
}
