//! The labels by which a pod says whose it is: put there, and not to be forged.

use serde_json::{Value, json};

use super::view::NamespaceView;
use crate::objects::meta::{TENANT, TIER};
use crate::objects::step;
use crate::policy::json::Json;

/// The JSON Patch (RFC 6902) that puts our labels on a new pod; empty where they are there. What the author stated is not
/// overwritten: a controller that selects by it would no longer find its pod, and make another one, and another.
pub fn patch(object: &Json<'_>, namespace: &NamespaceView) -> Vec<Value> {
    let have = &object["metadata"]["labels"];
    let wanted = [(TENANT, &*namespace.tenant), (TIER, &*namespace.tier)];
    let missing = wanted.into_iter().filter(|(key, _)| have[*key].is_null());
    if have.is_map() {
        let add =
            |(key, value)| json!({"op": "add", "path": format!("/metadata/labels/{}", step(key)), "value": value});
        return missing.map(add).collect();
    }
    let labels: serde_json::Map<String, Value> = missing.map(|(key, value)| (key.to_owned(), value.into())).collect();
    vec![json!({"op": "add", "path": "/metadata/labels", "value": labels})]
}

/// What is wrong with the tenant that a pod says it is of: NetworkPolicies go by it. Judged by the name of its namespace as
/// well, since replicas learn of a new tenant one after the other. What stays as it was is left alone, and what is not there
/// hurts nobody.
pub fn forged(new: &Json<'_>, old: &Json<'_>, name: &str, namespace: Option<&NamespaceView>) -> Option<String> {
    let (new, old) = (&new["metadata"]["labels"][TENANT], &old["metadata"]["labels"][TENANT]);
    let said = new.as_str().unwrap_or_default();
    let is_right = match namespace {
        Some(namespace) => *said == *namespace.tenant,
        None => name
            .strip_prefix("tenant-")
            .and_then(|rest| rest.strip_prefix(said))
            .is_some_and(|rest| rest.starts_with('-')),
    };
    (new != old && !new.is_null() && !is_right).then(|| match namespace {
        Some(namespace) => format!("label {TENANT} of a pod is that of its namespace, {}", namespace.tenant),
        None => format!("label {TENANT} of a pod is that of its namespace"),
    })
}

/// A warning where a pod says that it is of another tier than its namespace. Not refused: of a change of tiers, replicas
/// learn one after the other.
pub fn other_tier(new: &Json<'_>, old: &Json<'_>, namespace: Option<&NamespaceView>) -> Option<String> {
    let (new, old) = (&new["metadata"]["labels"][TIER], &old["metadata"]["labels"][TIER]);
    let tier = &*namespace?.tier;
    (new != old && !new.is_null() && *new != *tier)
        .then(|| format!("label {TIER} is not that of the namespace, {tier}; leave it out, and it is added"))
}
