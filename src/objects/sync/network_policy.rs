//! `NetworkPolicy` of `mtp sync`: it reaches DNS, the API server, git, and the webhook that it is about to have asked.

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyEgressRule as EgressRule, NetworkPolicyPeer as Peer, NetworkPolicySpec,
};

use super::{NAME, PORT, scope};
use crate::objects::webhook::network_policy::{pods, rule};
use crate::objects::{Build, Kind, Object, meta, network_policy, webhook};
use crate::plan::Plan;

/// The row of [`crate::objects::KINDS`].
pub const KIND: Kind =
    Kind { group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy", build: Build::Platform(build) };

/// Ports at which API servers answer, where the Platform does not say.
const API_SERVER: [u16; 2] = [443, 6443];

/// What has no address that is known stands at any, at its port: some network plugins match neither the API server nor pods,
/// such as those of a git server in the cluster, by an address.
fn build(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let network = &scope.platform.network;
    let anywhere = |ports: &[u16]| EgressRule { to: None, ports: network_policy::tcp(ports.iter().copied()) };
    let api_server = match &network.api_server {
        Some((nets, ports)) => network_policy::to_api_server(nets, ports),
        None => anywhere(&API_SERVER),
    };
    let mut egress = vec![network_policy::to_dns(network), api_server, anywhere(&[scope.sync.git_port])];
    if scope.platform.admission.webhook.is_some() {
        let to = Peer { pod_selector: Some(webhook::selector()), ..Peer::default() };
        egress.push(EgressRule { to: Some(vec![to]), ports: network_policy::tcp([webhook::PORT]) });
    }
    let metrics: Vec<Peer> = scope.sync.metrics_from.iter().map(pods).collect();
    let spec = NetworkPolicySpec {
        pod_selector: Some(meta::pods(NAME)),
        policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
        ingress: (!metrics.is_empty()).then(|| vec![rule(Some(metrics), PORT)]),
        egress: Some(egress),
    };
    let policy = NetworkPolicy { metadata: scope.metadata(), spec: Some(spec) };
    vec![Object::new(policy, scope.sync.at.clone())]
}
