//! The simulated API server of `tests/simulated` against a real one: the same exchanges, the same answers.
//!
//! `UPDATE=1 cargo test --test cluster conformance` records anew what the real one answers.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::client::Client;
use crate::control_plane::{ControlPlane, NEWEST};
use crate::exchanges::all;
use crate::exchanges::random::random;
use crate::exchanges::transcript::{Wire, settle, transcript};
use crate::fixture::install;
use crate::manifests::{Resources, apply, sample};
use crate::programs::repository;
use crate::server::access::Grant;
use crate::server::webhooks::Backend;
use crate::server::{Asked, Server};

impl Wire for Client {
    fn send(&self, method: &str, path: &str, content_type: &str, body: Vec<u8>) -> (u16, Value) {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let answer = Client::send(self, method, path, content_type, body);
        (answer.status, answer.body)
    }

    fn wait(&self) {
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_simulated_server_answers_as_a_real_one() {
    let plane = ControlPlane::start(NEWEST);
    let client = plane.client();
    let show = |value: &Value| serde_json::to_string_pretty(value).expect("JSON") + "\n";
    let mut found = Vec::new();
    for exchange in all() {
        let namespace = format!("x-{}", exchange.name);
        let real = show(&transcript(&exchange, &client, &namespace));
        let path = repository().join(format!("tests/simulated/recorded/{}.json", exchange.name));
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(&path, &real).expect("written");
        }
        let simulated = Server::new();
        simulated.set(|settings| {
            settings.available_after = None;
            settings.other_backends = Backend::Down;
        });
        let simulated = show(&transcript(&exchange, &simulated, &namespace));
        let recorded = fs::read_to_string(&path).unwrap_or_default();
        for (what, other) in [("simulated", simulated), ("recorded", recorded)] {
            if other != real {
                let difference = similar::TextDiff::from_lines(&real, &other);
                found.push(format!("{}, {what}:\n{}", exchange.name, difference.unified_diff().context_radius(8)));
            }
        }
    }
    assert!(found.is_empty(), "{} differ:\n{}", found.len(), found.join("\n"));
}

/// Writers who do not know of each other, in any order; `MTP_SEEDS` says how many.
#[test]
fn any_writes_are_answered_alike() {
    let plane = ControlPlane::start(NEWEST);
    let client = plane.client();
    let seeds = std::env::var("MTP_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(40);
    let mut found = Vec::new();
    for seed in 0..seeds {
        let exchange = random(seed);
        let namespace = format!("x-random-{seed}");
        let [real, ours] = [&client as &dyn Wire, &Server::new()].map(|wire| transcript(&exchange, wire, &namespace));
        let steps = real.as_array().into_iter().flatten().zip(ours.as_array().into_iter().flatten());
        // What comes after the first difference follows from it.
        if let Some((index, (real, ours))) = steps.enumerate().find(|(_, (real, ours))| real != ours) {
            let show = |value: &Value| serde_json::to_string_pretty(value).expect("JSON");
            let (real, ours, body) = (show(real), show(ours), &exchange.steps[index].body);
            let difference = similar::TextDiff::from_lines(&real, &ours);
            found.push(format!("seed {seed}, step {index}, {body}\n{}", difference.unified_diff().context_radius(30)));
        }
    }
    assert!(found.is_empty(), "{} differ:\n{}", found.len(), found.join("\n"));
}

/// Applies this repository's sample, twice, to both servers.
#[test]
fn what_is_rendered_is_stored_alike() {
    let plane = ControlPlane::start(NEWEST);
    let client = plane.client();
    let documents = sample(NEWEST);
    let mut resources = Resources::of(&client);
    install(&plane, &client, &documents, &mut resources);
    let simulated = Server::new();
    simulated.set(|settings| settings.available_after = None);
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let listed = client.get(definitions).ok();
    for definition in listed["items"].as_array().expect("definitions") {
        let name = definition["metadata"]["name"].as_str().expect("a name");
        let (method, path, body, kind) = match documents.iter().find(|document| document.name() == name) {
            Some(own) => {
                ("PATCH", format!("{definitions}/{name}?{APPLY}"), own.value.clone(), "application/apply-patch+yaml")
            }
            None => {
                let metadata = json!({"name": name});
                let spec = &definition["spec"];
                let body = json!({"metadata": metadata, "spec": spec});
                ("POST", definitions.to_owned(), body, "application/json")
            }
        };
        let answer = simulated.request(method, &path, kind, &body);
        assert!(answer.is_success(), "{name}: {}", answer.body);
    }
    let controlled =
        ["CustomResourceDefinition", "Deployment", "PodDisruptionBudget", "ResourceQuota", "ValidatingAdmissionPolicy"];
    let mut found = Vec::new();
    for document in &documents {
        let path = document.path(&resources);
        let both = || {
            let ours =
                simulated.request("PATCH", &format!("{path}?{APPLY}"), "application/apply-patch+yaml", &document.value);
            [apply(&client, &resources, document, false).body, ours.body]
        };
        let [first, mut second] = [both(), both()];
        let is_controlled = controlled.contains(&document.kind());
        let changed = |index: usize| {
            let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
            !is_controlled && version(&first[index]) != version(&second[index])
        };
        if changed(0) != changed(1) {
            found.push(format!("{path}: a second apply changes it here, and there not"));
        }
        second.iter_mut().for_each(|object| settle(object, is_controlled));
        let [real, ours] = second.map(|object| serde_json::to_string_pretty(&object).expect("JSON"));
        if real != ours {
            let difference = similar::TextDiff::from_lines(&real, &ours);
            found.push(format!("{path}:\n{}", difference.unified_diff().context_radius(6)));
        }
    }
    assert!(found.is_empty(), "{} differ:\n{}", found.len(), found.join("\n"));
}

/// What a user with few rights is told.
#[test]
fn users_are_refused_alike() {
    let plane = ControlPlane::start(NEWEST);
    let (admin, jane) = (plane.client(), plane.client().as_user("jane", &[]));
    let simulated = Server::new();
    let grants =
        [("get,patch", "configmaps"), ("create,patch", "roles"), ("create", "rolebindings"), ("get", "namespaces")];
    let group = |resource: &str| if resource.starts_with("role") { "rbac.authorization.k8s.io" } else { "" };
    let rules: Vec<Value> = grants
        .iter()
        .map(|(verbs, resource)| {
            let verbs: Vec<&str> = verbs.split(',').collect();
            json!({"apiGroups": [group(resource)], "resources": [resource], "verbs": verbs})
        })
        .collect();
    let name = json!({"name": "jane"});
    admin.post(&format!("{RBAC}/roles"), &json!({"metadata": name, "rules": rules})).created();
    let binding = json!({
        "metadata": name,
        "roleRef": {"kind": "Role", "name": "jane"},
        "subjects": [{"kind": "User", "name": "jane"}],
    });
    admin.post(&format!("{RBAC}/rolebindings"), &binding).created();
    simulated.set(|settings| {
        let grants = grants.iter().map(|(verbs, resource)| {
            let dot = if group(resource).is_empty() { "" } else { "." };
            Grant::new(verbs, &format!("{resource}{dot}{}", group(resource)), Some("default"))
        });
        settings.grants.insert("jane".to_owned(), grants.collect());
    });
    let role = |verb: &str| json!({"metadata": {"name": verb}, "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": [verb]}]});
    for verb in ["get", "delete"] {
        let mut role = role(verb);
        role["metadata"]["name"] = format!("{verb}-there").into();
        admin.post(&format!("{RBAC}/roles"), &role).created();
        simulated.request("POST", &format!("{RBAC}/roles"), "application/json", &role);
    }
    let bind = |role: &str| json!({"metadata": {"name": role}, "roleRef": {"kind": "Role", "name": role}});
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    let apply = "application/apply-patch+yaml";
    let requests = [
        ("GET", "/api/v1/namespaces/default/configmaps".to_owned(), "", Value::Null),
        ("GET", "/api/v1/configmaps".to_owned(), "", Value::Null),
        ("GET", "/api/v1/namespaces/default/configmaps/a".to_owned(), "", Value::Null),
        ("GET", "/api/v1/namespaces/other/configmaps/a".to_owned(), "", Value::Null),
        ("GET", "/api/v1/namespaces".to_owned(), "", Value::Null),
        ("GET", "/api/v1/namespaces/other".to_owned(), "", Value::Null),
        ("DELETE", "/api/v1/namespaces/default/configmaps/a".to_owned(), "", Value::Null),
        ("DELETE", "/apis/apps/v1/namespaces/default/deployments".to_owned(), "", Value::Null),
        ("PATCH", "/api/v1/namespaces/default/configmaps/a?fieldManager=m".to_owned(), apply, map),
        ("PATCH", "/api/v1/namespaces/default/services/a/status?fieldManager=m".to_owned(), apply, json!({})),
        ("POST", format!("{RBAC}/roles"), "application/json", role("get")),
        ("POST", format!("{RBAC}/roles"), "application/json", role("delete")),
        ("POST", format!("{RBAC}/rolebindings"), "application/json", bind("get-there")),
        ("POST", format!("{RBAC}/rolebindings"), "application/json", bind("delete-there")),
        ("POST", format!("{RBAC}/rolebindings"), "application/json", bind("not-there")),
        ("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles".to_owned(), "application/json", role("get")),
    ];
    let mut found = Vec::new();
    for (method, path, content_type, body) in requests {
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let content_type = if content_type.is_empty() { "application/json" } else { content_type };
        let real = Wire::send(&jane, method, &path, content_type, bytes.clone());
        let request = http::Request::builder().method(method).uri(&path).header("content-type", content_type);
        let ours =
            simulated.connection("jane").answer(&Asked::new(&request.body(()).expect("a request"), "jane", bytes));
        let say = |status: u16, body: &Value| {
            let fields: Vec<String> = ["reason", "message", "details"].map(|field| body[field].to_string()).into();
            format!("{status} {}", if status < 300 { String::new() } else { fields.join(" ") })
        };
        let (real, ours) = (say(real.0, &real.1), say(ours.status, &ours.body));
        if real != ours {
            found.push(format!("{method} {path}\n  there {real}\n  here  {ours}"));
        }
    }
    assert!(found.is_empty(), "{} differ:\n{}", found.len(), found.join("\n"));
}

