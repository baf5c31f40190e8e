//! L231: a quota of what is not counted.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::api;
use crate::lint::file::Object;
use crate::lint::file::entries;
use crate::lint::found::Found;
use crate::yaml::Node;
use crate::yaml::shape::closest;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L231",
    severity: Severity::Error,
    title: "a quota of what is not counted",
    why: "The API server refuses a key that it does not know, such as `storage`; one that it takes but nothing counts \
          limits nothing.",
    fix: "Write the key that is counted: `requests.storage`, and `count/deployments.apps` for all other kinds.",
    source: "standardQuotaResources in pkg/apis/core/helper/helpers.go of kubernetes/kubernetes; \
          <https://kubernetes.io/docs/concepts/policy/resource-quotas/>",
    consumers: &[Consumer::Cluster],
    example: "hard:\n  storage: 10Gi",
    in_units: false,
    check: Check::Object(check),
};

const KNOWN: [&str; 19] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

fn check(object: &Object<'_>, found: &mut Found) {
    if !object.is("", "ResourceQuota") {
        return;
    }
    for (node, _) in entries(object.get(&["spec", "hard"])) {
        let Some(key) = node.text() else { continue };
        if KNOWN.contains(&key) || key.starts_with("hugepages-") || key.starts_with("requests.hugepages-") {
            continue;
        }
        if let Some(resource) = key.strip_prefix("count/") {
            counted(object, node, resource, found);
            continue;
        }
        let of_class =
            key.contains(".storageclass.storage.k8s.io/") || key.contains(".volumeattributesclass.storage.k8s.io/");
        // Extended resources are counted by requests alone, devices by their class.
        if of_class
            || key.ends_with(".deviceclass.resource.k8s.io/devices")
            || (key.starts_with("requests.") && key.contains('/'))
        {
            continue;
        }
        let added = found.add(&RULE, object.place(node), format!("`{key}` is not counted"));
        if key == "storage" {
            added.hint("write `requests.storage`");
            found.edit(&RULE, object.file.path, node.span, "requests.storage");
        } else if key.contains('/') && !key.starts_with("limits.") {
            added.hint(format!("write `requests.{key}`"));
        } else if let Some(close) = closest(key, KNOWN.into_iter()) {
            added.hint(format!("did you mean `{close}`?"));
        }
    }
}

/// `deployments.apps`: the resource and its group.
fn counted(object: &Object<'_>, node: &Node<'_>, key: &str, found: &mut Found) {
    let (resource, group) = key.split_once('.').unwrap_or((key, ""));
    if !api::COMPLETE.contains(&group) || api::find(group, resource).is_some() {
        return;
    }
    let added = found.add(&RULE, object.place(node), format!("there is no resource `{key}` to count"));
    if let Some(other) = api::RESOURCES.iter().find(|r| r.plural == resource) {
        added.hint(format!("write `count/{resource}.{}`", other.group));
    }
}
