//! Definitions and custom objects.

use serde_json::{Value, json};

use super::{Exchange, Step, apply, delete, exchange, force, get, get_until, json_patch, merge, post, put, step};

fn definition(version: Value) -> Value {
    let mut whole = json!({
        "name": "v1", "served": true, "storage": true,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {
            "spec": {"type": "object", "properties": {
                "size": {"type": "integer"},
                "color": {"type": "string"},
                "names": {"type": "array", "items": {"type": "string"}},
                "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": {
                    "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
                }},
                "limits": {"type": "object", "additionalProperties": {"type": "string"}},
                "inner": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
            }},
            "status": {"type": "object", "properties": {"phase": {"type": "string"}, "seen": {"type": "integer"}}},
        }}},
    });
    for (field, value) in version.as_object().into_iter().flatten() {
        whole[field] = value.clone();
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.{ns}.example.com"},
        "spec": {
            "group": "{ns}.example.com",
            "names": {"kind": "Widget", "plural": "widgets"},
            "scope": "Namespaced",
            "versions": [whole],
        },
    })
}

fn widget(spec: Value) -> Value {
    json!({"apiVersion": "{ns}.example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": spec})
}

fn status(step: Step) -> Step {
    Step { path: step.path.replace("/a?", "/a/status?"), ..step }
}

/// The definition, and the moment from which its objects can be stored.
fn defined(version: Value) -> Vec<Step> {
    vec![
        apply("m", "customresourcedefinitions/widgets.{ns}.example.com", definition(version)),
        get_until("widgets", 200),
        // A real server needs a moment more until all its parts know the schema.
        Step {
            until: Some(200),
            ..super::dry(apply(
                "m",
                "widgets/probe",
                json!({"apiVersion": "{ns}.example.com/v1", "kind": "Widget", "metadata": {"name": "probe"}}),
            ))
        },
    ]
}

pub fn all() -> Vec<Exchange> {
    let with_status = || defined(json!({"subresources": {"status": {}}}));
    let run = |first: Vec<Step>, rest: Vec<Step>| {
        let last = delete("customresourcedefinitions/widgets.{ns}.example.com", Value::Null);
        // What the definition itself answers depends on how fast the server is.
        first.into_iter().chain(rest).chain([last]).collect::<Vec<Step>>()
    };
    vec![
        exchange(
            "custom-objects",
            run(
                with_status(),
                vec![
                    apply(
                        "m",
                        "widgets/a",
                        widget(
                            json!({"size": 1, "names": ["x"], "parts": [{"name": "p", "count": 1}], "limits": {"cpu": "1"}, "inner": {"a": "1"}}),
                        ),
                    ),
                    apply(
                        "m",
                        "widgets/a",
                        widget(
                            json!({"size": 1, "names": ["x"], "parts": [{"name": "p", "count": 1}], "limits": {"cpu": "1"}, "inner": {"a": "1"}}),
                        ),
                    ),
                    apply(
                        "n",
                        "widgets/a",
                        widget(json!({"parts": [{"name": "q"}], "limits": {"memory": "1"}, "inner": {"b": "1"}})),
                    ),
                    apply("n", "widgets/a", widget(json!({"names": ["x", "y"], "inner": {"a": "2"}}))),
                    apply("m", "widgets/a", widget(json!({"size": 2}))),
                    merge("e", "widgets/a", json!({"spec": {"color": "red", "size": 3}})),
                    put("e", "widgets/a", widget(json!({"size": 4}))),
                    put(
                        "e",
                        "widgets/a",
                        json!({"apiVersion": "{ns}.example.com/v1", "kind": "Widget", "metadata": {"name": "a", "resourceVersion": "{version}"}, "spec": {"size": 4}}),
                    ),
                    force("m", "widgets/a", widget(json!({"size": 2}))),
                    json_patch("j", "widgets/a", json!([{"op": "add", "path": "/spec/color", "value": "blue"}])),
                    post(
                        "e",
                        "widgets",
                        json!({"apiVersion": "{ns}.example.com/v1", "kind": "Widget", "metadata": {"name": "b", "labels": {"x": "y"}}, "spec": {"size": 1, "parts": [{"name": "p"}], "inner": {}}}),
                    ),
                    get("widgets?labelSelector=x%3Dy"),
                    delete("widgets/b", Value::Null),
                ],
            ),
        ),
        exchange(
            "custom-status",
            run(
                with_status(),
                vec![
                    apply(
                        "m",
                        "widgets/a",
                        json!({"apiVersion": "{ns}.example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": {"size": 1}, "status": {"phase": "ignored"}}),
                    ),
                    status(apply(
                        "c",
                        "widgets/a",
                        json!({"apiVersion": "{ns}.example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "status": {"phase": "Ready"}}),
                    )),
                    status(apply(
                        "c",
                        "widgets/a",
                        json!({"apiVersion": "{ns}.example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "status": {"phase": "Ready"}}),
                    )),
                    status(merge(
                        "d",
                        "widgets/a",
                        json!({"status": {"phase": "Gone", "seen": 1}, "spec": {"size": 9}, "metadata": {"labels": {"x": "y"}}}),
                    )),
                    status(apply(
                        "c",
                        "widgets/a",
                        json!({"apiVersion": "{ns}.example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "status": {"phase": "Ready"}}),
                    )),
                    merge("d", "widgets/a", json!({"status": {"phase": "Other"}, "spec": {"size": 2}})),
                    apply("m", "widgets/a", widget(json!({"size": 1}))),
                    status(apply(
                        "c",
                        "widgets/none",
                        json!({"apiVersion": "{ns}.example.com/v1", "kind": "Widget", "metadata": {"name": "none"}, "status": {}}),
                    )),
                ],
            ),
        ),
        exchange(
            "custom-without-status",
            run(
                defined(json!({})),
                vec![
                    apply(
                        "m",
                        "widgets/a",
                        json!({"apiVersion": "{ns}.example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": {"size": 1}, "status": {"phase": "kept"}}),
                    ),
                    status(merge("d", "widgets/a", json!({"status": {"phase": "Gone"}}))),
                    merge("d", "widgets/a", json!({"status": {"phase": "Other"}})),
                ],
            ),
        ),
        exchange(
            "custom-of-any-form",
            run(
                defined(
                    json!({"schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}),
                ),
                vec![
                    apply(
                        "m",
                        "widgets/a",
                        widget(json!({"list": [{"name": "a"}], "map": {"x": {"y": 1}}, "empty": {}})),
                    ),
                    apply("n", "widgets/a", widget(json!({"map": {"x": {"z": 1}}, "more": [1]}))),
                    apply("n", "widgets/a", widget(json!({"list": [{"name": "b"}]}))),
                    apply("m", "widgets/a", widget(json!({"map": {"x": {"y": 1}}}))),
                    post(
                        "e",
                        "widgets",
                        json!({"apiVersion": "{ns}.example.com/v1", "kind": "Widget", "metadata": {"name": "b"}, "spec": {"map": {"x": {"y": 1}}}, "other": true}),
                    ),
                ],
            ),
        ),
        exchange(
            "a-kind-that-is-not-there",
            vec![
                step(
                    "GET",
                    "/apis/{ns}.example.com/v1/namespaces/{ns}/widgets/a".to_owned(),
                    "application/json",
                    Value::Null,
                ),
                get("widgets"),
                get("nothing/a"),
            ],
        ),
    ]
}
