//! `NetworkPolicy`: nothing in, nothing out, and then each opening as an object of its own, so that a reviewer sees it
//! come and go by name.

use std::collections::BTreeMap;

use ipnet::IpNet;
use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicy, NetworkPolicyEgressRule as EgressRule, NetworkPolicyIngressRule as IngressRule,
    NetworkPolicyPeer as Peer, NetworkPolicyPort as Port, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Build, InNamespace, Kind, Object, meta};
use crate::contract::platform::Protocol;
use crate::contract::tenant::State;
use crate::place::Place;
use crate::plan::{NetworkPlan, PeerPlan, PlatformPlan, PortPlan, WherePlan};

/// The row of [`super::KINDS`].
pub const KIND: Kind =
    Kind { group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy", build: Build::Namespace(build) };

/// `tenant-isolation`, and a `tenant-allow-…` for each opening. A namespace that is not active has the first alone, and
/// nothing opened in it.
fn build(scope: &InNamespace<'_>) -> Vec<Object> {
    let active = scope.namespace.state == State::Active;
    if !active {
        return vec![shared(scope, "tenant-isolation", 0, || isolation(false))];
    }
    let network = &scope.platform.network;
    let mut policies = vec![
        shared(scope, "tenant-isolation", 1, || isolation(true)),
        shared(scope, "tenant-allow-dns", 0, || egress(vec![to_dns(network)])),
    ];
    if !network.platform_labels.is_empty() || !network.ingress_from.is_empty() {
        let policy = shared(scope, "tenant-allow-platform", 0, || platform(scope.platform));
        let doc = &scope.platform.doc;
        policies.push(match doc.content.spec.network.ingress_from.first() {
            Some(first) => policy.from("/spec/ingress", doc.at(first.span)),
            None => policy,
        });
    }
    policies.extend(internet(scope));
    policies.extend(api_server(scope));
    policies.extend(peers(scope));
    policies
}

/// Both directions closed, but for pods of the same namespace.
fn isolation(same_namespace: bool) -> NetworkPolicySpec {
    let everyone_here = || vec![Peer { pod_selector: Some(LabelSelector::default()), ..Peer::default() }];
    let (mut ingress, mut egress) = (Vec::new(), Vec::new());
    if same_namespace {
        ingress.push(IngressRule { from: Some(everyone_here()), ports: None });
        egress.push(EgressRule { to: Some(everyone_here()), ports: None });
    }
    NetworkPolicySpec {
        pod_selector: Some(LabelSelector::default()),
        policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
        // Left out where they are empty: the API server stores no empty list, counts each apply of one as a change, and leaves
        // what somebody else adds all the same (seen with 1.34 to 1.37).
        ingress: (!ingress.is_empty()).then_some(ingress),
        egress: (!egress.is_empty()).then_some(egress),
    }
}

/// The cluster's DNS: by the name that the API server gives its namespace, never by a label that anyone may set.
pub fn to_dns(network: &NetworkPlan) -> EgressRule {
    let pods = Peer {
        namespace_selector: Some(by_name(&network.dns_namespace)),
        pod_selector: Some(labelled(&network.dns_labels)),
        ..Peer::default()
    };
    let to = std::iter::once(pods).chain(network.dns_cidrs.iter().map(|net| block(net, &[]))).collect();
    let both =
        |port: &u16| [Protocol::Udp, Protocol::Tcp].map(|protocol| PortPlan { protocol, port: *port, end: None });
    let ports: Vec<PortPlan> = network.dns_ports.iter().flat_map(both).collect();
    EgressRule { to: Some(to), ports: port_list(&ports) }
}

/// The API server, at its addresses.
pub fn to_api_server(nets: &[IpNet], ports: &[u16]) -> EgressRule {
    EgressRule { to: Some(nets.iter().map(|net| block(net, &[])).collect()), ports: tcp(ports.iter().copied()) }
}

/// Ports of TCP.
pub fn tcp(ports: impl IntoIterator<Item: Into<i32>>) -> Option<Vec<Port>> {
    let port = |port: i32| Port {
        port: Some(IntOrString::Int(port)),
        protocol: Some(Protocol::Tcp.as_str().to_owned()),
        ..Port::default()
    };
    Some(ports.into_iter().map(|number| port(number.into())).collect())
}

/// Pods of the platform, of ingress controllers, of monitoring.
fn platform(platform: &PlatformPlan) -> NetworkPolicySpec {
    let network = &platform.network;
    let pods = |namespace: &str, labels: &BTreeMap<String, String>| Peer {
        namespace_selector: Some(by_name(namespace)),
        pod_selector: (!labels.is_empty()).then(|| labelled(labels)),
        ..Peer::default()
    };
    let mut rules = Vec::new();
    if !network.platform_labels.is_empty() {
        let from = vec![pods(&platform.namespace, &network.platform_labels)];
        rules.push(IngressRule { from: Some(from), ports: None });
    }
    rules.extend(network.ingress_from.iter().map(|from| IngressRule {
        from: Some(vec![pods(&from.namespace, &from.pod_labels)]),
        ports: port_list(&from.ports),
    }));
    NetworkPolicySpec {
        pod_selector: Some(LabelSelector::default()),
        policy_types: Some(vec!["Ingress".to_owned()]),
        ingress: Some(rules),
        egress: None,
    }
}

/// Public addresses, a rule a family, each without what must stay closed in it.
fn internet(scope: &InNamespace<'_>) -> Option<Object> {
    // A family that is blocked as a whole is not opened; there may be none left.
    if !scope.namespace.internet || scope.platform.network.internet.is_empty() {
        return None;
    }
    let rule = |(net, except): &(IpNet, Vec<IpNet>)| EgressRule { to: Some(vec![block(net, except)]), ports: None };
    let object = shared(scope, "tenant-allow-internet", 0, || {
        egress(scope.platform.network.internet.iter().map(rule).collect())
    });
    let own = scope.tenant.doc.content.spec.egress.internet.map(|i| scope.tenant.doc.at(i.span));
    let tier = &scope.namespace.tier.doc;
    let cause = own.or_else(|| tier.content.spec.egress.map(|e| tier.at(e.span))).unwrap_or_else(|| at(scope));
    Some(object.from("/spec/egress", cause))
}

/// The API server, for tenants that asked.
fn api_server(scope: &InNamespace<'_>) -> Option<Object> {
    let (nets, ports) = scope.platform.network.api_server.as_ref().filter(|_| scope.tenant.api_server)?;
    let object = shared(scope, "tenant-allow-api-server", 0, || egress(vec![to_api_server(nets, ports)]));
    let asked = scope.tenant.doc.content.spec.egress.api_server.map_or(scope.namespace.span, |a| a.span);
    let cause = scope.tenant.doc.at(asked);
    Some(object.from("/spec/egress", cause))
}

/// What the tenant itself allows.
fn peers(scope: &InNamespace<'_>) -> Option<Object> {
    let InNamespace { tenant, .. } = scope;
    if tenant.egress.is_empty() && tenant.ingress.is_empty() {
        return None;
    }
    let out = tenant.egress.iter().map(|p| EgressRule { to: Some(vec![peer(p)]), ports: port_list(&p.ports) });
    let r#in = tenant.ingress.iter().map(|p| IngressRule { from: Some(vec![peer(p)]), ports: port_list(&p.ports) });
    let (egress, ingress): (Vec<_>, Vec<_>) = (out.collect(), r#in.collect());
    let types = [("Ingress", ingress.is_empty()), ("Egress", egress.is_empty())];
    let spec = NetworkPolicySpec {
        pod_selector: Some(LabelSelector::default()),
        policy_types: Some(types.iter().filter(|(_, empty)| !empty).map(|(t, _)| (*t).to_owned()).collect()),
        egress: (!egress.is_empty()).then_some(egress),
        ingress: (!ingress.is_empty()).then_some(ingress),
    };
    let metadata = meta::in_namespace(scope, "tenant-allow-peers");
    let mut object = Object::new(NetworkPolicy { metadata, spec: Some(spec) }, at(scope));
    for (direction, peers) in [("egress", &tenant.egress), ("ingress", &tenant.ingress)] {
        for (index, peer) in peers.iter().enumerate() {
            object = object.from(format!("/spec/{direction}/{index}"), tenant.doc.at(peer.span));
        }
    }
    Some(object)
}

fn peer(plan: &PeerPlan) -> Peer {
    let pod_selector = (!plan.pod_labels.is_empty()).then(|| labelled(&plan.pod_labels));
    match &plan.whom {
        WherePlan::Cidr(net, except) => block(net, except),
        WherePlan::Namespace(name) => Peer { namespace_selector: Some(by_name(name)), pod_selector, ip_block: None },
        WherePlan::Tenant(name) => {
            let label = BTreeMap::from([(meta::TENANT.to_owned(), name.clone())]);
            Peer { namespace_selector: Some(labelled(&label)), pod_selector, ip_block: None }
        }
    }
}

fn at(scope: &InNamespace<'_>) -> Place {
    scope.tenant.doc.at(scope.namespace.span)
}

fn egress(rules: Vec<EgressRule>) -> NetworkPolicySpec {
    NetworkPolicySpec {
        pod_selector: Some(LabelSelector::default()),
        policy_types: Some(vec!["Egress".to_owned()]),
        egress: Some(rules),
        ingress: None,
    }
}

/// A policy that is the same in every namespace that has it, or in one of a few variants.
fn shared(
    scope: &InNamespace<'_>,
    name: &'static str,
    variant: usize,
    spec: impl FnOnce() -> NetworkPolicySpec,
) -> Object {
    Object::joined::<NetworkPolicy>(scope, name, scope.specs.part((KIND.kind, name, variant), "spec", spec))
}

fn by_name(namespace: &str) -> LabelSelector {
    labelled(&BTreeMap::from([(meta::NAMESPACE_NAME.to_owned(), namespace.to_owned())]))
}

fn labelled(labels: &BTreeMap<String, String>) -> LabelSelector {
    LabelSelector { match_labels: Some(labels.clone()), match_expressions: None }
}

fn block(net: &IpNet, except: &[IpNet]) -> Peer {
    let except = (!except.is_empty()).then(|| except.iter().map(ToString::to_string).collect());
    Peer { ip_block: Some(IPBlock { cidr: net.to_string(), except }), ..Peer::default() }
}

fn port_list(ports: &[PortPlan]) -> Option<Vec<Port>> {
    let port = |p: &PortPlan| Port {
        port: Some(IntOrString::Int(p.port.into())),
        end_port: p.end.map(i32::from),
        protocol: Some(p.protocol.as_str().to_owned()),
    };
    (!ports.is_empty()).then(|| ports.iter().map(port).collect())
}
