//! Faults, stale reads, and what they leave behind.

use std::time::Duration;

use kube::Error;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, Preconditions};
use serde_json::json;

use crate::server::{Answer, Effect, Failure, Fault, Server};
use crate::smoke::config_maps;

type Maps = Api<kube::api::DynamicObject>;

async fn apply(api: &Maps, value: &str) -> Result<kube::api::DynamicObject, Error> {
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": value}});
    api.patch("a", &PatchParams::apply("m"), &Patch::Apply(&object)).await
}

#[tokio::test(start_paused = true)]
async fn requests_fail_before_or_after_they_are_executed() {
    let server = Server::new();
    let api = config_maps(&server.client());
    server.on_request(|index, _| match index {
        0 => Fault::FailBefore(Failure::Connection),
        1 => Fault::FailBefore(Answer::too_many("later", 7).into()),
        2 => Fault::FailAfter(Answer::timeout().into()),
        3 => Fault::FailAfter(Failure::Connection),
        _ => Fault::Proceed,
    });
    let stored = || server.get("configmaps", "default", "a").map(|map| map["data"]["k"].clone());
    assert!(!matches!(apply(&api, "0").await, Err(Error::Api(_)) | Ok(_)));
    let busy = apply(&api, "1").await.expect_err("busy");
    assert!(
        matches!(busy, Error::Api(status) if status.code == 429 && status.details.as_ref().is_some_and(|d| d.retry_after_seconds == 7))
    );
    assert_eq!(stored(), None);
    assert!(matches!(apply(&api, "2").await, Err(Error::Api(status)) if status.code == 504));
    assert_eq!(stored(), Some(json!("2")));
    assert!(!matches!(apply(&api, "3").await, Err(Error::Api(_)) | Ok(_)));
    assert_eq!(stored(), Some(json!("3")));
    apply(&api, "4").await.expect("it works again");
    let trace = server.trace();
    assert_eq!(
        trace.iter().map(|exchange| exchange.status).collect::<Vec<_>>(),
        [None, None, Some(201), Some(200), Some(200)]
    );
    assert_eq!(trace.iter().map(|exchange| exchange.lost).collect::<Vec<_>>(), [true, true, true, true, false]);
    assert!(matches!(&trace[2].effects[..], [Effect::Created(key)] if key.name == "a"));
}

#[tokio::test(start_paused = true)]
async fn reads_come_from_the_past() {
    let server = Server::new();
    let api = config_maps(&server.client());
    for value in ["1", "2", "3"] {
        apply(&api, value).await.expect("applied");
    }
    for (writes, wanted) in [(0, "3"), (1, "2"), (2, "1")] {
        server.on_request(move |_, _| Fault::StaleRead(writes));
        assert_eq!(api.get("a").await.expect("there").data["data"]["k"], wanted);
        assert_eq!(api.list(&ListParams::default()).await.expect("a list").items[0].data["data"]["k"], wanted);
    }
    server.on_request(|_, _| Fault::StaleRead(3));
    assert!(api.get_opt("a").await.expect("an answer").is_none());
    assert!(api.list(&ListParams::default()).await.expect("a list").items.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_hook_may_use_the_server_and_delays_take_time() {
    let server = Server::new();
    server.follow_tokio();
    let api = config_maps(&server.client());
    apply(&api, "1").await.expect("applied");
    let inside = server.clone();
    server.on_request(move |index, asked| {
        if index == 1 {
            assert_eq!(asked.method, "DELETE");
            inside.edit("kubectl-edit", "configmaps", "default", "a", |map| map["data"]["k"] = json!("edited"));
        }
        Fault::Delay(Duration::from_secs(9))
    });
    let version = server
        .get("configmaps", "default", "a")
        .and_then(|map| map["metadata"]["resourceVersion"].as_str().map(str::to_owned));
    let guarded = DeleteParams {
        preconditions: Some(Preconditions { resource_version: version, uid: None }),
        ..DeleteParams::default()
    };
    assert!(matches!(api.delete("a", &guarded).await, Err(Error::Api(status)) if status.is_conflict()));
    assert_eq!(server.clock(), Duration::from_secs(9));
}

#[tokio::test(start_paused = true)]
async fn pages_expire() {
    let server = Server::new();
    let api = config_maps(&server.client());
    for name in ["a", "b", "c"] {
        server.create(
            "e",
            &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}),
        );
    }
    let page = api.list(&ListParams::default().limit(2)).await.expect("a page");
    let token = page.metadata.continue_.expect("more");
    let rest = api.list(&ListParams::default().limit(2).continue_token(&token)).await.expect("the rest");
    assert_eq!((page.items.len(), rest.items.len()), (2, 1));
    server.delete("configmaps", "default", "a");
    server.compact();
    let expired = api.list(&ListParams::default().limit(2).continue_token(&token)).await;
    assert!(matches!(expired, Err(Error::Api(status)) if status.code == 410 && status.reason == "Expired"));
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_says_when_to_come_back() {
    let server = Server::new();
    let api = config_maps(&server.client());
    server.be_busy(2, 3);
    for _ in 0..2 {
        assert!(matches!(api.get("a").await, Err(Error::Api(status)) if status.code == 429));
    }
    assert!(api.get_opt("a").await.expect("it is idle again").is_none());
}
