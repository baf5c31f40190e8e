//! What happens by itself: namespaces, definitions, Deployments, quotas, garbage; and what webhooks and access refuse.

use std::time::Duration;

use serde_json::{Value, json};

use crate::server::access::Grant;
use crate::server::webhooks::Backend;
use crate::server::{Answer, Asked, Server};

const JSON: &str = "application/json";

fn namespace(name: &str, labels: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
}

fn map(namespace: &str, name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}})
}

fn post(server: &Server, object: &Value) -> Answer {
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
    server.request("POST", &server.path("configmaps", namespace, ""), JSON, object)
}

#[test]
fn a_namespace_gets_its_account_and_goes_with_its_content() {
    let server = Server::new();
    server.set(|s| (s.account_after, s.terminate_after) = (Some(Duration::from_secs(1)), Duration::from_secs(5)));
    server.create("e", &namespace("n", json!({})));
    assert!(server.get("serviceaccounts", "n", "default").is_none());
    server.advance(Duration::from_secs(1));
    assert!(server.get("serviceaccounts", "n", "default").is_some());
    server.create("e", &map("n", "a"));
    assert!(server.delete("namespaces", "", "n").is_success());
    let refused = post(&server, &map("n", "b"));
    assert_eq!(
        (refused.status, &refused.body["details"]["causes"][0]["reason"]),
        (403, &json!("NamespaceTerminating"))
    );
    assert!(server.get("configmaps", "n", "a").is_some());
    assert!(server.step());
    assert!(server.get("configmaps", "n", "a").is_none() && server.get("namespaces", "", "n").is_none());
}

#[test]
fn a_deployment_becomes_available_or_never_does() {
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "default"}, "spec": {
        "replicas": 2, "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
    }});
    for (after, wanted) in [(Some(Duration::from_secs(3)), json!(2)), (None, Value::Null)] {
        let server = Server::new();
        server.set(|s| s.available_after = after);
        server.create("e", &deployment);
        let available =
            || server.get("deployments.apps", "default", "a").expect("there")["status"]["availableReplicas"].clone();
        assert_eq!(available(), Value::Null);
        server.advance(Duration::from_secs(3));
        assert_eq!(available(), wanted);
    }
}

#[test]
fn a_definition_makes_a_kind_after_a_while() {
    let server = Server::new();
    server.set(|s| (s.establish_after, s.initialise_for) = (Duration::from_secs(1), Duration::from_secs(2)));
    server.create("e", &json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "tenants.example.com"}, "spec": {
        "group": "example.com", "scope": "Cluster", "names": {"kind": "Tenant", "plural": "tenants"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}],
    }}));
    let list = || server.request("GET", "/apis/example.com/v1/tenants", JSON, &Value::Null).status;
    assert_eq!(list(), 404);
    server.advance(Duration::from_secs(1));
    assert_eq!(list(), 429);
    server.advance(Duration::from_secs(2));
    assert_eq!(list(), 200);
    server.delete("customresourcedefinitions.apiextensions.k8s.io", "", "tenants.example.com");
    assert_eq!(list(), 404);
}

#[test]
fn quotas_bound_counts_once_they_are_counted() {
    let server = Server::new();
    server.set(|s| s.count_after = Some(Duration::from_secs(1)));
    server.create("e", &json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "default"}, "spec": {"hard": {"count/configmaps": "1"}}}));
    let early = post(&server, &map("default", "a"));
    assert!(
        early.status == 403
            && early.body["message"].as_str().is_some_and(|m| m.contains("status unknown for quota: q"))
    );
    server.advance(Duration::from_secs(1));
    assert_eq!(post(&server, &map("default", "a")).status, 201);
    let late = post(&server, &map("default", "b"));
    assert!(late.status == 403 && late.body["message"].as_str().is_some_and(|m| m.contains("exceeded quota: q")));
    server.advance(Duration::from_secs(1));
    assert_eq!(server.get("resourcequotas", "default", "q").expect("there")["status"]["used"]["count/configmaps"], "1");
}

#[test]
fn what_an_object_owned_goes_with_it() {
    let server = Server::new();
    let owner = server.create("e", &map("default", "owner"));
    let mut owned = map("default", "owned");
    owned["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}]);
    server.create("e", &owned);
    server.delete("configmaps", "default", "owner");
    assert!(server.get("configmaps", "default", "owned").is_none());
}

#[test]
fn webhooks_are_asked_where_their_rules_say() {
    let server = Server::new();
    server.create("e", &namespace("n", json!({"tenant": "x"})));
    let configuration = |policy: &str| {
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "w"}, "webhooks": [{
            "name": "w.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": policy,
            "clientConfig": {"service": {"name": "s", "namespace": "p", "path": "/validate"}},
            "namespaceSelector": {"matchExpressions": [{"key": "tenant", "operator": "Exists"}]},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}],
        }]})
    };
    server.apply("m", &configuration("Fail"));
    let backend = |backend: Backend| server.set(|s| drop(s.backends.insert("w.example.com".to_owned(), backend)));
    backend(Backend::Down);
    let refused = post(&server, &map("n", "a"));
    assert!(
        refused.status == 500 && refused.body["message"].as_str().is_some_and(|m| m.contains("failed calling webhook"))
    );
    assert_eq!(post(&server, &map("default", "a")).status, 201);
    backend(Backend::Denies("no".to_owned()));
    assert_eq!(post(&server, &map("n", "a")).status, 403);
    backend(Backend::BadCa);
    assert_eq!(post(&server, &map("n", "a")).status, 500);
    server.apply("m", &configuration("Ignore"));
    assert_eq!(post(&server, &map("n", "a")).status, 201);
    backend(Backend::Up);
    server.apply("m", &configuration("Fail"));
    assert_eq!(post(&server, &map("n", "b")).status, 201);
}

#[test]
fn users_may_what_they_are_granted() {
    let server = Server::new();
    let grants = vec![
        Grant::new("get,create", "configmaps", Some("default")),
        Grant::new("create", "roles.rbac.authorization.k8s.io", None),
    ];
    server.set(|s| drop(s.grants.insert("jane".to_owned(), grants)));
    let send = |method: &str, path: &str, body: &Value| {
        let request = http::Request::builder().method(method).uri(path).body(()).expect("a request");
        server.connection("jane").answer(&Asked::new(&request, "jane", body.to_string().into_bytes()))
    };
    let maps = "/api/v1/namespaces/default/configmaps";
    assert_eq!(send("POST", maps, &map("default", "a")).status, 201);
    let refused = send("GET", maps, &Value::Null);
    let wanted = "configmaps is forbidden: User \"jane\" cannot list resource \"configmaps\" in API group \"\" in the namespace \"default\"";
    assert_eq!((refused.status, &refused.body["message"]), (403, &json!(wanted)));
    let role = |verb: &str| json!({"metadata": {"name": verb}, "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": [verb]}]});
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
    assert_eq!(send("POST", roles, &role("get")).status, 201);
    let escalates = send("POST", roles, &role("delete"));
    assert!(
        escalates.status == 403
            && escalates.body["message"]
                .as_str()
                .is_some_and(|m| m.contains("attempting to grant RBAC permissions not currently held"))
    );
}
