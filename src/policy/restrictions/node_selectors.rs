//! Which nodes pods ask the scheduler for.

use serde_json::Value;

use super::{About, Example, PLAIN, Restriction, add, each};

/// The row of [`super::RESTRICTIONS`]. Entries are a label of nodes, `key=value`, or `key` for whatever is asked about it. Asked about
/// are `nodeSelector` and node affinity, required or preferred: `In` names values, every other operator the key, since whoever
/// excludes all pools but one has chosen it. Pods that go where other pods are (`podAffinity`) are not asked about.
///
/// The controller of DaemonSets binds each pod to a node by name, and puts that in place of the affinity that the template requires.
///
/// Source: <https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodeselector>,
/// `ReplaceDaemonSetPodNodeNameNodeAffinity` in `pkg/controller/daemon/util/daemonset_util.go` of kubernetes/kubernetes
pub const RESTRICTION: Restriction = Restriction {
    id: "node-selectors",
    field: "nodeSelectors",
    title: "a pod that asks for other nodes",
    why: "Whoever chooses nodes by their labels puts pods where another tenant's, or the control plane, are.",
    fix: "Ask for labels of the list alone, in `nodeSelector` and in node affinity, or leave both out.",
    what: "node selector",
    about: About::Placement,
    entry: |entry| {
        let (key, value) = entry.split_once('=').unwrap_or((entry, ""));
        if crate::names::is_qualified(key) && crate::names::is_label_value(value) {
            Ok(())
        } else {
            Err("expected a label of nodes, `key=value`, or `key` for any value of it".to_owned())
        }
    },
    items: |spec| {
        let mut all = Vec::new();
        for (key, value) in spec["nodeSelector"].as_object().into_iter().flatten() {
            add(&mut all, format!("{key}={}", value.as_str().unwrap_or_default()));
        }
        let affinity = &spec["affinity"]["nodeAffinity"];
        let required = each(&affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]);
        let preferred =
            each(&affinity["preferredDuringSchedulingIgnoredDuringExecution"]).map(|term| &term["preference"]);
        for term in required.chain(preferred) {
            for of in each(&term["matchExpressions"]).chain(each(&term["matchFields"])) {
                // As the text in CEL takes lists of lists apart.
                for item in named(of).iter().flat_map(|item| item.split('\n')).filter(|item| !item.is_empty()) {
                    add(&mut all, item);
                }
            }
        }
        all
    },
    // No label has a line's end: so lists of lists become one.
    items_cel: concat!(
        "(has($of.nodeSelector) ? $of.nodeSelector.map(k, k + '=' + $of.nodeSelector[k]) : [])\n",
        "+ (has($of.affinity) && has($of.affinity.nodeAffinity)\n",
        "? ((has($of.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution)\n",
        "? $of.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms : [])\n",
        "+ (has($of.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution)\n",
        "? $of.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.map(p, p.preference) : []))\n",
        ".map(t, ((has(t.matchExpressions) ? t.matchExpressions : []) + (has(t.matchFields) && !$pinned ? t.matchFields : []))\n",
        ".map(x, x.operator == 'In' ? x.values.map(v, x.key + '=' + v).join('\\n') : x.key).join('\\n'))\n",
        ".join('\\n').split('\\n').filter(i, i != '') : [])"
    ),
    allows: |entry, item| entry == item || !entry.contains('=') && item.split('=').next() == Some(entry),
    allows_cel: "i == e || !e.contains('=') && i.startsWith(e + '=')",
    examples: &[
        Example {
            about: "of the list, by value and by key",
            list: &["example.org/pool=web", "kubernetes.io/arch"],
            refused: &[],
            object: "{nodeSelector: {example.org/pool: web}, affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/arch, operator: In, values: [amd64, arm64]}]}]}}}}",
        },
        Example {
            about: "another pool",
            list: &["example.org/pool=web"],
            refused: &["example.org/pool=bank"],
            object: "nodeSelector: {example.org/pool: bank}",
        },
        Example {
            about: "by affinity, required and preferred",
            list: &["example.org/pool=web"],
            refused: &["example.org/pool=bank", "node-role.kubernetes.io/control-plane", "metadata.name=bank-1"],
            object: "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: example.org/pool, operator: In, values: [web, bank]}, {key: node-role.kubernetes.io/control-plane, operator: Exists}]}]}, preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {matchFields: [{key: metadata.name, operator: In, values: [bank-1]}]}}]}}",
        },
        Example {
            about: "away from all others",
            list: &["example.org/old"],
            refused: &["example.org/pool"],
            object: "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: example.org/old, operator: DoesNotExist}, {key: example.org/pool, operator: NotIn, values: [bank]}]}]}}}",
        },
    ],
    ..PLAIN
};

/// What one requirement leads to.
fn named(of: &Value) -> Vec<String> {
    let key = of["key"].as_str().unwrap_or_default();
    match of["operator"].as_str().unwrap_or_default() {
        "In" => each(&of["values"]).filter_map(Value::as_str).map(|value| format!("{key}={value}")).collect(),
        _ => vec![key.to_owned()],
    }
}
