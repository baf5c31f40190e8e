//! R604: an object can only be replaced, because a field of it never changes.

use serde_json::Value;

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
use crate::review::group::told;
use crate::review::unit::Unit;
use crate::review::{Change, Pair};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R604",
    name: "replaced",
    title: "object replaced",
    class: Class::Replacement,
    severity: Severity::Warning,
    why: "The API server refuses the change: the object has to be deleted and made anew, and is missing in between.",
    example: "Another `roleRef` of a RoleBinding.",
    approvable: true,
    check: Check::Pair(check),
};

/// Fields that never change once an object is there: group, kind, field.
///
/// Source: the validation of updates in Kubernetes' `pkg/apis/*/validation`
const IMMUTABLE: [(&str, &str, &str); 15] = [
    ("rbac.authorization.k8s.io", "RoleBinding", "/roleRef"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", "/roleRef"),
    ("apps", "Deployment", "/spec/selector"),
    ("apps", "DaemonSet", "/spec/selector"),
    ("apps", "ReplicaSet", "/spec/selector"),
    ("apps", "StatefulSet", "/spec/selector"),
    ("apps", "StatefulSet", "/spec/serviceName"),
    ("batch", "Job", "/spec/template"),
    ("batch", "Job", "/spec/selector"),
    ("", "PersistentVolumeClaim", "/spec/storageClassName"),
    ("", "PersistentVolumeClaim", "/spec/accessModes"),
    ("", "Secret", "/type"),
    ("storage.k8s.io", "StorageClass", "/provisioner"),
    ("scheduling.k8s.io", "PriorityClass", "/value"),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "/spec/scope"),
];

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    let (Some(before), Some(after)) = (&pair.before, &pair.after) else { return };
    if before.value == after.value {
        return;
    }
    // What is told is masked, what is compared is not.
    let [told_before, told_after] = told(pair);
    let mut tell = |field: &str| {
        let name = field.trim_start_matches('/').replace('/', ".");
        let told = unit.tell_of(&RULE, format!("{name} of a {} never changes", pair.id.kind), pair, field, change);
        let text = |value: &Option<Value>| -> Vec<String> {
            value.as_ref().and_then(|v| v.pointer(field)).map(ToString::to_string).into_iter().collect()
        };
        found.add(told.sides(text(&told_before), text(&told_after)));
    };
    for (_, _, field) in IMMUTABLE.iter().filter(|(group, kind, _)| *group == pair.id.group && *kind == pair.id.kind) {
        let (was, is) = (before.value.pointer(field), after.value.pointer(field));
        if was != is {
            tell(field);
        }
    }
    let is_fixed = before.value.get("immutable") == Some(&Value::Bool(true));
    if is_fixed
        && ["ConfigMap", "Secret"].contains(&&*pair.id.kind)
        && before.value.get("data") != after.value.get("data")
    {
        tell("/data");
    }
}
