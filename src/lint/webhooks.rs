//! Webhooks that run in the cluster, fail closed and are asked about what they need to run.

use super::file::{Object, below, items};
use super::selectors::{Selector, selects_all};
use crate::place::Place;
use crate::yaml::Node;

/// A webhook without which no pod, or nothing that makes pods, comes to be where it is asked.
#[derive(Debug)]
pub struct Closed {
    /// The namespace of the Service that answers for it.
    pub namespace: String,
    /// The namespaces that it is asked about.
    pub asked: Selector,
    /// What it is asked about, in the plural.
    pub what: &'static str,
    /// Where it stands.
    pub at: Place,
}

/// The kinds that hold webhooks.
const KINDS: [&str; 2] = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];

/// What pods come from, nearest first: the group, the resource, and the operations that start pods.
const STARTS: [(&str, &str, &[&str]); 5] = [
    ("", "pods", &["CREATE", "*"]),
    ("apps", "replicasets", &["CREATE", "UPDATE", "*"]),
    ("apps", "deployments", &["CREATE", "UPDATE", "*"]),
    ("apps", "statefulsets", &["CREATE", "UPDATE", "*"]),
    ("apps", "daemonsets", &["CREATE", "UPDATE", "*"]),
];

/// Whether an object is a configuration of webhooks.
pub fn is_configuration(object: &Object<'_>) -> bool {
    object.group == "admissionregistration.k8s.io" && KINDS.contains(&object.kind)
}

/// The webhooks of an object that pods cannot start without.
pub fn closed(object: &Object<'_>) -> Vec<Closed> {
    if !is_configuration(object) {
        return Vec::new();
    }
    items(object.get(&["webhooks"])).iter().filter_map(|webhook| one(object, webhook)).collect()
}

fn one(object: &Object<'_>, webhook: &Node<'_>) -> Option<Closed> {
    let fails = webhook.get("failurePolicy").and_then(Node::text) != Some("Ignore");
    // What conditions and labels of the objects leave out cannot be told from here.
    let all = items(webhook.get("matchConditions")).is_empty() && webhook.get("objectSelector").is_none_or(selects_all);
    let namespace = below(webhook, &["clientConfig", "service", "namespace"]).and_then(Node::text)?;
    let rules = items(webhook.get("rules"));
    let (_, what, _) = STARTS.into_iter().find(|start| rules.iter().any(|rule| is_asked(rule, *start)))?;
    (fails && all).then(|| Closed {
        namespace: namespace.to_owned(),
        asked: webhook.get("namespaceSelector").map(Selector::read).unwrap_or_default(),
        what,
        at: object.place(webhook.get("name").unwrap_or(webhook)),
    })
}

fn is_asked(rule: &Node<'_>, (group, resource, operations): (&str, &str, &[&str])) -> bool {
    let has = |field: &str, fits: &dyn Fn(&str) -> bool| {
        items(rule.get(field)).iter().any(|item| item.text().is_some_and(fits))
    };
    // `pods/*` is pods as well as all that is below them.
    let named = |text: &str| [resource, "*"].contains(&text.strip_suffix("/*").unwrap_or(text));
    has("apiGroups", &|text| text == group || text == "*")
        && has("resources", &named)
        && has("operations", &|text| operations.contains(&text))
        && rule.get("scope").and_then(Node::text) != Some("Cluster")
}
