//! Who reaches load balancers.

use super::service_types::SERVICES;
use super::{Example, PLAIN, Restriction, add, each, networks};

/// The row of [`super::RESTRICTIONS`]. A load balancer that names no range is open to everybody, which is
/// `0.0.0.0/0`, and where it has IPv6 `::/0` as well; which families it has, the API server says before it asks.
///
/// Source: <https://kubernetes.io/docs/tasks/access-application-cluster/configure-cloud-provider-firewall/>
pub const RESTRICTION: Restriction = Restriction {
    id: "load-balancer-source-ranges",
    field: "loadBalancerSourceRanges",
    title: "a load balancer that is open to others",
    why: "Without `loadBalancerSourceRanges`, whatever the tenant listens with stands open to the internet.",
    fix: "State `loadBalancerSourceRanges` within the ranges of the list.",
    what: "source range",
    about: SERVICES,
    entry: networks::entry,
    items: |object| {
        let spec = &object["spec"];
        if spec["type"] != "LoadBalancer" {
            return Vec::new();
        }
        let mut all = Vec::new();
        each(&spec["loadBalancerSourceRanges"])
            .filter_map(|range| range.as_str())
            .for_each(|range| add(&mut all, range));
        if all.is_empty() {
            let families: Vec<&str> = each(&spec["ipFamilies"]).filter_map(|family| family.as_str()).collect();
            if families.is_empty() || families.contains(&"IPv4") {
                add(&mut all, "0.0.0.0/0");
            }
            if families.contains(&"IPv6") {
                add(&mut all, "::/0");
            }
        }
        all
    },
    items_cel: "has($of.spec) && has($of.spec.type) && $of.spec.type == 'LoadBalancer'\n\
                ? (has($of.spec.loadBalancerSourceRanges) && size($of.spec.loadBalancerSourceRanges) > 0\n\
                ? $of.spec.loadBalancerSourceRanges : (has($of.spec.ipFamilies) && size($of.spec.ipFamilies) > 0 ? $of.spec.ipFamilies : ['IPv4'])\n\
                .map(f, f == 'IPv6' ? '::/0' : '0.0.0.0/0')) : []",
    covers: Some(networks::holds_range_of),
    allows: networks::holds_range,
    allows_cel: networks::HOLDS_RANGE,
    examples: &[
        Example {
            about: "within the list",
            list: &["10.0.0.0/8"],
            refused: &[],
            object: "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}], loadBalancerSourceRanges: [10.1.0.0/16]}}",
        },
        Example {
            about: "of everybody",
            list: &["10.0.0.0/8"],
            refused: &["0.0.0.0/0"],
            object: "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}]}}",
        },
        Example {
            about: "half of it outside",
            list: &["10.0.0.0/8"],
            refused: &["10.0.0.0/7"],
            object: "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: LoadBalancer, ports: [{port: 80}], loadBalancerSourceRanges: [10.0.0.0/7, 10.2.0.0/16]}}",
        },
        Example {
            about: "no load balancer",
            list: &[],
            refused: &[],
            object: "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}",
        },
    ],
    ..PLAIN
};
