//! Where the selectors of namespaces stand in Kubernetes' own kinds.

use std::collections::BTreeMap;

use super::file::{Object, below, entries, is_empty, items};
use crate::yaml::{Node, Value};

/// The label that the API server sets on each Namespace, and that nobody can change.
pub const METADATA_NAME: &str = "kubernetes.io/metadata.name";

/// Whether a selector selects all there is.
pub fn selects_all(selector: &Node<'_>) -> bool {
    let nothing = |field: &str| selector.get(field).is_none_or(is_empty);
    !matches!(selector.value, Value::Scalar { plain: false, .. })
        && nothing("matchLabels")
        && nothing("matchExpressions")
}

/// Whether a selector selects namespaces that it does not name, and how they are called: all of them, or all but some.
///
/// That the label with the name is there says nothing: it is on each.
pub fn selects_unnamed(selector: &Node<'_>) -> Option<&'static str> {
    let mut but = false;
    for expression in items(selector.get("matchExpressions")) {
        match (expression.get("key").and_then(Node::text), expression.get("operator").and_then(Node::text)) {
            (Some(METADATA_NAME), Some("Exists")) => {}
            (_, Some("NotIn")) => but = true,
            _ => return None,
        }
    }
    let named = !selector.get("matchLabels").is_none_or(is_empty);
    let unread = matches!(selector.value, Value::Scalar { plain: false, .. });
    (!named && !unread).then_some(if but { "nearly every namespace" } else { "every namespace" })
}

/// Whether all ports of a rule are those of DNS: its own, the one of pods that may not use it, the names that CoreDNS gives it.
pub fn is_dns_alone(rule: &Node<'_>) -> bool {
    let ports = items(rule.get("ports"));
    let dns = |port: &Node<'_>| {
        let number = port.get("port").and_then(Node::text);
        matches!(number, Some("53" | "5353" | "dns" | "dns-tcp")) && port.get("endPort").is_none_or(Node::is_null)
    };
    !ports.is_empty() && ports.iter().all(dns)
}

/// The rules of a way that name nobody: they are for everybody.
pub fn without_peers<'f>(object: &Object<'f>, wanted: Way) -> Vec<&'f Node<'f>> {
    let ways = Way::ALL.into_iter().filter(|(way, ..)| *way == wanted);
    let rules =
        ways.flat_map(|(_, rules, peers, _)| items(object.get(&["spec", rules])).iter().map(move |r| (r, peers)));
    rules.filter(|(rule, peers)| rule.get(peers).is_none_or(is_empty)).map(|(rule, _)| rule).collect()
}

/// All selectors of namespaces in an object.
pub fn of_namespaces<'f>(object: &Object<'f>) -> Vec<&'f Node<'f>> {
    match (object.group, object.kind) {
        ("networking.k8s.io", "NetworkPolicy") => {
            peers(object).into_iter().filter_map(|(.., peer)| peer.get("namespaceSelector")).collect()
        }
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") => {
            let webhooks = items(object.get(&["webhooks"]));
            webhooks.iter().filter_map(|webhook| webhook.get("namespaceSelector")).collect()
        }
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy") => {
            object.get(&["spec", "matchConstraints", "namespaceSelector"]).into_iter().collect()
        }
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding" | "MutatingAdmissionPolicyBinding") => {
            object.get(&["spec", "matchResources", "namespaceSelector"]).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// A way of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the pods that the policy selects.
    In,
    /// From them.
    Out,
}

impl Way {
    /// The list of rules, the list of peers in each, and the name in `policyTypes`.
    pub const ALL: [(Way, &'static str, &'static str, &'static str); 2] =
        [(Way::In, "ingress", "from", "Ingress"), (Way::Out, "egress", "to", "Egress")];
}

/// All peers that a NetworkPolicy names, each with the rule that names it.
pub fn peers<'f>(object: &Object<'f>) -> Vec<(Way, &'f Node<'f>, &'f Node<'f>)> {
    let mut all = Vec::new();
    for (way, rules, peers, _) in Way::ALL {
        for rule in items(object.get(&["spec", rules])) {
            all.extend(items(below(rule, &[peers])).iter().map(|peer| (way, rule, peer)));
        }
    }
    all
}

/// A selector, kept when its file is gone.
#[derive(Debug, Default)]
pub struct Selector(Vec<Requirement>);

/// What a selector asks of one label.
#[derive(Debug)]
struct Requirement {
    key: String,
    /// Whether the label is to be there.
    wanted: bool,
    /// The values that are meant; none: any.
    values: Vec<String>,
}

impl Selector {
    /// Reads a selector; what the API server refuses in it asks for nothing.
    pub fn read(selector: &Node<'_>) -> Selector {
        let pairs = entries(selector.get("matchLabels")).iter().filter_map(|(key, value)| {
            Some(Requirement { key: key.text()?.to_owned(), wanted: true, values: vec![value.text()?.to_owned()] })
        });
        let expressions = items(selector.get("matchExpressions")).iter().filter_map(|expression| {
            let operator = expression.get("operator").and_then(Node::text)?;
            let values = match operator {
                "In" | "NotIn" => items(expression.get("values")),
                _ => &[],
            };
            Some(Requirement {
                key: expression.get("key")?.text()?.to_owned(),
                wanted: matches!(operator, "In" | "Exists"),
                values: values.iter().filter_map(|value| value.text().map(str::to_owned)).collect(),
            })
        });
        Selector(pairs.chain(expressions).collect())
    }

    /// Whether it selects what carries these labels; `None` where it asks for one of which nothing is known.
    ///
    /// Labels that are not listed are missing where `all` of them are known.
    pub fn selects(&self, labels: &BTreeMap<String, String>, all: bool) -> Option<bool> {
        let answers: Vec<Option<bool>> = self
            .0
            .iter()
            .map(|asked| match labels.get(&asked.key) {
                None if !all => None,
                None => Some(!asked.wanted),
                Some(value) => Some(asked.wanted == (asked.values.is_empty() || asked.values.contains(value))),
            })
            .collect();
        // One label that does not fit decides, whatever the others are.
        if answers.contains(&Some(false)) {
            Some(false)
        } else if answers.contains(&None) {
            None
        } else {
            Some(true)
        }
    }
}
