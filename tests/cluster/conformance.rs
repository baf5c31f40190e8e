//! The simulated API server of `tests/simulated` against a real one: the same exchanges, the same answers.
//!
//! `UPDATE=1 cargo test --test cluster conformance` records anew what the real one answers.

use std::fs;
use std::time::Duration;

use http::Method;
use serde_json::Value;

use crate::client::Client;
use crate::control_plane::{ControlPlane, NEWEST};
use crate::exchanges::all;
use crate::exchanges::transcript::{Wire, settle, transcript};
use crate::fixture::install;
use crate::manifests::{Resources, apply, sample};
use crate::programs::repository;
use crate::server::Server;
use crate::server::webhooks::Backend;

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
                let metadata = serde_json::json!({"name": name});
                let spec = &definition["spec"];
                let body = serde_json::json!({"metadata": metadata, "spec": spec});
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

/// As `mtp sync` applies.
const APPLY: &str = "fieldManager=k8s-mtp&force=true&fieldValidation=Strict";
