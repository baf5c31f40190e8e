//! Which addresses a Service takes traffic of.

use super::service_types::SERVICES;
use super::{About, Example, PLAIN, Restriction, add, each, networks, stated};

/// The row of [`super::RESTRICTIONS`]. Entries are addresses and ranges. `loadBalancerIP` is one, too: some load balancers give
/// whoever asks the address that he asks for.
///
/// Source: CVE-2020-8554, <https://github.com/kubernetes/kubernetes/issues/97076>
pub const RESTRICTION: Restriction = Restriction {
    id: "external-ips",
    field: "externalIPs",
    title: "an external address of nobody, or of somebody else",
    why: "A Service gets the traffic of the cluster to any address that it names in `externalIPs`, other people's included; a load balancer may give it what it names in `loadBalancerIP`.",
    fix: "Leave `externalIPs` and `loadBalancerIP` out, or name addresses of the list.",
    what: "external address",
    about: ABOUT,
    entry: networks::entry,
    items: |object| {
        let mut all = Vec::new();
        each(&object["spec"]["externalIPs"]).filter_map(|ip| ip.as_str()).for_each(|ip| add(&mut all, ip));
        stated(&object["spec"]["loadBalancerIP"]).into_iter().for_each(|ip| add(&mut all, ip));
        all
    },
    items_cel: "(has($of.spec) && has($of.spec.externalIPs) ? $of.spec.externalIPs : [])\n\
                + (has($of.spec) && has($of.spec.loadBalancerIP) && $of.spec.loadBalancerIP != '' ? [$of.spec.loadBalancerIP] : [])",
    covers: Some(networks::holds_range_of),
    allows: networks::holds_address,
    allows_cel: networks::HOLDS_ADDRESS,
    examples: &[
        Example {
            about: "none",
            list: &[],
            refused: &[],
            object: "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}",
        },
        Example {
            about: "of the list, and of another one",
            list: &["192.0.2.0/28", "2001:db8::1"],
            refused: &["198.51.100.1"],
            object: "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}], externalIPs: [192.0.2.3, 198.51.100.1, \"2001:db8::1\"]}}",
        },
        Example {
            about: "of a load balancer",
            list: &["192.0.2.0/28"],
            refused: &["198.51.100.7"],
            object: "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: LoadBalancer, loadBalancerIP: 198.51.100.7, ports: [{port: 80}]}}",
        },
    ],
    ..PLAIN
};

const ABOUT: About = SERVICES;
