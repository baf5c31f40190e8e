//! L205: the cloud's metadata address is reachable.

use ipnet::IpNet;

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::items;
use crate::lint::found::Found;
use crate::lint::selectors::{Way, peers};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L205",
    severity: Severity::Error,
    title: "the cloud's metadata address is reachable",
    why: "Pods that reach it ask for the credentials of their node, and act as that node in the cloud.",
    fix: "Except it: `169.254.169.254/32` of IPv4, `fd00:ec2::254/128` of IPv6, or leave link-local and private \
          ranges out as a whole.",
    source: "<https://kubernetes.io/docs/tasks/administer-cluster/securing-a-cluster/#restricting-cloud-metadata-api-access>; \
          IPv6 of AWS: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>",
    consumers: &[Consumer::Cluster],
    example: "to:\n- ipBlock:\n    cidr: 0.0.0.0/0",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    if !object.is("networking.k8s.io", "NetworkPolicy") {
        return;
    }
    for block in
        peers(object).into_iter().filter(|(way, ..)| *way == Way::Out).filter_map(|(.., peer)| peer.get("ipBlock"))
    {
        let Some(node) = block.get("cidr") else { continue };
        let Some(range) = node.text().and_then(net) else { continue };
        let excepted: Vec<IpNet> = items(block.get("except")).iter().filter_map(|n| net(n.text()?)).collect();
        for address in METADATA {
            let Some(address) = net(address) else { continue };
            if range.contains(&address) && !excepted.iter().any(|net| net.contains(&address)) {
                let message = format!("{range} holds {}, where nodes get their credentials", address.addr());
                found.add(&RULE, object.place(node), message).hint(format!("except {address}"));
            }
        }
    }
}

/// Where clouds answer for nodes.
const METADATA: [&str; 2] = ["169.254.169.254/32", "fd00:ec2::254/128"];

/// A range, as the API server reads it.
fn net(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().map(|net| net.trunc())
}
