//! Where the selectors of namespaces stand in Kubernetes' own kinds.

use super::file::{Object, below, is_empty, items};
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
