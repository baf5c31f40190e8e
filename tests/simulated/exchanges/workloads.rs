//! The kinds that controllers write to, and those that admission reads.

use serde_json::{Value, json};

use super::kinds::object;
use super::{Exchange, apply, controlled, delete, exchange, force, get, merge, post, put};

fn deployment(spec: Value, container: Value) -> Value {
    let mut whole = json!({
        "selector": {"matchLabels": {"app": "a"}},
        "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container]}},
    });
    for (field, value) in spec.as_object().into_iter().flatten() {
        whole[field] = value.clone();
    }
    object("apps/v1", "Deployment", "a", json!({"spec": whole}))
}

fn webhook(name: &str, rest: Value) -> Value {
    let mut hook = json!({
        "name": name,
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "clientConfig": {"service": {"name": "s", "namespace": "{ns}"}},
        "rules": [{"apiGroups": ["none.example.com"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["nones"]}],
    });
    for (field, value) in rest.as_object().into_iter().flatten() {
        hook[field] = value.clone();
    }
    hook
}

pub fn all() -> Vec<Exchange> {
    let container = |rest: Value| {
        let mut container = json!({"name": "c", "image": "example.com/i:1"});
        for (field, value) in rest.as_object().into_iter().flatten() {
            container[field] = value.clone();
        }
        container
    };
    let hooks =
        |name: &str, hooks: Value| object("admissionregistration.k8s.io/v1", name, "{ns}", json!({"webhooks": hooks}));
    vec![
        controlled(
            "resourcequota",
            vec![
                apply(
                    "m",
                    "resourcequotas/a",
                    object(
                        "v1",
                        "ResourceQuota",
                        "a",
                        json!({"spec": {"hard": {"count/configmaps": "9", "requests.cpu": "2"}}}),
                    ),
                ),
                apply(
                    "m",
                    "resourcequotas/a",
                    object("v1", "ResourceQuota", "a", json!({"spec": {"hard": {"count/configmaps": "8"}}})),
                ),
                merge(
                    "kubectl-edit",
                    "resourcequotas/a",
                    json!({"spec": {"hard": {"count/configmaps": "7", "pods": "1"}}}),
                ),
                apply(
                    "m",
                    "resourcequotas/a",
                    object("v1", "ResourceQuota", "a", json!({"spec": {"hard": {"count/configmaps": "8"}}})),
                ),
                force(
                    "m",
                    "resourcequotas/a",
                    object("v1", "ResourceQuota", "a", json!({"spec": {"hard": {"count/configmaps": "8"}}})),
                ),
                apply(
                    "m",
                    "resourcequotas/b",
                    object(
                        "v1",
                        "ResourceQuota",
                        "b",
                        json!({"spec": {"hard": {"pods": "1"}, "scopes": ["BestEffort"]}}),
                    ),
                ),
                apply(
                    "m",
                    "resourcequotas/b",
                    object(
                        "v1",
                        "ResourceQuota",
                        "b",
                        json!({"spec": {"hard": {"pods": "1"}, "scopes": ["NotBestEffort"]}}),
                    ),
                ),
                delete("resourcequotas/a", Value::Null),
            ],
        ),
        controlled(
            "deployment",
            vec![
                apply(
                    "m",
                    "deployments/a",
                    deployment(
                        json!({"replicas": 0}),
                        container(json!({
                        "ports": [{"containerPort": 80, "name": "http"}], "env": [{"name": "A", "value": "1"}],
                        "readinessProbe": {"httpGet": {"port": 80}},
                        "resources": {"requests": {"cpu": "100m"}},
                                    })),
                    ),
                ),
                apply(
                    "m",
                    "deployments/a",
                    deployment(
                        json!({"replicas": 0}),
                        container(json!({
                            "ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 81, "protocol": "UDP"}],
                            "env": [{"name": "B", "value": "1"}, {"name": "A", "value": "1"}],
                        })),
                    ),
                ),
                apply(
                    "n",
                    "deployments/a",
                    object(
                        "apps/v1",
                        "Deployment",
                        "a",
                        json!({"spec": {"template": {"spec": {"containers": [
                            {"name": "c", "env": [{"name": "C", "value": "1"}]}, {"name": "side", "image": "example.com/s:1"},
                        ]}}}}),
                    ),
                ),
                merge("scaler", "deployments/a", json!({"spec": {"replicas": 0, "paused": true}})),
                apply(
                    "m",
                    "deployments/a",
                    deployment(json!({"paused": false}), container(json!({"image": "example.com/i:2"}))),
                ),
                force(
                    "m",
                    "deployments/a",
                    deployment(json!({"paused": false}), container(json!({"image": "example.com/i:2"}))),
                ),
                apply("n", "deployments/a", object("apps/v1", "Deployment", "a", json!({}))),
                apply(
                    "m",
                    "deployments/a",
                    object(
                        "apps/v1",
                        "Deployment",
                        "a",
                        json!({"spec": {
                            "selector": {"matchLabels": {"app": "b"}},
                            "template": {"metadata": {"labels": {"app": "b"}}, "spec": {"containers": [container(json!({}))]}},
                        }}),
                    ),
                ),
                delete("deployments/a", Value::Null),
            ],
        ),
        controlled(
            "deployment-by-update",
            vec![
                post(
                    "e",
                    "deployments",
                    deployment(
                        json!({"replicas": 0}),
                        container(json!({
                            "ports": [{"containerPort": 80}], "env": [{"name": "A", "value": "1"}],
                            "livenessProbe": {"httpGet": {"port": 80, "path": "/live"}},
                            "securityContext": {"runAsNonRoot": true},
                        })),
                    ),
                ),
                apply(
                    "m",
                    "deployments/a",
                    deployment(json!({}), container(json!({"env": [{"name": "A", "value": "2"}]}))),
                ),
            ],
        ),
        controlled(
            "poddisruptionbudget",
            vec![
                apply(
                    "m",
                    "poddisruptionbudgets/a",
                    object(
                        "policy/v1",
                        "PodDisruptionBudget",
                        "a",
                        json!({"spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "a"}}}}),
                    ),
                ),
                apply(
                    "m",
                    "poddisruptionbudgets/a",
                    object(
                        "policy/v1",
                        "PodDisruptionBudget",
                        "a",
                        json!({"spec": {"minAvailable": "50%", "selector": {"matchLabels": {"app": "b"}}}}),
                    ),
                ),
                put(
                    "e",
                    "poddisruptionbudgets/a",
                    object("policy/v1", "PodDisruptionBudget", "a", json!({"spec": {"minAvailable": 1}})),
                ),
                delete("poddisruptionbudgets/a", Value::Null),
            ],
        ),
        controlled(
            "job",
            vec![
                apply(
                    "m",
                    "jobs/a",
                    object(
                        "batch/v1",
                        "Job",
                        "a",
                        json!({"spec": {"suspend": true, "template": {"spec": {"restartPolicy": "Never", "containers": [container(json!({}))]}}}}),
                    ),
                ),
                apply(
                    "m",
                    "jobs/a",
                    object(
                        "batch/v1",
                        "Job",
                        "a",
                        json!({"spec": {"suspend": true, "template": {"spec": {"restartPolicy": "Never", "containers": [container(json!({}))]}}}}),
                    ),
                ),
                get("jobs/a"),
            ],
        ),
        exchange(
            "webhooks",
            vec![
                apply(
                    "m",
                    "validatingwebhookconfigurations/{ns}",
                    hooks(
                        "ValidatingWebhookConfiguration",
                        json!([webhook("a.x.org", json!({})), webhook("b.x.org", json!({}))]),
                    ),
                ),
                apply(
                    "m",
                    "validatingwebhookconfigurations/{ns}",
                    hooks(
                        "ValidatingWebhookConfiguration",
                        json!([webhook("b.x.org", json!({"failurePolicy": "Ignore"}))]),
                    ),
                ),
                merge("injector", "validatingwebhookconfigurations/{ns}", json!({"metadata": {"labels": {"x": "y"}}})),
                apply(
                    "n",
                    "validatingwebhookconfigurations/{ns}",
                    hooks("ValidatingWebhookConfiguration", json!([{"name": "b.x.org", "timeoutSeconds": 5}])),
                ),
                put("e", "validatingwebhookconfigurations/{ns}", hooks("ValidatingWebhookConfiguration", json!([]))),
                delete("validatingwebhookconfigurations/{ns}", Value::Null),
                post(
                    "e",
                    "mutatingwebhookconfigurations",
                    hooks("MutatingWebhookConfiguration", json!([webhook("a.x.org", json!({}))])),
                ),
                delete("mutatingwebhookconfigurations/{ns}", Value::Null),
            ],
        ),
        controlled(
            "admission-policy",
            vec![
                apply(
                    "m",
                    "validatingadmissionpolicies/{ns}",
                    object(
                        "admissionregistration.k8s.io/v1",
                        "ValidatingAdmissionPolicy",
                        "{ns}",
                        json!({"spec": {
                            "matchConstraints": {"resourceRules": [{"apiGroups": ["none.example.com"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["nones"]}]},
                            "validations": [{"expression": "true", "message": "never"}],
                        }}),
                    ),
                ),
                apply(
                    "m",
                    "validatingadmissionpolicybindings/{ns}",
                    object(
                        "admissionregistration.k8s.io/v1",
                        "ValidatingAdmissionPolicyBinding",
                        "{ns}",
                        json!({"spec": {
                            "policyName": "{ns}", "validationActions": ["Deny"], "matchResources": {"namespaceSelector": {"matchLabels": {"x": "y"}}},
                        }}),
                    ),
                ),
                apply(
                    "m",
                    "validatingadmissionpolicybindings/{ns}",
                    object(
                        "admissionregistration.k8s.io/v1",
                        "ValidatingAdmissionPolicyBinding",
                        "{ns}",
                        json!({"spec": {
                            "policyName": "{ns}", "validationActions": ["Deny", "Audit"],
                        }}),
                    ),
                ),
                delete("validatingadmissionpolicybindings/{ns}", Value::Null),
                delete("validatingadmissionpolicies/{ns}", Value::Null),
            ],
        ),
    ]
}
