//! The labels by which a pod says whose it is: put there, and not to be forged.

use serde_json::{Value, json};

use super::view::NamespaceView;
use crate::objects::meta::{TENANT, TIER};
use crate::objects::step;
use crate::policy::json::Json;

/// What each of our labels is to be.
fn wanted(namespace: Option<&NamespaceView>) -> [(&'static str, Option<&str>); 2] {
    [(TENANT, namespace.map(|n| &*n.tenant)), (TIER, namespace.map(|n| &*n.tier))]
}

/// The JSON Patch (RFC 6902) that puts our labels on a new pod; empty where they are right. It adds our two and touches
/// no other, so that a second run has nothing to do.
pub fn patch(object: &Json<'_>, namespace: &NamespaceView) -> Vec<Value> {
    let have = &object["metadata"]["labels"];
    let missing = wanted(Some(namespace)).into_iter().filter_map(|(key, value)| Some((key, value?)));
    let missing = missing.filter(|(key, value)| have[*key] != *value);
    if have.is_map() {
        let add =
            |(key, value)| json!({"op": "add", "path": format!("/metadata/labels/{}", step(key)), "value": value});
        return missing.map(add).collect();
    }
    let labels: serde_json::Map<String, Value> = missing.map(|(key, value)| (key.to_owned(), value.into())).collect();
    vec![json!({"op": "add", "path": "/metadata/labels", "value": labels})]
}

/// What is wrong with the labels of a pod: NetworkPolicies and bills go by them. A label that stays as it was is left alone,
/// since the tier of a namespace may change under a pod; one that is not there hurts nobody.
pub fn forged(new: &Json<'_>, old: &Json<'_>, namespace: Option<&NamespaceView>) -> Option<String> {
    wanted(namespace).into_iter().find_map(|(key, wanted)| {
        let (new, old) = (&new["metadata"]["labels"][key], &old["metadata"]["labels"][key]);
        let wrong = new != old && !new.is_null() && new.as_str() != wanted;
        wrong.then(|| match wanted {
            Some(wanted) => format!("label {key} of a pod is that of its namespace, {wanted}"),
            None => format!("label {key} is set by the platform alone"),
        })
    })
}
