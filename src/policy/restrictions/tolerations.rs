//! On which nodes with taints pods may be.

use super::{About, Example, PLAIN, Restriction, SAME, add, each, same};

/// The row of [`super::RESTRICTIONS`]. Entries are keys of taints; `*` is a toleration of all. What Kubernetes itself taints
/// nodes with (`node.kubernetes.io/…`) is not asked about: its controllers give such tolerations to pods.
///
/// Source: <https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/>
pub const RESTRICTION: Restriction = Restriction {
    id: "tolerations",
    field: "tolerations",
    title: "a toleration of another taint",
    why: "Taints keep nodes for others: the control plane, another tenant's pool, expensive hardware.",
    fix: "Tolerate taints of the list alone; an `operator: Exists` without a `key` tolerates all.",
    what: "toleration of",
    about: About::Pods,
    entry: |entry| {
        let (prefix, name) = entry.split_once('/').unwrap_or(("", entry));
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) && !name.is_empty();
        let is_key = entry == "*" || is_name && (prefix.is_empty() || crate::names::is_dns_subdomain(prefix));
        if is_key { Ok(()) } else { Err("expected the key of a taint".to_owned()) }
    },
    items: |spec| {
        let mut all = Vec::new();
        for toleration in each(&spec["tolerations"]).filter(|toleration| toleration.is_object()) {
            match toleration["key"].as_str().unwrap_or_default() {
                "" => add(&mut all, "*"),
                key if key.starts_with("node.kubernetes.io/") => {}
                key => add(&mut all, key),
            }
        }
        all
    },
    items_cel: "has($of.tolerations) ? $of.tolerations.filter(t, !(has(t.key) && t.key.startsWith('node.kubernetes.io/')))\n\
                .map(t, has(t.key) && t.key != '' ? t.key : '*') : []",
    allows: same,
    allows_cel: SAME,
    examples: &[
        Example {
            about: "of the list, and Kubernetes' own",
            list: &["example.org/pool"],
            refused: &[],
            object: "tolerations: [{key: example.org/pool, operator: Exists}, {key: node.kubernetes.io/not-ready, effect: NoExecute}]",
        },
        Example {
            about: "of all",
            list: &["example.org/pool"],
            refused: &["*"],
            object: "tolerations: [{operator: Exists}]",
        },
        Example {
            about: "of the control plane",
            list: &[],
            refused: &["node-role.kubernetes.io/control-plane"],
            object: "tolerations: [{key: node-role.kubernetes.io/control-plane, effect: NoSchedule}]",
        },
    ],
    ..PLAIN
};
