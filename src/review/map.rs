//! `Map`: who reaches whom, before and after, as far as tenants and the Platform state it; drawn by the page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::reach::policy::{Ports, Which};
use super::reach::ports_text;
use super::{Change, Side};
use crate::contract::tenant::State;
use crate::plan::{NamespacePlan, PeerPlan, Plan, PortPlan, TenantPlan, WherePlan};
use crate::review::rules::tenant_of;

/// The most tenants whose matrix is drawn whole, and whose networks are drawn.
pub const MOST: usize = 200;

/// Who reaches whom.
#[derive(Debug)]
pub struct Map {
    /// The tenants of the matrix.
    pub tenants: Vec<Arc<str>>,
    /// Whether these are all.
    pub is_whole: bool,
    /// Who reaches whom.
    pub pairs: Vec<Reach>,
    /// The networks of tenants that change.
    pub pictures: Vec<(Arc<str>, Vec<Edge>)>,
}

/// One tenant that reaches another one, on one side of the change at least.
#[derive(Debug)]
pub struct Reach {
    /// Who opens connections.
    pub from: Arc<str>,
    /// Who answers.
    pub to: Arc<str>,
    /// The ports, in words, before and after; none: it does not reach him then.
    pub sides: [Vec<String>; 2],
}

/// One line of a tenant's network.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// `ingress` or `egress`.
    pub direction: &'static str,
    /// The other end, in words.
    pub peer: String,
    /// What the other end is.
    pub kind: &'static str,
    /// Ports, in words.
    pub ports: String,
    /// Namespaces of the tenant that have it.
    pub namespaces: BTreeSet<Arc<str>>,
    /// Whether it is there before and after.
    pub sides: [bool; 2],
}

/// Draws it; `None` without plans, such as of folders of manifests made by anything.
pub fn map(change: &Change<'_>) -> Option<Map> {
    let [before, after] = change.plans;
    after?;
    let changed: BTreeSet<&str> = change.pairs.iter().filter_map(|pair| pair.tenant()).collect();
    let names: BTreeSet<Arc<str>> =
        [before, after].into_iter().flatten().flat_map(|plan| &plan.tenants).map(|t| Arc::clone(&t.name)).collect();
    let is_whole = names.len() <= MOST;
    type Ends = (Arc<str>, Arc<str>);
    let mut pairs: BTreeMap<Ends, [Vec<String>; 2]> = BTreeMap::new();
    for (side, plan) in [before, after].into_iter().enumerate() {
        let Some(plan) = plan else { continue };
        for tenant in &plan.tenants {
            // Pods of one namespace always reach each other; beyond a screenful that is no news.
            if is_whole && tenant.namespaces.iter().any(|n| n.state == State::Active) {
                let own = (Arc::clone(&tenant.name), Arc::clone(&tenant.name));
                pairs.entry(own).or_default()[side].push("every port, within a namespace".to_owned());
            }
            for (to, ports) in reached(plan, tenant) {
                pairs.entry((Arc::clone(&tenant.name), to)).or_default()[side].push(ports);
            }
        }
    }
    let pictured = changed.iter().take(MOST);
    let pictures = pictured.map(|name| (Arc::from(*name), edges([before, after], name))).collect();
    let tenants: Vec<Arc<str>> = if is_whole {
        names.into_iter().collect()
    } else {
        let mut seen: BTreeSet<Arc<str>> = changed.iter().take(MOST).map(|name| Arc::from(*name)).collect();
        seen.extend(pairs.keys().flat_map(|(from, to)| [Arc::clone(from), Arc::clone(to)]).take(MOST));
        seen.into_iter().collect()
    };
    let pairs = pairs.into_iter().map(|((from, to), sides)| Reach { from, to, sides: sides.map(sorted) }).collect();
    Some(Map { tenants, is_whole, pairs, pictures })
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts.dedup();
    texts
}

/// The tenants that a tenant reaches: both have to say so.
fn reached<'p>(plan: &'p Plan, tenant: &'p TenantPlan) -> Vec<(Arc<str>, String)> {
    let mut all = Vec::new();
    for out in &tenant.egress {
        let to = match &out.whom {
            WherePlan::Tenant(name) => tenant_of(plan, name),
            WherePlan::Namespace(name) => plan.tenants.iter().find(|t| t.namespaces.iter().any(|n| *n.name == **name)),
            WherePlan::Cidr(..) => None,
        };
        let Some(to) = to else { continue };
        for into in &to.ingress {
            let is_mine = match &into.whom {
                WherePlan::Tenant(name) => **name == *tenant.name,
                WherePlan::Namespace(name) => tenant.namespaces.iter().any(|n| *n.name == **name),
                WherePlan::Cidr(..) => false,
            };
            if let Some(ports) = is_mine.then(|| common(&out.ports, &into.ports)).flatten() {
                all.push((Arc::clone(&to.name), format!("{}{}", ports_of(&ports), labels(out, into))));
            }
        }
    }
    all
}

