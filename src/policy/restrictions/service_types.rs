//! How Services are reached.

use super::{About, Example, PLAIN, Restriction, SAME, same};

/// Services.
pub const SERVICES: About = About::Objects(&[("", "services", "Service")]);

/// The row of [`super::RESTRICTIONS`].
///
/// Source: <https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types>
pub const RESTRICTION: Restriction = Restriction {
    id: "service-types",
    field: "serviceTypes",
    title: "a Service of another type",
    why: "A NodePort passes by NetworkPolicies of the node, and an ExternalName makes what is inside speak to whatever it names.",
    fix: "State a `type` of the list; without one it is ClusterIP.",
    what: "Service type",
    about: SERVICES,
    entry: |entry| {
        let known = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"];
        if known.contains(&entry) {
            Ok(())
        } else {
            Err(format!("expected {}", crate::yaml::shape::list(known.into_iter())))
        }
    },
    items: |object| {
        let Some(spec) = object["spec"].as_object() else { return Vec::new() };
        vec![
            spec.get("type")
                .and_then(|value| value.as_str())
                .filter(|kind| !kind.is_empty())
                .unwrap_or("ClusterIP")
                .to_owned(),
        ]
    },
    items_cel: "has($of.spec) ? [has($of.spec.type) && $of.spec.type != '' ? $of.spec.type : 'ClusterIP'] : []",
    allows: same,
    allows_cel: SAME,
    examples: &[
        Example {
            about: "not said",
            list: &["ClusterIP"],
            refused: &[],
            object: "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}",
        },
        Example {
            about: "a name of another place",
            list: &["ClusterIP", "LoadBalancer"],
            refused: &["ExternalName"],
            object: "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: ExternalName, externalName: a.example.org}}",
        },
        Example {
            about: "a port of every node",
            list: &["ClusterIP"],
            refused: &["NodePort"],
            object: "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: NodePort, ports: [{port: 80}]}}",
        },
    ],
    ..PLAIN
};
