//! Which load balancers Services get.

use super::service_types::SERVICES;
use super::{Example, PLAIN, Restriction, SAME, same, stated};

/// The row of [`super::RESTRICTIONS`]. A Service that names none gets the cluster's.
///
/// Source: <https://kubernetes.io/docs/concepts/services-networking/service/#load-balancer-class>
pub const RESTRICTION: Restriction = Restriction {
    id: "load-balancer-classes",
    field: "loadBalancerClasses",
    title: "a load balancer of another class",
    why: "Classes stand for networks: one of them is open to the internet.",
    fix: "State a `loadBalancerClass` of the list, or none.",
    what: "load balancer class",
    about: SERVICES,
    entry: |entry| {
        let is_class = crate::names::is_qualified(entry);
        if is_class { Ok(()) } else { Err("expected a class such as `example.org/internal`".to_owned()) }
    },
    items: |object| stated(&object["spec"]["loadBalancerClass"]),
    items_cel: "has($of.spec) && has($of.spec.loadBalancerClass) && $of.spec.loadBalancerClass != '' ? [$of.spec.loadBalancerClass] : []",
    allows: same,
    allows_cel: SAME,
    examples: &[
        Example {
            about: "of the list",
            list: &["example.org/internal"],
            refused: &[],
            object: "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: LoadBalancer, loadBalancerClass: example.org/internal, ports: [{port: 80}]}}",
        },
        Example {
            about: "another one",
            list: &["example.org/internal"],
            refused: &["example.org/internet"],
            object: "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: LoadBalancer, loadBalancerClass: example.org/internet, ports: [{port: 80}]}}",
        },
    ],
    ..PLAIN
};
