//! Writes that are no apply: who owns what then, and what is answered.

use serde_json::{Value, json};

use super::{Exchange, apply, delete, exchange, get, merge, post, put};

fn map(name: &str, labels: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, "data": {"k": name}})
}

fn list(query: &str) -> super::Step {
    get(&format!("configmaps?{query}"))
}

pub fn all() -> Vec<Exchange> {
    vec![
        exchange(
            "post-and-put",
            vec![
                post(
                    "c",
                    "configmaps",
                    json!({"metadata": {"name": "a", "labels": {"x": "1"}, "annotations": {"y": "1"}}, "data": {"k": "v"}}),
                ),
                post("c", "configmaps", json!({"metadata": {"name": "a"}})),
                put("e", "configmaps/a", json!({"metadata": {"name": "a"}, "data": {"k": "w"}})),
                put(
                    "e",
                    "configmaps/a",
                    json!({"metadata": {"name": "a", "resourceVersion": "{version}"}, "data": {"k": "x"}}),
                ),
                put(
                    "e",
                    "configmaps/a",
                    json!({"metadata": {"name": "a", "resourceVersion": "1"}, "data": {"k": "y"}}),
                ),
                put(
                    "e",
                    "configmaps/a",
                    json!({"metadata": {"name": "a", "uid": "00000000-0000-0000-0000-00000000000a"}, "data": {"k": "y"}}),
                ),
                put("e", "configmaps/none", json!({"metadata": {"name": "none"}, "data": {"k": "y"}})),
                put("e", "configmaps/a", json!({"metadata": {"name": "b"}, "data": {"k": "y"}})),
                put("c", "configmaps/a", json!({"metadata": {"name": "a"}})),
                get("configmaps/a"),
            ],
        ),
        exchange(
            "generated-names",
            vec![
                post("c", "configmaps", json!({"metadata": {"generateName": "some-", "labels": {"x": "y"}}})),
                get("configmaps?labelSelector=x%3Dy"),
            ],
        ),
        exchange(
            "put-that-creates",
            vec![
                put(
                    "e",
                    "roles/a",
                    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "a"}, "rules": []}),
                ),
                put("e", "limitranges/a", json!({"metadata": {"name": "a"}, "spec": {"limits": []}})),
            ],
        ),
        exchange(
            "lists-and-selectors",
            vec![
                apply("m", "configmaps/a", map("a", json!({"app": "x", "tier": "1"}))),
                apply("m", "configmaps/b", map("b", json!({"app": "x"}))),
                apply("m", "configmaps/c", map("c", json!({"app": "y"}))),
                list("labelSelector=app%3Dx"),
                list("labelSelector=app%3Dx,tier"),
                list("labelSelector=app,!tier"),
                list("labelSelector=app%20in%20(y,z)"),
                list("labelSelector=app,app%21%3Dx"),
                list("labelSelector=none"),
                list("fieldSelector=metadata.name%3Db"),
                list("labelSelector=app&limit=2"),
                list("labelSelector=app&limit=2&continue={continue}"),
                list("labelSelector=app%3D%3D%3D"),
                list("continue=nonsense"),
            ],
        ),
        exchange(
            "pages-keep-their-snapshot",
            vec![
                apply("m", "secrets/a", json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}})),
                apply("m", "secrets/b", json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "b"}})),
                apply("m", "secrets/c", json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "c"}})),
                get("secrets?limit=1"),
                delete("secrets/b", Value::Null),
                apply("m", "secrets/d", json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "d"}})),
                get("secrets?limit=1&continue={continue}"),
                get("secrets?limit=5&continue={continue}"),
                get("secrets"),
            ],
        ),
        exchange(
            "deleting-a-collection",
            vec![
                apply("m", "configmaps/a", map("a", json!({"app": "x"}))),
                apply("m", "configmaps/b", map("b", json!({"app": "x"}))),
                apply("m", "configmaps/c", map("c", json!({"app": "y"}))),
                delete("configmaps?labelSelector=app%3Dx", Value::Null),
                list("labelSelector=app"),
            ],
        ),
        exchange("ten-updates-are-remembered", {
            let writers = ["e01", "e02", "e03", "e04", "e05", "e06", "e07", "e08", "e09", "e10", "e11", "e12"];
            let mut steps = vec![apply("m", "configmaps/a", map("a", json!({})))];
            steps.extend(writers.map(|writer| merge(writer, "configmaps/a", json!({"data": {writer: "1"}}))));
            steps
        }),
    ]
}
