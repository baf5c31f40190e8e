//! On which node a pod is, without asking the scheduler.

use super::{About, Example, PLAIN, Restriction, SAME, any_name, same, stated};

/// The row of [`super::RESTRICTIONS`]. It is asked when a pod is made: the scheduler names the node later.
///
/// Source: <https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename>
pub const RESTRICTION: Restriction = Restriction {
    id: "node-names",
    field: "nodeNames",
    title: "a pod that names its node",
    why: "Whoever names a node passes by the scheduler: taints and free space are not looked at.",
    fix: "Leave `nodeName` out, and let the scheduler choose.",
    what: "node",
    about: About::Pods,
    entry: any_name,
    items: |spec| stated(&spec["nodeName"]),
    items_cel: "has($of.nodeName) && $of.nodeName != '' ? [$of.nodeName] : []",
    allows: same,
    allows_cel: SAME,
    examples: &[
        Example {
            about: "left to the scheduler",
            list: &[],
            refused: &[],
            object: "nodeSelector: {kubernetes.io/hostname: a}",
        },
        Example { about: "named", list: &[], refused: &["control-plane-1"], object: "nodeName: control-plane-1" },
        Example { about: "of the list", list: &["lab-1"], refused: &[], object: "nodeName: lab-1" },
    ],
    ..PLAIN
};
