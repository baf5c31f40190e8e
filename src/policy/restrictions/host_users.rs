//! Whether a pod's root is root on the node.

use super::{About, Example, PLAIN, Restriction, SAME, same};

/// The row of [`super::RESTRICTIONS`]. `hostUsers: false` of a Platform or Tier stands for a list of that one word.
///
/// Source: <https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/>
pub const RESTRICTION: Restriction = Restriction {
    id: "host-users",
    field: "hostUsers",
    title: "a pod without a user namespace",
    why: "What breaks out of a container is on the node who it was inside, and root inside is root there.",
    fix: "State `hostUsers: false` for the pod.",
    what: "hostUsers",
    about: About::Pods,
    entry: |entry| if entry == "false" { Ok(()) } else { Err("expected `false`".to_owned()) },
    items: |spec| vec![(!spec.is_object() || spec["hostUsers"] != false).to_string()],
    items_cel: "[has($of.hostUsers) && !$of.hostUsers ? 'false' : 'true']",
    allows: same,
    allows_cel: SAME,
    examples: &[
        Example { about: "not said", list: &["false"], refused: &["true"], object: "containers: [{name: a}]" },
        Example { about: "of the node", list: &["false"], refused: &["true"], object: "hostUsers: true" },
        Example { about: "its own", list: &["false"], refused: &[], object: "hostUsers: false" },
    ],
    ..PLAIN
};
