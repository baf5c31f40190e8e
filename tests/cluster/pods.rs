//! Pods that tests create: one that every Pod Security level takes, and what else is made of it.

use serde_json::{Value, json};

/// The spec of a pod that `restricted` takes, and every policy of ours, with the limits of a LimitRange.
pub fn spec() -> Value {
    json!({
        "securityContext": {"runAsNonRoot": true, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{
            "name": "main",
            "image": "registry.example.org/app:1.0",
            "imagePullPolicy": "Always",
            "securityContext": {
                "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": true,
            },
        }],
    })
}

/// A pod of that spec, changed: each pair is a JSON pointer and what is to stand there.
pub fn pod(name: &str, changes: &[(&str, Value)]) -> Value {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec()});
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        pod.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {parent}"))[key] = value.clone();
    }
    pod
}

/// A Deployment of one such pod.
pub fn deployment(name: &str, labels: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": labels}, "spec": spec()},
        },
    })
}