fn labels(out: &PeerPlan, into: &PeerPlan) -> String {
    let list = |peer: &PeerPlan| peer.pod_labels.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(",");
    match (list(into), list(out)) {
        (from, to) if from.is_empty() && to.is_empty() => String::new(),
        (from, to) if to.is_empty() => format!(" from pods with {from}"),
        (from, to) if from.is_empty() => format!(" to pods with {to}"),
        (from, to) => format!(" from pods with {from} to pods with {to}"),
    }
}

/// The ports that both allow; empty lists allow all. `None`: there is none.
fn common(a: &[PortPlan], b: &[PortPlan]) -> Option<Vec<PortPlan>> {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => Some(b.to_vec()),
        (false, true) => Some(a.to_vec()),
        (false, false) => {
            let mut both = Vec::new();
            for a in a {
                for b in b.iter().filter(|b| b.protocol == a.protocol) {
                    let (first, last) = (a.port.max(b.port), a.end.unwrap_or(a.port).min(b.end.unwrap_or(b.port)));
                    if first <= last {
                        both.push(PortPlan { protocol: a.protocol, port: first, end: (last > first).then_some(last) });
                    }
                }
            }
            (!both.is_empty()).then_some(both)
        }
    }
}

fn ports_of(ports: &[PortPlan]) -> String {
    if ports.is_empty() {
        return "every port".to_owned();
    }
    let each =
        ports.iter().map(|p| Ports { protocol: p.protocol, which: Which::Range(p.port, p.end.unwrap_or(p.port)) });
    ports_text(&each.collect::<Vec<_>>())
}

/// The network of a tenant, on both sides.
fn edges(plans: [Option<&Plan>; 2], name: &str) -> Vec<Edge> {
    let mut all: BTreeMap<Line, (BTreeSet<Arc<str>>, [bool; 2])> = BTreeMap::new();
    for side in [Side::Before, Side::After] {
        let Some(plan) = plans[side as usize] else { continue };
        let Some(tenant) = tenant_of(plan, name) else { continue };
        for namespace in tenant.namespaces.iter().filter(|n| n.state == State::Active) {
            for (direction, peer, kind, ports) in of_namespace(plan, tenant, namespace) {
                let edge = all.entry((direction, peer, kind, ports)).or_default();
                edge.0.insert(Arc::clone(&namespace.name));
                edge.1[side as usize] = true;
            }
        }
    }
    let each = all.into_iter().map(|((direction, peer, kind, ports), (namespaces, sides))| Edge {
        direction,
        peer,
        kind,
        ports,
        namespaces,
        sides,
    });
    each.collect()
}

/// Direction, peer, kind of peer, ports.
type Line = (&'static str, String, &'static str, String);

fn of_namespace(plan: &Plan, tenant: &TenantPlan, namespace: &NamespacePlan) -> Vec<Line> {
    let network = &plan.platform.network;
    let all = || "every port".to_owned();
    let mut lines: Vec<Line> = vec![("egress", "the same namespace".to_owned(), "same-namespace", all())];
    let dns: Vec<String> = network.dns_ports.iter().map(ToString::to_string).collect();
    let dns_ports = format!("TCP and UDP {}", dns.join(", "));
    lines.push(("egress", format!("DNS in {}", network.dns_namespace), "namespace", dns_ports));
    if namespace.internet && !network.internet.is_empty() {
        lines.push(("egress", "the internet".to_owned(), "internet", all()));
    }
    if let Some((nets, ports)) = network.api_server.as_ref().filter(|_| tenant.api_server) {
        let nets: Vec<String> = nets.iter().map(ToString::to_string).collect();
        let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
        lines.push((
            "egress",
            format!("the API server at {}", nets.join(", ")),
            "cidr",
            format!("TCP {}", ports.join(", ")),
        ));
    }
    if !network.platform_labels.is_empty() {
        lines.push(("ingress", format!("the platform in {}", plan.platform.namespace), "namespace", all()));
    }
    for from in &network.ingress_from {
        lines.push(("ingress", from.namespace.clone(), "namespace", ports_of(&from.ports)));
    }
    for (direction, peers) in [("egress", &tenant.egress), ("ingress", &tenant.ingress)] {
        for peer in peers {
            let (text, kind) = match &peer.whom {
                WherePlan::Cidr(net, except) if except.is_empty() => (net.to_string(), "cidr"),
                WherePlan::Cidr(net, except) => (format!("{net} without {} ranges", except.len()), "cidr"),
                WherePlan::Namespace(name) => (name.clone(), "namespace"),
                WherePlan::Tenant(name) => (name.clone(), "tenant"),
            };
            lines.push((direction, text, kind, ports_of(&peer.ports)));
        }
    }
    lines
}
