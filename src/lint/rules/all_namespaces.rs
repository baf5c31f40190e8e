//! L203: a peer of all namespaces.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::items;
use crate::lint::found::Found;
use crate::lint::selectors::{Way, is_dns_alone, peers, selects_all, selects_unnamed};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L203",
    severity: Severity::Error,
    title: "a peer of all namespaces",
    why: "An empty `namespaceSelector` is every Namespace, those of other tenants too: all their pods are let in, or \
          reached. With a `podSelector` beside it, everybody who may label a pod gets in.",
    fix: "Name the namespaces: `matchLabels: {kubernetes.io/metadata.name: …}`.",
    source: "<https://kubernetes.io/docs/concepts/services-networking/network-policies/>",
    consumers: &[Consumer::Cluster],
    example: "ingress:\n- from:\n  - namespaceSelector: {}",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    if !object.is("networking.k8s.io", "NetworkPolicy") {
        return;
    }
    for (way, rule, peer) in peers(object) {
        // A selector that is `null` is none: the peer is pods of the policy's own namespace.
        let Some(selector) = peer.get("namespaceSelector").filter(|selector| !selector.is_null()) else { continue };
        let Some(whose) = selects_unnamed(selector) else { continue };
        let pods = peer.get("podSelector").is_some_and(|pods| !selects_all(pods));
        let ports = !items(rule.get("ports")).is_empty();
        let at = object.place(selector);
        let said = |what: &str| format!("pods of {whose} are {what}");
        match (way, pods) {
            // With ports, it may be meant: metrics, a webhook.
            (Way::In, false) if ports => found.warn(&RULE, at, said("let in to these ports")),
            (Way::In, false) => found.add(&RULE, at, said("let in")),
            (Way::In, true) => found.warn(&RULE, at, said("let in that carry the labels")),
            (Way::Out, false) if ports => found.warn(&RULE, at, said("reached at these ports")),
            (Way::Out, false) => found.add(&RULE, at, said("reached")),
            // DNS is mostly reached so, and nothing else.
            (Way::Out, true) if is_dns_alone(rule) => continue,
            (Way::Out, true) => found.warn(&RULE, at, said("reached that carry the labels")),
        };
    }
}
