//! `NetworkPolicy` of the webhook: it is called, and calls nobody.

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{METRICS_PORT, NAME, PORT, scope, selector};
use crate::objects::{Build, Kind, Object, meta, sync};
use crate::plan::Plan;
use crate::plan::admission::PodsPlan;

/// The row of [`crate::objects::KINDS`].
pub const KIND: Kind =
    Kind { group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy", build: Build::Platform(build) };

/// The API server is no pod and has no labels: it is told by its addresses, or not at all. The probes of the kubelet come
/// through any policy.
fn build(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let block = |net: &ipnet::IpNet| NetworkPolicyPeer {
        ip_block: Some(IPBlock { cidr: net.to_string(), except: None }),
        ..NetworkPolicyPeer::default()
    };
    let mut clients: Vec<NetworkPolicyPeer> = scope.webhook.clients.iter().map(block).collect();
    // Before the API server is told to ask it, `mtp sync` looks whether it answers.
    if !clients.is_empty() && scope.platform.sync.is_some() {
        clients.push(NetworkPolicyPeer { pod_selector: Some(meta::pods(sync::NAME)), ..NetworkPolicyPeer::default() });
    }
    let mut ingress = vec![rule((!clients.is_empty()).then_some(clients), PORT)];
    if !scope.webhook.metrics_from.is_empty() {
        ingress.push(rule(Some(scope.webhook.metrics_from.iter().map(pods).collect()), METRICS_PORT));
    }
    let spec = NetworkPolicySpec {
        pod_selector: Some(selector()),
        policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
        ingress: Some(ingress),
        egress: None,
    };
    let policy = NetworkPolicy { metadata: scope.metadata(NAME), spec: Some(spec) };
    vec![Object::new(policy, scope.webhook.at.clone())]
}

/// Lets peers in at a port; `None`: everybody.
pub fn rule(from: Option<Vec<NetworkPolicyPeer>>, port: i32) -> NetworkPolicyIngressRule {
    let port = NetworkPolicyPort {
        port: Some(IntOrString::Int(port)),
        protocol: Some("TCP".to_owned()),
        ..NetworkPolicyPort::default()
    };
    NetworkPolicyIngressRule { from, ports: Some(vec![port]) }
}

/// Pods of a namespace.
pub fn pods((namespace, pod_labels): &PodsPlan) -> NetworkPolicyPeer {
    let labelled =
        |labels: BTreeMap<String, String>| LabelSelector { match_labels: Some(labels), match_expressions: None };
    NetworkPolicyPeer {
        namespace_selector: Some(labelled([(meta::NAMESPACE_NAME.to_owned(), namespace.clone())].into())),
        pod_selector: (!pod_labels.is_empty()).then(|| labelled(pod_labels.clone())),
        ip_block: None,
    }
}
