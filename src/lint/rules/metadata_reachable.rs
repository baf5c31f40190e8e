//! L205: the cloud's metadata address is reachable.

use ipnet::IpNet;

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::items;
use crate::lint::found::Found;
use crate::lint::selectors::{Way, peers, without_peers};
use crate::yaml::Node;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L205",
    severity: Severity::Error,
    title: "the cloud's metadata address is reachable",
    why: "Pods that reach it ask for the credentials of their node, and act as that node in the cloud.",
    fix: "Except it: `169.254.169.254/32` of IPv4, `fd00:ec2::254/128` of IPv6 and your cloud's own, or leave \
          link-local and private ranges out as a whole.",
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
    for rule in without_peers(object, Way::Out).into_iter().filter(|rule| asks(rule)) {
        let message = "every address is reached, 169.254.169.254 too, where nodes get their credentials";
        found.add(&RULE, object.place(rule), message);
    }
    for block in
        peers(object).into_iter().filter(|(way, ..)| *way == Way::Out).filter_map(|(.., peer)| peer.get("ipBlock"))
    {
        let Some(node) = block.get("cidr") else { continue };
        let Some(range) = node.text().and_then(net) else { continue };
        let excepted: Vec<IpNet> = items(block.get("except")).iter().filter_map(|n| net(n.text()?)).collect();
        let open = |address: &IpNet| range.contains(address) && !excepted.iter().any(|net| net.contains(address));
        let reached: Vec<IpNet> = METADATA.iter().filter_map(|address| net(address)).filter(open).collect();
        if let [first, ..] = reached.as_slice() {
            let names: Vec<String> = reached.iter().map(|address| address.addr().to_string()).collect();
            let whole: Vec<String> = reached.iter().map(IpNet::to_string).collect();
            let message = format!("{range} holds {}, where nodes get their credentials", names.join(", "));
            // Each is a cloud's own; a range that leaves out the one that most share was written with care.
            let shared = METADATA[..SHARED].iter().any(|address| net(address).is_some_and(|net| net == *first));
            let at = object.place(node);
            let added = if shared { found.add(&RULE, at, message) } else { found.warn(&RULE, at, message) };
            added.hint(format!("except {}", whole.join(", ")));
        }
    }
}

/// How many of [`METADATA`] answer in more than one cloud, or give credentials of nodes in the largest.
const SHARED: usize = 2;

/// Where clouds answer for nodes, and for the pods on them.
const METADATA: [&str; 12] = [
    "169.254.169.254/32",
    "fd00:ec2::254/128",      // AWS
    "169.254.170.2/32",       // AWS: credentials of tasks
    "169.254.170.23/32",      // AWS: EKS Pod Identity
    "fd00:ec2::23/128",       // AWS: likewise
    "168.63.129.16/32",       // Azure: WireServer
    "100.100.100.200/32",     // Alibaba Cloud
    "192.0.0.192/32",         // Oracle Cloud
    "169.254.169.252/32",     // Google Cloud: GKE's own server
    "fd20:ce::254/128",       // Google Cloud
    "fd00:c1::a9fe:a9fe/128", // Oracle Cloud
    "fd00:42::42/128",        // Scaleway
];

/// Whether the ports of a rule leave room to ask: at 80, at Azure's 32526, and at GKE's 987 and 988 behind its translation.
fn asks(rule: &Node<'_>) -> bool {
    let ports = items(rule.get("ports"));
    let fits = |port: &Node<'_>| {
        let number = |field: &str| port.get(field).and_then(Node::text).and_then(|text| text.parse::<u16>().ok());
        let tcp = port.get("protocol").and_then(Node::text).is_none_or(|protocol| protocol == "TCP");
        let (from, to) = match (port.get("port").filter(|port| !port.is_null()), number("port")) {
            (None, _) => (0, u16::MAX),
            (Some(_), Some(from)) => (from, number("endPort").unwrap_or(from)),
            // A name is one of ports of pods, which no address outside of the cluster has.
            (Some(_), None) => return false,
        };
        tcp && [80, 987, 988, 32526].iter().any(|port| (from..=to).contains(port))
    };
    ports.is_empty() || ports.iter().any(fits)
}

/// A range, as the API server reads it.
fn net(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().map(|net| net.trunc())
}
