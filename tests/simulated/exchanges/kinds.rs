//! The kinds that are rendered: what each makes of an apply, of an edit, and of a forbidden change.

use serde_json::{Value, json};

use super::{Exchange, apply, delete, exchange, force, merge, post, put};

/// An object of a kind, with these fields.
pub fn object(api_version: &str, kind: &str, name: &str, rest: Value) -> Value {
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

fn status(step: super::Step) -> super::Step {
    super::Step { path: step.path.replace("/a?", "/a/status?"), ..step }
}

pub fn all() -> Vec<Exchange> {
    vec![
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
            "service-status",
            vec![
                post("e", "services", json!({"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}})),
                status(merge(
                    "lb",
                    "services/a",
                    json!({
                        "metadata": {"labels": {"x": "y"}},
                        "spec": {"selector": {"app": "b"}},
                        "status": {"conditions": [{"type": "A", "status": "True", "reason": "R", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}]},
                    }),
                )),
                status(apply(
                    "c",
                    "services/a",
                    object(
                        "v1",
                        "Service",
                        "a",
                        json!({"status": {"conditions": [{"type": "B", "status": "True", "reason": "R", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}),
                    ),
                )),
                merge("e", "services/a", json!({"status": null, "metadata": {"labels": {"x": "z"}}})),
                status(apply(
                    "c",
                    "services/a",
                    object("v1", "Service", "a", json!({"metadata": {"name": "a", "labels": {"x": "z"}}})),
                )),
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
    ]
}
