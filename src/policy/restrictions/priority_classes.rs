//! Before whom pods are scheduled.

use super::{About, Example, PLAIN, Restriction, SAME, any_name, same, stated};

/// The row of [`super::RESTRICTIONS`]. A pod that names none is nobody's better; where the cluster has a default, the API server
/// has named it before it asks, and the list has to.
///
/// Source: <https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/>
pub const RESTRICTION: Restriction = Restriction {
    id: "priority-classes",
    field: "priorityClasses",
    title: "another PriorityClass",
    why: "Pods of a higher class evict those of others.",
    fix: "State a `priorityClassName` of the list, or none.",
    what: "priority class",
    about: About::Pods,
    entry: any_name,
    items: |spec| stated(&spec["priorityClassName"]),
    items_cel: "has($of.priorityClassName) && $of.priorityClassName != '' ? [$of.priorityClassName] : []",
    allows: same,
    allows_cel: SAME,
    examples: &[
        Example { about: "of the list", list: &["batch"], refused: &[], object: "priorityClassName: batch" },
        Example { about: "none", list: &[], refused: &[], object: "containers: [{name: a}]" },
        Example {
            about: "one of the cluster's",
            list: &["batch"],
            refused: &["system-cluster-critical"],
            object: "priorityClassName: system-cluster-critical",
        },
    ],
    ..PLAIN
};