/// The rights of the namespace `default`.
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";

/// Discovery says the same of every kind.
#[test]
fn kinds_are_discovered_alike() {
    let plane = ControlPlane::start(NEWEST);
    let client = plane.client();
    let simulated = Server::new();
    let get = |path: &str| simulated.request("GET", path, "", &Value::Null).body;
    let groups = get("/apis")["groups"].as_array().cloned().expect("groups");
    let versions = groups.iter().map(|group| group["preferredVersion"]["groupVersion"].as_str().expect("a version"));
    let paths = versions.map(|version| format!("/apis/{version}")).chain(["/api/v1".to_owned()]);
    let mut found = Vec::new();
    for path in paths {
        let real = client.get(&path).ok();
        let real = real["resources"].as_array().expect("resources");
        for resource in get(&path)["resources"].as_array().expect("resources") {
            let fields = ["name", "singularName", "namespaced", "kind"];
            let same = |other: &&Value| fields.iter().all(|field| other[*field] == resource[*field]);
            match real.iter().find(same) {
                None => found.push(format!("{path}: {resource}")),
                Some(other) => {
                    let verbs = |of: &Value| -> BTreeSet<String> {
                        of["verbs"].as_array().into_iter().flatten().map(Value::to_string).collect()
                    };
                    if verbs(other) != verbs(resource) {
                        found.push(format!("{path}: verbs of {resource}: {:?}", verbs(other)));
                    }
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// As `mtp sync` applies.
const APPLY: &str = "fieldManager=k8s-mtp&force=true&fieldValidation=Strict";
