//! L204: a rule without peers.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::{is_empty, items};
use crate::lint::found::Found;
use crate::lint::selectors::Way;

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
        for rule in items(object.get(&["spec", rules])) {
            let nobody = rule.get(peers).is_none_or(is_empty);
            let ports = !items(rule.get("ports")).is_empty();
            // With ports, it is how Services are published and DNS is reached.
            if nobody && !ports {
                let what = if way == Way::In { "everybody is let in" } else { "every address is reached" };
                found.add(&RULE, object.place(rule), format!("{what}: the rule names no `{peers}`"));
            }
            for peer in items(rule.get(peers)).iter().filter(|peer| is_empty(peer)) {
                found.add(&RULE, object.place(peer), "an empty peer is refused by the API server");
            }
        }
    }
}
