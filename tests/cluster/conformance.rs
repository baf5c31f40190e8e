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
use crate::exchanges::transcript::{Wire, transcript};
use crate::programs::repository;
use crate::server::Server;

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
        simulated.set(|settings| settings.available_after = None);
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
