//! By what containers are run.

use super::{About, Example, PLAIN, Restriction, SAME, any_name, same};

/// The row of [`super::RESTRICTIONS`]. A pod that names none, and so is run as the node runs others, names `""`.
///
/// Source: <https://kubernetes.io/docs/concepts/containers/runtime-class/>
pub const RESTRICTION: Restriction = Restriction {
    id: "runtime-classes",
    field: "runtimeClasses",
    title: "another RuntimeClass",
    why: "A tier that is to run in a sandbox does so only if its pods say so.",
    fix: "State a `runtimeClassName` of the list; `\"\"` in the list stands for pods that name none.",
    what: "runtime class",
    about: About::Pods,
    entry: any_name,
    items: |spec| vec![spec["runtimeClassName"].as_str().unwrap_or_default().to_owned()],
    items_cel: "[has($of.runtimeClassName) ? $of.runtimeClassName : '']",
    allows: same,
    allows_cel: SAME,
    examples: &[
        Example { about: "named", list: &["gvisor"], refused: &[], object: "runtimeClassName: gvisor" },
        Example { about: "another one", list: &["gvisor"], refused: &["kata"], object: "runtimeClassName: kata" },
        Example { about: "none", list: &["gvisor"], refused: &[""], object: "containers: [{name: a}]" },
        Example { about: "none, which is let", list: &["", "gvisor"], refused: &[], object: "containers: [{name: a}]" },
    ],
    ..PLAIN
};
