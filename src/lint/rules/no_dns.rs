//! L209: egress without DNS.

use std::collections::BTreeMap;

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::Tree;
use crate::lint::facts::Egress;
use crate::lint::found::Found;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L209",
    severity: Severity::Warning,
    title: "egress without DNS",
    why: "Pods that may reach names but not the cluster's DNS find nobody: the policy looks right and everything \
          fails.",
    fix: "Let the pods reach port 53, UDP and TCP, of the cluster's DNS.",
    source: "<https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/>",
    consumers: &[Consumer::Cluster],
    example: "policyTypes: [Egress]\negress:\n- ports: [{port: 443}]",
    in_units: false,
    check: Check::Tree(check),
};

fn check(tree: &Tree, found: &mut Found) {
    let mut namespaces: BTreeMap<&str, Vec<&Egress>> = BTreeMap::new();
    for egress in &tree.facts.egress {
        namespaces.entry(&egress.namespace).or_default().push(egress);
    }
    for (_, policies) in namespaces {
        // Policies add up; what one of them opens need not be in the others.
        if policies.iter().any(|policy| policy.dns) {
            continue;
        }
        if let Some(policy) = policies.iter().find(|policy| policy.opens) {
            found.add(&RULE, policy.at.clone(), "egress is opened, and no policy of the namespace opens DNS");
        }
    }
}
