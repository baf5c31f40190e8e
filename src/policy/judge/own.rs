//! What tenants write themselves, where the policies let them: NetworkPolicies and RoleBindings, within what their tenant file
//! says. It is the check of [`crate::objects::policies::tenants`] once more, by the same annotations of the Namespace.

use std::collections::BTreeSet;
use std::sync::Arc;

use ipnet::IpNet;
use serde_json::Value;

use super::case::Case;
use super::managed;
use super::{Check::Layer as ByLayer, Layer, Objection, Rule, Whom};
use crate::objects::meta::{NAMESPACE_NAME, TENANT};
use crate::objects::policies::tenants::{self, EGRESS, INGRESS, INTERNET, SUBJECTS};
use crate::policy::restrictions::networks::plain_range;

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "A402",
        title: "a tenant's NetworkPolicy that names others",
        why: "NetworkPolicies add up: one that a tenant writes opens what the platform's keep closed, to everybody, to another \
              tenant or to a node's metadata. In a namespace that is not active, nothing is opened at all.",
        fix: "Name the tenant's own namespaces and peers that its tenant file allows as a whole; add others there first.",
        check: ByLayer,
        refused: &[],
    },
    Rule {
        id: "A403",
        title: "a tenant's RoleBinding of others",
        why: "A binding hands out rights. Whoever has left the tenant file would keep what somebody bound him to; and in a \
              namespace that is not active, nobody has rights but those that are rendered.",
        fix: "Name people of the tenant file and ServiceAccounts of the tenant's namespaces; delete what binds others.",
        check: ByLayer,
        refused: &[],
    },
];

/// What tenants write, and is judged by whom it names.
pub const KINDS: [&str; 2] = ["NetworkPolicy", "RoleBinding"];

/// Whom a tenant may name, as its Namespace says.
#[derive(Debug, Default)]
pub struct Nameable {
    egress: BTreeSet<String>,
    ingress: BTreeSet<String>,
    subjects: BTreeSet<String>,
    /// What the internet is: ranges, and what stays closed in each.
    pub internet: Internet,
}

/// Ranges, and what is taken out of each.
pub type Internet = Arc<[(IpNet, Vec<IpNet>)]>;

impl Nameable {
    /// What a Namespace says; `None`: nothing, and nobody is asked.
    pub fn of(namespace: &Value) -> Option<Nameable> {
        let annotations = &namespace["metadata"]["annotations"];
        let listed = |key: &str| annotations[key].as_str().map(|text| text.split(' ').map(str::to_owned).collect());
        Some(Nameable {
            egress: listed(EGRESS)?,
            ingress: listed(INGRESS)?,
            subjects: listed(SUBJECTS)?,
            internet: Internet::default(),
        })
    }

    /// Whether a rule of a NetworkPolicy may name an end.
    fn has_peer(&self, peers: &BTreeSet<String>, peer: &Value, namespace: &str) -> bool {
        if peer["ipBlock"].is_object() {
            return self.has_block(peers, &peer["ipBlock"]);
        }
        let selector = &peer["namespaceSelector"];
        if !selector.is_object() {
            return peers.contains(&format!("namespace/{namespace}"));
        }
        [(NAMESPACE_NAME, "namespace"), (TENANT, "tenant")].into_iter().any(|(key, kind)| {
            let is_listed = |name: &Value| name.as_str().is_some_and(|name| peers.contains(&format!("{kind}/{name}")));
            let mut expressions = selector["matchExpressions"].as_array().into_iter().flatten();
            is_listed(&selector["matchLabels"][key])
                || expressions.any(|e| {
                    e["operator"] == "In"
                        && e["key"] == key
                        && e["values"].as_array().into_iter().flatten().all(is_listed)
                })
        })
    }

    fn has_block(&self, peers: &BTreeSet<String>, block: &Value) -> bool {
        // What CEL cannot read is refused, too.
        let net = |value: &Value| value.as_str().and_then(plain_range);
        let Some(asked) = net(&block["cidr"]) else { return false };
        let allowed = peers.iter().filter_map(|peer| peer.strip_prefix("cidr/")?.parse::<IpNet>().ok());
        if allowed.into_iter().any(|allowed| allowed.contains(&asked)) {
            return true;
        }
        let is_left_out = |closed: &IpNet| {
            block["except"].as_array().into_iter().flatten().filter_map(net).any(|except| except.contains(closed))
        };
        let mut closed = self.internet.iter().flat_map(|(_, closed)| closed);
        peers.contains(INTERNET)
            && self.internet.iter().any(|(open, _)| open.contains(&asked))
            && closed.all(|closed| !closed.contains(&asked) && (!asked.contains(closed) || is_left_out(closed)))
    }

    fn has_subject(&self, subject: &Value) -> bool {
        let text = |field: &str| subject[field].as_str().unwrap_or_default();
        let is_of = |namespace: &str| self.subjects.contains(&format!("ServiceAccounts/{namespace}"));
        match text("kind") {
            "ServiceAccount" => is_of(text("namespace")),
            kind => {
                self.subjects.contains(&tenants::encoded(kind, text("name")))
                    || kind == "Group" && text("name").strip_prefix("system:serviceaccounts:").is_some_and(is_of)
            }
        }
    }
}

/// What the policies have against an object that a tenant wrote itself. What is the platform's own, reviews have judged.
pub fn ask(case: &Case<'_>) -> Vec<Objection> {
    let nameable = case.around.and_then(|around| around.nameable.as_ref());
    let (Some(nameable), Some(around)) = (nameable, case.around) else { return Vec::new() };
    if managed::is_rendered(case, around) {
        return Vec::new();
    }
    let spec = &case.value["spec"];
    match (case.group(), case.kind) {
        ("networking.k8s.io", "NetworkPolicy") => {
            let peers = [("egress", "to", &nameable.egress), ("ingress", "from", &nameable.ingress)];
            let each = peers.into_iter().flat_map(|(direction, side, peers)| {
                let message = tenants::network_message(direction);
                let is_let = |peer: &Value| nameable.has_peer(peers, peer, &around.namespace);
                strangers(&spec[direction], side, &is_let)
                    .into_iter()
                    .map(move |place| objection(&RULES[0], format!("spec.{direction}{place}"), message.clone()))
            });
            each.collect()
        }
        ("rbac.authorization.k8s.io", "RoleBinding") => {
            let subjects = case.value["subjects"].as_array().into_iter().flatten().enumerate();
            let others = subjects.filter(|(_, subject)| !nameable.has_subject(subject));
            let place = |(index, _)| objection(&RULES[1], format!("subjects[{index}]"), tenants::binding_message());
            others.map(place).collect()
        }
        _ => Vec::new(),
    }
}

/// Where rules name what is not let. A rule without the other end is about everybody.
fn strangers(rules: &Value, side: &str, is_let: &dyn Fn(&Value) -> bool) -> Vec<String> {
    let mut all = Vec::new();
    for (index, rule) in rules.as_array().into_iter().flatten().enumerate() {
        match rule[side].as_array().map_or(&[][..], Vec::as_slice) {
            [] => all.push(format!("[{index}]")),
            peers => {
                let others = peers.iter().enumerate().filter(|(_, peer)| !is_let(peer));
                all.extend(others.map(|(at, _)| format!("[{index}].{side}[{at}]")));
            }
        }
    }
    all
}

fn objection(rule: &'static Rule, path: String, message: String) -> Objection {
    let fix = rule.fix.to_owned();
    Objection { layer: Layer::Policies, rule: rule.id, refuses: true, whom: Whom::Object, path, message, fix }
}
