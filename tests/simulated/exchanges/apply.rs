//! Server-side apply: create, update, give up, take, share.

use serde_json::{Value, json};

use super::{Exchange, apply, dry, exchange, force, get, json_patch, merge, post, put};

fn map(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data})
}

fn with(metadata: Value) -> Value {
    let mut object = map(json!({"k": "v"}));
    for (field, value) in metadata.as_object().into_iter().flatten() {
        object["metadata"][field] = value.clone();
    }
    object
}

pub fn all() -> Vec<Exchange> {
    let a = "configmaps/a";
    vec![
        exchange(
            "apply-create-noop-update-drop",
            vec![
                apply("m", a, map(json!({"a": "1", "b": "1"}))),
                apply("m", a, map(json!({"a": "1", "b": "1"}))),
                apply("m", a, map(json!({"a": "2", "b": "1"}))),
                apply("m", a, map(json!({"b": "1"}))),
                apply("m", a, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})),
                get(a),
            ],
        ),
        exchange(
            "apply-shared",
            vec![
                apply("m", a, map(json!({"a": "1", "b": "1"}))),
                apply("n", a, map(json!({"b": "1", "c": "1"}))),
                apply("m", a, map(json!({"a": "1"}))),
                apply("n", a, map(json!({"c": "1"}))),
                get(a),
            ],
        ),
        exchange(
            "apply-conflict-and-force",
            vec![
                apply("m", a, map(json!({"a": "1", "b": "1", "c": "1"}))),
                apply("n", a, map(json!({"a": "2"}))),
                apply("n", a, map(json!({"a": "2", "b": "2"}))),
                apply("o", a, map(json!({"c": "1"}))),
                apply("n", a, map(json!({"a": "2", "c": "2"}))),
                force("n", a, map(json!({"a": "2", "c": "2"}))),
                apply("m", a, map(json!({"b": "1"}))),
                get(a),
            ],
        ),
        exchange(
            "apply-after-update-by-the-same-name",
            vec![
                post("m", "configmaps", map(json!({"a": "1"}))),
                apply("m", a, map(json!({"a": "1"}))),
                apply("m", a, map(json!({"a": "2"}))),
                force("m", a, map(json!({"a": "2"}))),
                apply("m", a, map(json!({"b": "2"}))),
            ],
        ),
        exchange(
            "edit-of-what-is-applied",
            vec![
                apply("m", a, map(json!({"a": "1", "b": "1"}))),
                put("kubectl-edit", a, map(json!({"a": "2", "c": "3"}))),
                apply("m", a, map(json!({"a": "1", "b": "1"}))),
                force("m", a, map(json!({"a": "1", "b": "1"}))),
                apply("m", a, map(json!({"a": "1"}))),
            ],
        ),
        exchange(
            "edit-that-changes-nothing",
            vec![
                apply("m", a, map(json!({"a": "1"}))),
                put("kubectl-edit", a, map(json!({"a": "1"}))),
                merge("kubectl-edit", a, json!({"data": {"a": "1"}})),
                merge("kubectl-edit", a, json!({})),
            ],
        ),
        exchange(
            "patches-of-both-kinds",
            vec![
                apply("m", a, map(json!({"a": "1", "b": "1"}))),
                merge("p", a, json!({"data": {"a": null, "c": "3"}, "metadata": {"labels": {"x": "y"}}})),
                json_patch(
                    "q",
                    a,
                    json!([
                        {"op": "test", "path": "/data/b", "value": "1"},
                        {"op": "replace", "path": "/data/b", "value": "2"},
                        {"op": "add", "path": "/metadata/annotations", "value": {"s/t": "u"}},
                        {"op": "remove", "path": "/metadata/labels/x"},
                    ]),
                ),
                json_patch("q", a, json!([{"op": "test", "path": "/data/b", "value": "1"}])),
                json_patch("q", a, json!([{"op": "remove", "path": "/data/none"}])),
                json_patch("q", a, json!([{"op": "replace", "path": "/data/none", "value": "1"}])),
                json_patch("r", a, json!([{"op": "add", "path": "/metadata/annotations/v~1w", "value": "z"}])),
                force("m", a, map(json!({"a": "1", "b": "1"}))),
            ],
        ),
        exchange(
            "labels-and-annotations",
            vec![
                apply("m", a, with(json!({"labels": {"x": "1"}, "annotations": {"y": "1"}}))),
                apply(
                    "n",
                    a,
                    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"z": "1"}}}),
                ),
                apply(
                    "n",
                    a,
                    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"x": "2"}}}),
                ),
                merge("e", a, json!({"metadata": {"labels": {"x": "3"}}})),
                force("m", a, with(json!({"labels": {}, "annotations": {"y": "1"}}))),
                apply("m", a, with(json!({}))),
                get(a),
            ],
        ),
        exchange(
            "finalizers-and-owners",
            vec![
                apply("m", a, with(json!({"finalizers": ["x.org/a", "x.org/b"]}))),
                apply(
                    "n",
                    a,
                    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "finalizers": ["x.org/b", "x.org/c"]}}),
                ),
                apply("m", a, with(json!({"finalizers": ["x.org/a"]}))),
                merge("e", a, json!({"metadata": {"finalizers": ["x.org/c"]}})),
                apply("m", a, with(json!({"finalizers": ["x.org/d"]}))),
                apply("n", a, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})),
                merge("e", a, json!({"metadata": {"finalizers": []}})),
            ],
        ),
        exchange(
            "owner-references",
            vec![
                post("e", "configmaps", json!({"metadata": {"name": "b"}})),
                apply(
                    "m",
                    a,
                    with(json!({"ownerReferences": [
                        {"apiVersion": "v1", "kind": "ConfigMap", "name": "b", "uid": "{uid}"},
                    ]})),
                ),
                merge("e", a, json!({"metadata": {"ownerReferences": null}})),
            ],
        ),
        exchange(
            "apply-of-empty-things",
            vec![
                apply("m", a, map(json!({}))),
                apply("m", a, map(json!({"a": ""}))),
                apply("m", a, with(json!({"labels": {}, "annotations": {}, "finalizers": []}))),
                apply("n", a, map(json!({}))),
                get(a),
            ],
        ),
        exchange(
            "owners-are-reset",
            vec![
                apply("m", a, map(json!({"a": "1"}))),
                json_patch("q", a, json!([{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}])),
                merge("e", a, json!({"data": {"b": "1"}})),
                apply("n", a, map(json!({"c": "1"}))),
                apply("n", a, map(json!({"a": "2"}))),
            ],
        ),
        exchange(
            "one-owner-is-taken-out",
            vec![
                post("e", "configmaps", map(json!({"a": "1", "b": "1"}))),
                apply("m", a, map(json!({"a": "1"}))),
                json_patch(
                    "q",
                    a,
                    json!([
                        {"op": "test", "path": "/metadata/managedFields/1/manager", "value": "e"},
                        {"op": "remove", "path": "/metadata/managedFields/1"},
                    ]),
                ),
                apply("m", a, map(json!({"b": "2"}))),
                apply("m", a, map(json!({}))),
            ],
        ),
        exchange(
            "another-owners-field-is-removed",
            vec![
                apply("n", a, map(json!({"a": "1", "b": "1"}))),
                apply("m", a, map(json!({"b": "1"}))),
                json_patch("m", a, json!([{"op": "remove", "path": "/data/a"}])),
                apply("n", a, map(json!({"a": "1", "b": "1"}))),
            ],
        ),
        exchange(
            "dry-runs",
            vec![
                dry(apply("m", a, map(json!({"a": "1"})))),
                get(a),
                apply("m", a, map(json!({"a": "1"}))),
                dry(apply("m", a, map(json!({"a": "2"})))),
                dry(apply("n", a, map(json!({"a": "2"})))),
                dry(force("n", a, map(json!({"a": "2"})))),
                dry(put("e", a, map(json!({"a": "3"})))),
                dry(merge("e", a, json!({"data": {"a": "4"}}))),
                dry(post("e", "configmaps", json!({"metadata": {"name": "b"}}))),
                dry(super::delete(a, Value::Null)),
                get(a),
            ],
        ),
        exchange(
            "apply-with-preconditions",
            vec![
                apply("m", a, with(json!({"uid": "00000000-0000-0000-0000-00000000000a"}))),
                apply("m", a, with(json!({"resourceVersion": "1"}))),
                apply("m", a, with(json!({"uid": "00000000-0000-0000-0000-00000000000a"}))),
                apply("m", a, with(json!({"resourceVersion": "1"}))),
                apply("m", a, with(json!({"resourceVersion": "1", "labels": {"x": "y"}}))),
                get(a),
                apply("m", a, with(json!({"uid": "{uid}", "resourceVersion": "{version}", "labels": {"x": "y"}}))),
                apply("m", a, with(json!({"uid": "{uid}", "resourceVersion": "{version}", "labels": {"x": "y"}}))),
            ],
        ),
    ]
}
