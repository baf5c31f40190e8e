//! The kinds that are rendered: what each makes of an apply, of an edit, and of a forbidden change.

use serde_json::{Value, json};

use super::{Exchange, apply, controlled, delete, exchange, force, get, merge, post, put};

fn object(api_version: &str, kind: &str, name: &str, rest: Value) -> Value {
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}});
    for (field, value) in rest.as_object().into_iter().flatten() {
        object[field] = value.clone();
    }
    object
}

fn policy(spec: Value) -> Value {
    object("networking.k8s.io/v1", "NetworkPolicy", "a", json!({"spec": spec}))
}

fn role(rules: Value) -> Value {
    object("rbac.authorization.k8s.io/v1", "Role", "a", json!({"rules": rules}))
}

fn binding(role: &str, subjects: Value) -> Value {
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role});
    object("rbac.authorization.k8s.io/v1", "RoleBinding", "a", json!({"roleRef": role, "subjects": subjects}))
}

fn person(name: &str) -> Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name})
}

fn service(ports: Value) -> Value {
    object("v1", "Service", "a", json!({"spec": {"selector": {"app": "a"}, "ports": ports}}))
}

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
    let mut all = vec![
        exchange(
            "networkpolicy",
            vec![
                apply(
                    "m",
                    "networkpolicies/a",
                    policy(json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": []})),
                ),
                apply(
                    "m",
                    "networkpolicies/a",
                    policy(json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": []})),
                ),
                apply(
                    "m",
                    "networkpolicies/a",
                    policy(json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [
                        {"from": [{"podSelector": {}}], "ports": [{"port": 80}]}, {},
                    ]})),
                ),
                apply(
                    "m",
                    "networkpolicies/a",
                    policy(json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [
                        {"from": [{"podSelector": {}}], "ports": [{"port": 80}]}, {},
                    ]})),
                ),
                merge("kubectl-edit", "networkpolicies/a", json!({"spec": {"ingress": [{}]}})),
                apply(
                    "m",
                    "networkpolicies/a",
                    policy(json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": []})),
                ),
                force(
                    "m",
                    "networkpolicies/a",
                    policy(json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": []})),
                ),
                force("m", "networkpolicies/a", policy(json!({"podSelector": {"matchLabels": {"x": "y"}}}))),
                post(
                    "e",
                    "networkpolicies",
                    json!({"metadata": {"name": "b"}, "spec": {"podSelector": {}, "ingress": [], "egress": [
                        {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]},
                    ]}}),
                ),
                delete("networkpolicies/a", Value::Null),
            ],
        ),
        exchange(
            "role",
            vec![
                apply(
                    "m",
                    "roles/a",
                    role(json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}])),
                ),
                apply(
                    "m",
                    "roles/a",
                    role(json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}])),
                ),
                apply("n", "roles/a", role(json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]))),
                put(
                    "kubectl-edit",
                    "roles/a",
                    role(json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}])),
                ),
                force("m", "roles/a", role(json!([]))),
                apply(
                    "m",
                    "roles/a",
                    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "a"}}),
                ),
                post(
                    "e",
                    "roles",
                    json!({"metadata": {"name": "b"}, "rules": [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["*"], "resourceNames": ["x"]}]}),
                ),
                delete("roles/b", Value::Null),
            ],
        ),
        exchange(
            "rolebinding",
            vec![
                apply("m", "rolebindings/a", binding("r", json!([person("jane")]))),
                apply("m", "rolebindings/a", binding("r", json!([person("jane")]))),
                apply(
                    "m",
                    "rolebindings/a",
                    binding("r", json!([person("jane"), {"kind": "ServiceAccount", "name": "s", "namespace": "{ns}"}])),
                ),
                apply("m", "rolebindings/a", binding("other", json!([person("jane")]))),
                merge("kubectl-edit", "rolebindings/a", json!({"subjects": [person("eve")]})),
                apply("m", "rolebindings/a", binding("r", json!([person("jane")]))),
                force("m", "rolebindings/a", binding("r", json!([person("jane")]))),
                post(
                    "e",
                    "rolebindings",
                    json!({"metadata": {"name": "b"}, "roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": [
                        {"kind": "Group", "name": "g"}, {"kind": "ServiceAccount", "name": "s", "namespace": "{ns}"},
                    ]}),
                ),
                put(
                    "e",
                    "rolebindings/b",
                    json!({"metadata": {"name": "b"}, "roleRef": {"kind": "ClusterRole", "name": "edit"}}),
                ),
                delete("rolebindings/b", Value::Null),
            ],
        ),
        exchange(
            "clusterrole",
            vec![
                apply(
                    "m",
                    "clusterroles/{ns}",
                    object("rbac.authorization.k8s.io/v1", "ClusterRole", "{ns}", json!({"rules": []})),
                ),
                apply(
                    "m",
                    "clusterroles/{ns}",
                    object(
                        "rbac.authorization.k8s.io/v1",
                        "ClusterRole",
                        "{ns}",
                        json!({
                            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"{ns}": "none"}}]},
                        }),
                    ),
                ),
                apply(
                    "m",
                    "clusterrolebindings/{ns}",
                    object(
                        "rbac.authorization.k8s.io/v1",
                        "ClusterRoleBinding",
                        "{ns}",
                        json!({
                            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "{ns}"},
                            "subjects": [{"kind": "ServiceAccount", "name": "s", "namespace": "{ns}"}],
                        }),
                    ),
                ),
                apply(
                    "m",
                    "clusterrolebindings/{ns}",
                    object(
                        "rbac.authorization.k8s.io/v1",
                        "ClusterRoleBinding",
                        "{ns}",
                        json!({
                            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "other"},
                        }),
                    ),
                ),
                delete("clusterrolebindings/{ns}", Value::Null),
                delete("clusterroles/{ns}", Value::Null),
            ],
        ),
        exchange(
            "serviceaccount",
            vec![
                apply(
                    "m",
                    "serviceaccounts/a",
                    object(
                        "v1",
                        "ServiceAccount",
                        "a",
                        json!({"automountServiceAccountToken": false, "imagePullSecrets": [{"name": "p"}]}),
                    ),
                ),
                apply(
                    "m",
                    "serviceaccounts/a",
                    object(
                        "v1",
                        "ServiceAccount",
                        "a",
                        json!({"automountServiceAccountToken": false, "imagePullSecrets": [{"name": "p"}]}),
                    ),
                ),
                apply(
                    "n",
                    "serviceaccounts/a",
                    object(
                        "v1",
                        "ServiceAccount",
                        "a",
                        json!({"imagePullSecrets": [{"name": "q"}], "secrets": [{"name": "s"}]}),
                    ),
                ),
                apply(
                    "m",
                    "serviceaccounts/a",
                    object("v1", "ServiceAccount", "a", json!({"automountServiceAccountToken": true})),
                ),
                merge("e", "serviceaccounts/a", json!({"imagePullSecrets": [{"name": "q"}, {"name": "r"}]})),
                delete("serviceaccounts/a", Value::Null),
            ],
        ),
        exchange(
            "secret",
            vec![
                apply("m", "secrets/a", object("v1", "Secret", "a", json!({"data": {"k": "dg=="}}))),
                apply("m", "secrets/a", object("v1", "Secret", "a", json!({"data": {"k": "dg=="}, "type": "Opaque"}))),
                apply(
                    "m",
                    "secrets/a",
                    object("v1", "Secret", "a", json!({"data": {"k": "dw=="}, "type": "example.com/other"})),
                ),
                apply("m", "secrets/a", object("v1", "Secret", "a", json!({"data": {"l": "dg=="}, "immutable": true}))),
                apply("m", "secrets/a", object("v1", "Secret", "a", json!({"data": {"l": "dw=="}, "immutable": true}))),
                apply("m", "secrets/a", object("v1", "Secret", "a", json!({"data": {"l": "dw=="}}))),
                delete("secrets/a", Value::Null),
            ],
        ),
        exchange(
            "immutable-configmap",
            vec![
                apply(
                    "m",
                    "configmaps/a",
                    object("v1", "ConfigMap", "a", json!({"data": {"k": "v"}, "immutable": true})),
                ),
                apply(
                    "m",
                    "configmaps/a",
                    object("v1", "ConfigMap", "a", json!({"data": {"k": "w"}, "immutable": true})),
                ),
                merge("e", "configmaps/a", json!({"immutable": null})),
                merge("e", "configmaps/a", json!({"metadata": {"labels": {"x": "y"}}})),
            ],
        ),
        exchange(
            "service",
            vec![
                apply("m", "services/a", service(json!([{"name": "http", "port": 80}]))),
                apply("m", "services/a", service(json!([{"name": "http", "port": 80}]))),
                apply(
                    "n",
                    "services/a",
                    object(
                        "v1",
                        "Service",
                        "a",
                        json!({"spec": {"ports": [{"name": "dns", "port": 53, "protocol": "UDP"}]}}),
                    ),
                ),
                apply(
                    "m",
                    "services/a",
                    service(
                        json!([{"name": "http", "port": 80, "targetPort": "web"}, {"name": "https", "port": 443, "protocol": "TCP"}]),
                    ),
                ),
                apply(
                    "n",
                    "services/a",
                    object(
                        "v1",
                        "Service",
                        "a",
                        json!({"spec": {"ports": [{"name": "other", "port": 443, "protocol": "TCP"}]}}),
                    ),
                ),
                apply("m", "services/a", service(json!([{"name": "https", "port": 443, "protocol": "TCP"}]))),
                merge("e", "services/a", json!({"spec": {"clusterIP": "127.100.0.1"}})),
                merge("e", "services/a", json!({"spec": {"selector": {"app": "b"}}})),
                apply("m", "services/a", service(json!([{"name": "https", "port": 443, "protocol": "TCP"}]))),
                post("e", "services", json!({"metadata": {"name": "b"}, "spec": {"ports": [{"port": 80}]}})),
                delete("services/a", Value::Null),
            ],
        ),
        exchange(
            "limitrange",
            vec![
                apply(
                    "m",
                    "limitranges/a",
                    object(
                        "v1",
                        "LimitRange",
                        "a",
                        json!({"spec": {"limits": [
                            {"type": "Container", "max": {"cpu": "2", "memory": "1Gi"}, "default": {"cpu": "1"}, "defaultRequest": {"cpu": "100m"}},
                            {"type": "PersistentVolumeClaim", "max": {"storage": "10Gi"}},
                        ]}}),
                    ),
                ),
                apply(
                    "m",
                    "limitranges/a",
                    object(
                        "v1",
                        "LimitRange",
                        "a",
                        json!({"spec": {"limits": [{"type": "Pod", "max": {"cpu": "2"}}]}}),
                    ),
                ),
                merge("e", "limitranges/a", json!({"spec": {"limits": [{"type": "Pod", "max": {"cpu": "3"}}]}})),
                apply(
                    "m",
                    "limitranges/a",
                    object(
                        "v1",
                        "LimitRange",
                        "a",
                        json!({"spec": {"limits": [{"type": "Pod", "max": {"cpu": "2"}}]}}),
                    ),
                ),
                delete("limitranges/a", Value::Null),
            ],
        ),
        exchange(
            "lease",
            vec![
                post(
                    "e",
                    "leases",
                    json!({"metadata": {"name": "a"}, "spec": {"holderIdentity": "x", "leaseDurationSeconds": 15}}),
                ),
                put("e", "leases/a", json!({"metadata": {"name": "a"}, "spec": {"holderIdentity": "y"}})),
                put(
                    "f",
                    "leases/a",
                    json!({"metadata": {"name": "a", "resourceVersion": "{version}"}, "spec": {"holderIdentity": "y", "leaseTransitions": 0}}),
                ),
                put(
                    "f",
                    "leases/a",
                    json!({"metadata": {"name": "a", "resourceVersion": "1"}, "spec": {"holderIdentity": "z"}}),
                ),
                apply(
                    "m",
                    "leases/b",
                    object("coordination.k8s.io/v1", "Lease", "b", json!({"spec": {"holderIdentity": "x"}})),
                ),
                delete("leases/a", Value::Null),
            ],
        ),
        exchange(
            "event",
            vec![
                post(
                    "e",
                    "events",
                    json!({
                        "metadata": {"name": "a"},
                        "involvedObject": {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "namespace": "{ns}"},
                        "reason": "Applied", "message": "text", "type": "Normal", "count": 1,
                        "source": {"component": "k8s-mtp"},
                    }),
                ),
                delete("events/a", Value::Null),
            ],
        ),
    ];
    all.extend(managed());
    all
}

/// Kinds that controllers write to.
fn managed() -> Vec<Exchange> {
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
