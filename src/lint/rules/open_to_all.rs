//! L204: a rule without peers.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::{entries, is_empty, items};
use crate::lint::found::Found;
use crate::lint::selectors::{Way, is_dns_alone, without_peers};
use crate::yaml::{Node, Value};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L204",
    severity: Severity::Warning,
    title: "a rule without peers",
    why: "A rule that names nobody lets everybody in, or reaches all addresses, those outside of the cluster too.",
    fix: "Name peers under `from` or `to`; for no traffic at all, write no rule.",
    source: "<https://kubernetes.io/docs/concepts/services-networking/network-policies/>",
    consumers: &[Consumer::Cluster],
    example: "ingress:\n- {}",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    if !object.is("networking.k8s.io", "NetworkPolicy") {
        return;
    }
    for (way, rules, peers, _) in Way::ALL {
        for rule in without_peers(object, way) {
            let ports = !items(rule.get("ports")).is_empty();
            let what = match way {
                // With ports, it is how Services are published.
                Way::In if ports => continue,
                Way::In => "everybody is let in",
                // DNS may be anywhere: in the cluster, on the node, beyond both.
                Way::Out if is_dns_alone(rule) => continue,
                // Ours name no peer where git or the API server may be anywhere.
                Way::Out if ports && object.file.is_ours() => continue,
                Way::Out if ports => "every address is reached at these ports",
                Way::Out => "every address is reached",
            };
            found.add(&RULE, object.place(rule), format!("{what}: the rule names no `{peers}`"));
        }
        for rule in items(object.get(&["spec", rules])) {
            // A field that is `null` is none.
            let nothing = |peer: &&Node<'_>| entries(Some(peer)).iter().all(|(_, value)| value.is_null());
            let peers =
                items(rule.get(peers)).iter().filter(|peer| matches!(peer.value, Value::Map(_)) || is_empty(peer));
            for peer in peers.filter(nothing) {
                found.add(&RULE, object.place(peer), "an empty peer is refused by the API server");
            }
        }
    }
}
