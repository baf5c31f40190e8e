//! Namespaces, deletion, preconditions and finalizers.

use serde_json::{Value, json};

use super::{Exchange, apply, delete, exchange, get, get_until, merge, post, put};

fn map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
}

fn namespace(labels: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "{ns}-more", "labels": labels}})
}

pub fn all() -> Vec<Exchange> {
    let held =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["x.org/held"]}});
    vec![
        exchange(
            "namespace",
            vec![
                apply(
                    "m",
                    "namespaces/{ns}-more",
                    namespace(json!({"pod-security.kubernetes.io/enforce": "restricted"})),
                ),
                apply(
                    "m",
                    "namespaces/{ns}-more",
                    namespace(json!({"pod-security.kubernetes.io/enforce": "restricted"})),
                ),
                merge(
                    "kubectl-label",
                    "namespaces/{ns}-more",
                    json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged", "x": "y"}}}),
                ),
                apply(
                    "m",
                    "namespaces/{ns}-more",
                    namespace(json!({"pod-security.kubernetes.io/enforce": "restricted"})),
                ),
                put("e", "namespaces/{ns}-more", namespace(json!({"kubernetes.io/metadata.name": "{ns}-more"}))),
                get("namespaces/{ns}"),
                delete(
                    "namespaces/{ns}-more",
                    json!({"preconditions": {"uid": "00000000-0000-0000-0000-00000000000a"}}),
                ),
                delete("namespaces/{ns}-more", json!({"preconditions": {"resourceVersion": "1"}})),
                delete("namespaces/default", Value::Null),
            ],
        ),
        exchange(
            "namespace-that-goes",
            vec![
                apply("m", "configmaps/held", held),
                apply("m", "configmaps/free", map("free")),
                delete("namespaces/{ns}", Value::Null),
                apply("m", "configmaps/new", map("new")),
                post("e", "configmaps", map("new")),
                get_until("configmaps/free", 404),
                merge("e", "configmaps/held", json!({"metadata": {"labels": {"x": "y"}}})),
                merge("e", "configmaps/held", json!({"metadata": {"finalizers": null}})),
                get_until("namespaces/{ns}", 404),
                apply("m", "configmaps/new", map("new")),
                get("configmaps/new"),
                delete("namespaces/{ns}", Value::Null),
            ],
        ),
        exchange(
            "delete",
            vec![
                apply("m", "configmaps/a", map("a")),
                delete("configmaps/a", json!({"preconditions": {"uid": "00000000-0000-0000-0000-00000000000a"}})),
                delete("configmaps/a", json!({"preconditions": {"resourceVersion": "1"}})),
                delete(
                    "configmaps/a",
                    json!({"preconditions": {"uid": "00000000-0000-0000-0000-00000000000a", "resourceVersion": "1"}}),
                ),
                get("configmaps/a"),
                delete(
                    "configmaps/a",
                    json!({"preconditions": {"uid": "{uid}", "resourceVersion": "{version}"}, "propagationPolicy": "Background"}),
                ),
                delete("configmaps/a", Value::Null),
                get("configmaps/a"),
            ],
        ),
        exchange(
            "delete-with-finalizers",
            vec![
                apply(
                    "m",
                    "configmaps/a",
                    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "finalizers": ["x.org/a"]}}),
                ),
                delete("configmaps/a", Value::Null),
                delete("configmaps/a", Value::Null),
                apply(
                    "m",
                    "configmaps/a",
                    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "finalizers": ["x.org/a"]}, "data": {"k": "v"}}),
                ),
                merge("e", "configmaps/a", json!({"metadata": {"finalizers": ["x.org/a", "x.org/b"]}})),
                apply("m", "configmaps/a", map("a")),
                get("configmaps/a"),
            ],
        ),
        exchange(
            "delete-of-a-policy-with-finalizers",
            vec![
                apply(
                    "m",
                    "networkpolicies/a",
                    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "a", "finalizers": ["x.org/a"]}, "spec": {"podSelector": {}}}),
                ),
                delete("networkpolicies/a", Value::Null),
                merge("e", "networkpolicies/a", json!({"metadata": {"finalizers": []}})),
            ],
        ),
    ]
}
