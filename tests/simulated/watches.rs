//! Watches: what they see, and when they end.

use std::time::Duration;

use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};

use crate::server::Server;

/// An open watch of the ConfigMaps of `default`.
struct Watch(Body);

impl Watch {
    async fn open(server: &Server, query: &str) -> Watch {
        let path = format!("/api/v1/namespaces/default/configmaps?watch=1&{query}");
        let request = http::Request::get(path).body(Body::empty()).expect("a request");
        Watch(server.client().send(request).await.expect("a watch").into_body())
    }

    /// What it has seen, as `ADDED a`; `end` where it ended.
    async fn seen(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        while let Ok(frame) = tokio::time::timeout(Duration::from_millis(10), self.0.frame()).await {
            let Some(frame) = frame else {
                all.push("end".to_owned());
                break;
            };
            let bytes = frame.expect("a frame").into_data().expect("data");
            for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let event: Value = serde_json::from_slice(line).expect("JSON");
                let text =
                    |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
                all.push(format!("{} {}", text("/type"), text("/object/metadata/name")).trim_end().to_owned());
            }
        }
        all
    }
}

fn map(name: &str, labels: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default", "labels": labels}})
}

#[tokio::test(start_paused = true)]
async fn a_watch_sees_what_changes() {
    let server = Server::new();
    server.create("e", &map("a", &json!({"x": "y"})));
    let mut all = Watch::open(&server, "").await;
    let mut some = Watch::open(&server, "labelSelector=x%3Dy").await;
    let mut late = Watch::open(&server, &format!("resourceVersion={}", server.revision())).await;
    assert_eq!(all.seen().await, ["ADDED a"]);
    server.create("e", &map("b", &json!({})));
    server.edit("e", "configmaps", "default", "a", |map| map["metadata"]["labels"] = json!({"x": "z"}));
    server.edit("e", "configmaps", "default", "b", |map| map["metadata"]["labels"] = json!({"x": "y"}));
    server.delete("configmaps", "default", "a");
    let everything = ["ADDED b", "MODIFIED a", "MODIFIED b", "DELETED a"];
    assert_eq!(all.seen().await, everything);
    assert_eq!(late.seen().await, everything);
    assert_eq!(some.seen().await, ["ADDED a", "DELETED a", "ADDED b"]);
    server.cut_watches();
    assert_eq!(all.seen().await, ["end"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_starts_too_early_is_told() {
    let server = Server::new();
    server.create("e", &map("a", &json!({})));
    server.compact();
    let mut watch = Watch::open(&server, "resourceVersion=1").await;
    assert_eq!(watch.seen().await, ["ERROR", "end"]);
}

#[tokio::test(start_paused = true)]
async fn watches_are_held_lossy_and_end_in_time() {
    let server = Server::new();
    server.follow_tokio();
    let mut watch =
        Watch::open(&server, "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=60").await;
    assert_eq!(watch.seen().await, ["BOOKMARK"]);
    server.set(|settings| settings.watches_held = true);
    server.create("e", &map("a", &json!({})));
    assert!(watch.seen().await.is_empty());
    server.set(|settings| settings.watches_held = false);
    assert_eq!(watch.seen().await, ["ADDED a"]);
    server.set(|settings| settings.watches_lossy = true);
    server.create("e", &map("b", &json!({})));
    assert!(watch.seen().await.is_empty());
    server.set(|settings| settings.watches_lossy = false);
    server.create("e", &map("c", &json!({})));
    assert_eq!(watch.seen().await, ["ADDED c"]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(watch.seen().await, ["end"]);
}
