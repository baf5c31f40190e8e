//! Requests that no server takes.

use serde_json::{Value, json};

use super::{Exchange, apply, delete, exchange, get, json_patch, merge, post, step};

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
            ],
        ),
    ]
}
