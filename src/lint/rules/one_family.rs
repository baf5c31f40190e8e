//! L206: one family of addresses forgotten.

use ipnet::IpNet;

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
        let nets = all.iter().filter_map(|node| Some((*node, node.text()?.parse::<IpNet>().ok()?)));
        let nets: Vec<(&Node<'_>, IpNet)> = nets.collect();
        for (six, own, other) in [(false, "IPv4", "IPv6"), (true, "IPv6", "IPv4")] {
            let whole = nets.iter().find(|(_, net)| is_six(net) == six && net.prefix_len() == 0);
            let answered = nets.iter().any(|(_, net)| is_six(net) != six && is_wide(net));
            if let Some((node, _)) = whole.filter(|_| !answered) {
                let message = format!("all of {own} is named, and the internet of {other} is not");
                found.add(&RULE, object.place(node), message);
            }
        }
    }
}

fn is_six(net: &IpNet) -> bool {
    matches!(net, IpNet::V6(_))
}

/// Whether a range is part of the internet at large: the internet of IPv6 is `2000::/3`, and lists of what is left of IPv4
/// without private ranges have a part as wide. Loopback and private ranges are narrower.
fn is_wide(net: &IpNet) -> bool {
    let internet = crate::cidr::internet6();
    net.prefix_len() <= 3 && (!is_six(net) || net.contains(&internet))
}
