//! L206: one family of addresses forgotten.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::found::Found;
use crate::lint::selectors::{Way, peers};
use crate::yaml::Node;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L206",
    severity: Severity::Warning,
    title: "one family of addresses forgotten",
    why: "In a cluster with both families, a policy that speaks of all of IPv4 alone closes the internet of IPv6, and \
          one with exceptions for IPv4 alone opens what they were to close.",
    fix: "Write a second peer with `::/0` and its own `except`, unless the cluster has one family.",
    source: "<https://kubernetes.io/docs/concepts/services-networking/dual-stack/>",
    consumers: &[Consumer::Cluster],
    example: "to:\n- ipBlock:\n    cidr: 0.0.0.0/0",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    // Ours are as the Platform says that the cluster is.
    if !object.is("networking.k8s.io", "NetworkPolicy") || object.file.is_ours() {
        return;
    }
    for wanted in [Way::In, Way::Out] {
        let blocks =
            peers(object).into_iter().filter(|(way, ..)| *way == wanted).filter_map(|(.., peer)| peer.get("ipBlock"));
        let all: Vec<&Node<'_>> = blocks.filter_map(|block| block.get("cidr")).collect();
        let whole = |range: &str| all.iter().find(|node| node.text() == Some(range));
        let any6 = all.iter().any(|node| node.text().is_some_and(|text| text.contains(':')));
        let any4 = all.iter().any(|node| node.text().is_some_and(|text| text.contains('.')));
        match (whole("0.0.0.0/0"), whole("::/0")) {
            (Some(node), None) if !any6 => {
                found.add(&RULE, object.place(node), "all of IPv4 is named, and nothing of IPv6");
            }
            (None, Some(node)) if !any4 => {
                found.add(&RULE, object.place(node), "all of IPv6 is named, and nothing of IPv4");
            }
            _ => {}
        }
    }
}
