//! What an object must say, and what must not change about it.

use serde_json::{Value, json};

use super::answer::{Answer, Cause};
use super::kinds::Kind;

/// Whether an object is valid by itself. What tests need of it: names, and what must be said.
pub fn valid(object: &Value, kind: &Kind) -> Result<(), Answer> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let mut causes = Vec::new();
    if name.is_empty() {
        causes.push(Cause::required("metadata.name", "name or generateName is required"));
    } else if kind.group != "rbac.authorization.k8s.io" && !is_name(name) {
        let why = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
                   start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
                   '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
        causes.push(Cause::invalid("metadata.name", &json!(name), why));
    }
    if kind.kind == "RoleBinding" && object["roleRef"]["name"].as_str().unwrap_or_default().is_empty() {
        causes.push(Cause::required("roleRef.name", ""));
    }
    if causes.is_empty() { Ok(()) } else { Err(Answer::invalid(kind, name, &causes)) }
}

fn is_name(name: &str) -> bool {
    let is_end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    name.len() <= 253
        && name.split('.').all(|part| {
            is_end(part.chars().next())
                && is_end(part.chars().last())
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        })
}

/// Whether one object may become the other.
pub fn may_become(old: &Value, new: &Value, kind: &Kind) -> Result<(), Answer> {
    let name = new["metadata"]["name"].as_str().unwrap_or_default();
    let immutable = "field is immutable";
    let at = |object: &Value, pointer: &str| object.pointer(pointer).cloned().unwrap_or_default();
    let changed = |pointer: &str| at(old, pointer) != at(new, pointer);
    let mut causes = Vec::new();
    let mut fixed = |pointer: &str, why: &str| {
        if changed(pointer) {
            let field = pointer.trim_start_matches('/').replace('/', ".");
            causes.push(Cause::invalid(&field, &at(new, pointer), why));
        }
    };
    match kind.kind.as_str() {
        _ if kind.custom => {}
        "RoleBinding" | "ClusterRoleBinding" => fixed("/roleRef", "cannot change roleRef"),
        "Secret" => fixed("/type", immutable),
        "ResourceQuota" => fixed("/spec/scopes", immutable),
        "Deployment" => fixed("/spec/selector", immutable),
        "Job" => {
            for pointer in ["/spec/completions", "/spec/selector", "/spec/template", "/spec/completionMode"] {
                fixed(pointer, immutable);
            }
        }
        "Service" if old["spec"]["type"] != "ExternalName" && new["spec"]["type"] != "ExternalName" => {
            let (before, after) = (&old["spec"]["clusterIP"], &new["spec"]["clusterIP"]);
            if before != after {
                let field = "spec.clusterIPs[0]";
                causes.push(Cause::invalid(field, &json!([after]), "may not change once set"));
            }
        }
        _ => {}
    }
    let finalizers = |object: &Value| object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    let kept = finalizers(old);
    let is_new = |finalizer: &Value| !kept.contains(finalizer);
    if !old["metadata"]["deletionTimestamp"].is_null() && finalizers(new).iter().any(is_new) {
        let why = "no new finalizers can be added if the object is being deleted";
        causes.push(Cause::forbidden("metadata.finalizers", why));
    }
    if matches!(kind.kind.as_str(), "Secret" | "ConfigMap") && old["immutable"] == true {
        let why = "field is immutable when `immutable` is set";
        if new["immutable"] != true {
            causes.push(Cause::forbidden("immutable", why));
        }
        for field in ["data", "binaryData"] {
            if at(old, &format!("/{field}")) != at(new, &format!("/{field}")) {
                causes.push(Cause::forbidden(field, why));
            }
        }
    }
    if causes.is_empty() { Ok(()) } else { Err(Answer::invalid(kind, name, &causes)) }
}
