//! L207: an exception that is not inside.

use ipnet::IpNet;

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::items;
use crate::lint::found::Found;
use crate::lint::selectors::peers;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L207",
    severity: Severity::Error,
    title: "an exception that is not inside",
    why: "The API server refuses a policy whose `except` is not strictly within its `cidr`: another family, a wider \
          range, or none at all.",
    fix: "Write ranges of the same family that are narrower than `cidr`.",
    source: "ValidateIPBlock in pkg/apis/networking/validation/validation.go of kubernetes/kubernetes",
    consumers: &[Consumer::Cluster],
    example: "cidr: 0.0.0.0/0\nexcept: [fd00:ec2::254/128]",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    if !object.is("networking.k8s.io", "NetworkPolicy") {
        return;
    }
    for block in peers(object).into_iter().filter_map(|(.., peer)| peer.get("ipBlock")) {
        let Some(node) = block.get("cidr") else { continue };
        let typed = node.text().unwrap_or_default();
        let Ok(range) = typed.parse::<IpNet>() else {
            found
                .add(&RULE, object.place(node), format!("`{typed}` is no range of addresses"))
                .hint("write `address/length`");
            continue;
        };
        for node in items(block.get("except")) {
            let typed = node.text().unwrap_or_default();
            let inside =
                typed.parse::<IpNet>().is_ok_and(|net| range.contains(&net) && net.prefix_len() > range.prefix_len());
            if !inside {
                found.add(&RULE, object.place(node), format!("`{typed}` is not within {range}"));
            }
        }
    }
}
