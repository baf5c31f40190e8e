//! R106: a Service or an Ingress lets connections in from outside of the cluster.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;
use crate::review::{Change, Manifest, Pair, Side};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R106",
    name: "service-exposed",
    title: "service exposed",
    class: Class::Network,
    severity: Severity::Error,
    why: "Load balancers and node ports take connections from outside, node ports past the NetworkPolicies of some networks; an external IP takes other people's traffic (CVE-2020-8554).",
    example: "A template with a Service of type LoadBalancer.",
    approvable: true,
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    let [before, after] = [Side::Before, Side::After].map(|side| pair.side(side).map(openings).unwrap_or_default());
    let new: Vec<String> = after.difference(&before).cloned().collect();
    if !new.is_empty() && !unit.is_gone() {
        let message = format!("{} `{}` is open to the outside: {}", pair.id.kind, pair.id.name, new.join(", "));
        found.add(unit.tell_of(&RULE, message, pair, "/spec", change).sides(Vec::new(), new));
    }
}

/// What an object takes connections by.
fn openings(manifest: &Manifest) -> BTreeSet<String> {
    let spec = manifest.value.get("spec").cloned().unwrap_or_default();
    let mut all = BTreeSet::new();
    match (&*manifest.id.group, &*manifest.id.kind) {
        ("", "Service") => {
            let of = spec.get("type").and_then(Value::as_str).unwrap_or("ClusterIP");
            if of != "ClusterIP" {
                all.insert(format!("type {of}"));
            }
            let outside = spec.get("externalIPs").and_then(Value::as_array);
            all.extend(outside.into_iter().flatten().map(|ip| format!("external IP {ip}")));
        }
        ("networking.k8s.io", "Ingress") => {
            let rules = spec.get("rules").and_then(Value::as_array).into_iter().flatten();
            all.extend(rules.map(|rule| format!("host {}", rule.get("host").and_then(Value::as_str).unwrap_or("*"))));
            if spec.get("defaultBackend").is_some() {
                all.insert("every host".to_owned());
            }
        }
        _ => {}
    }
    all
}
