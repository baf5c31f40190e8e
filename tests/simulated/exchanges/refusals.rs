//! Requests that no server takes.

use serde_json::{Value, json};

use super::{Exchange, Step, apply, controlled, delete, dry, exchange, get, json_patch, merge, post, step};

fn map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
}

pub fn all() -> Vec<Exchange> {
    let a = "configmaps/a";
    vec![
        exchange(
            "what-is-not-there",
            vec![
                get(a),
                delete(a, Value::Null),
                merge("e", a, json!({})),
                json_patch("e", a, json!([])),
                step("DELETE", "/api/v1/namespaces".to_owned(), "application/json", Value::Null),
                get("deployments/a"),
                delete("roles/a", Value::Null),
                step("GET", "/api/v1/namespaces/none-{ns}/configmaps/a".to_owned(), "application/json", Value::Null),
                step(
                    "PATCH",
                    "/api/v1/namespaces/none-{ns}/configmaps/a?fieldManager=m".to_owned(),
                    "application/apply-patch+yaml",
                    map("a"),
                ),
                step(
                    "POST",
                    "/api/v1/namespaces/none-{ns}/configmaps?fieldManager=m".to_owned(),
                    "application/json",
                    map("a"),
                ),
                step("GET", "/api/v1/namespaces/none-{ns}/configmaps".to_owned(), "application/json", Value::Null),
            ],
        ),
        exchange(
            "what-does-not-fit-the-path",
            vec![
                apply("m", a, map("b")),
                apply("m", a, json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}})),
                apply(
                    "m",
                    a,
                    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "other"}}),
                ),
                apply(
                    "m",
                    a,
                    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "managedFields": []}}),
                ),
                step("PATCH", super::at(a), "application/apply-patch+yaml", map("a")),
                step("PATCH", super::at(a), "text/plain", map("a")),
                post(
                    "e",
                    "configmaps",
                    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "other"}}),
                ),
                step("POST", super::at(a), "application/json", map("a")),
            ],
        ),
        exchange(
            "what-is-not-valid",
            vec![
                apply("m", "configmaps/A", map("A")),
                post("e", "configmaps", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}})),
                apply("m", a, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "other": 1})),
                get(a),
                apply(
                    "m",
                    "networkpolicies/a",
                    json!({
                        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "a"},
                        "spec": {"podSelector": {}, "ingress": [{"other": 1}]},
                    }),
                ),
                apply("m", a, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "other": 1}})),
                post("e", "configmaps", json!({"metadata": {"name": "a"}, "other": 1})),
                strict(post("e", "configmaps", json!({"metadata": {"name": "b"}, "other": 1}))),
                strict(merge("e", "configmaps/a", json!({"metadata": {"other": 1}}))),
                strict(apply("m", a, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}))),
            ],
        ),
        controlled(
            "quota-exceeded",
            vec![
                apply(
                    "m",
                    "resourcequotas/q",
                    json!({
                        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"},
                        "spec": {"hard": {"count/secrets": "0", "count/roles.rbac.authorization.k8s.io": "0"}},
                    }),
                ),
                // A real server refuses from the moment on at which it has seen the quota.
                Step { until: Some(403), ..dry(post("e", "secrets", json!({"metadata": {"name": "a"}}))) },
                Step { until: Some(403), ..dry(post("e", "roles", json!({"metadata": {"name": "a"}, "rules": []}))) },
                post("e", "secrets", json!({"metadata": {"name": "b"}})),
                apply("m", "secrets/c", json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "c"}})),
                post("e", "roles", json!({"metadata": {"name": "a"}, "rules": []})),
            ],
        ),
        exchange(
            "webhook-that-does-not-answer",
            vec![
                apply("m", "validatingwebhookconfigurations/{ns}", closed("Fail")),
                Step { until: Some(500), ..dry(apply("m", "secrets/a", secret())) },
                apply("m", "secrets/a", secret()),
                post("m", "secrets", secret()),
                get("secrets/a"),
                apply("m", a, map("a")),
                delete("validatingwebhookconfigurations/{ns}", Value::Null),
                Step { until: Some(201), ..dry(apply("m", "secrets/a", secret())) },
                apply("m", "secrets/a", secret()),
            ],
        ),
    ]
}

fn secret() -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}})
}

/// A webhook for the Secrets of the namespace, whose server does not exist.
fn closed(policy: &str) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "{ns}"},
        "webhooks": [{
            "name": "closed.example.com",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": policy,
            "clientConfig": {"service": {"name": "none", "namespace": "{ns}", "path": "/validate"}},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "{ns}"}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["secrets"]}],
        }],
    })
}

fn strict(step: Step) -> Step {
    Step { path: format!("{}&fieldValidation=Strict", step.path), ..step }
}
