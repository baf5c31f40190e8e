//! The server through an unmodified client.

use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::discovery::{ApiResource, Discovery};
use serde_json::json;

use crate::server::{Failure, Fault, Server};

/// The ConfigMaps of `default`.
pub fn config_maps(client: &kube::Client) -> Api<DynamicObject> {
    let resource = ApiResource::erase::<k8s_openapi::api::core::v1::ConfigMap>(&());
    Api::namespaced_with(client.clone(), "default", &resource)
}

#[tokio::test(start_paused = true)]
async fn a_client_applies_reads_lists_and_deletes() {
    let server = Server::new();
    let client = server.client();
    let api = config_maps(&client);
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"x": "y"}}, "data": {"k": "v"}});
    let parameters = PatchParams::apply("k8s-mtp").force();
    let applied = api.patch("a", &parameters, &Patch::Apply(&object)).await.expect("applied");
    let again = api.patch("a", &parameters, &Patch::Apply(&object)).await.expect("applied");
    assert_eq!(applied.metadata.resource_version, again.metadata.resource_version);
    assert_eq!(api.list(&ListParams::default().labels("x=y")).await.expect("a list").items.len(), 1);
    assert!(api.delete("a", &DeleteParams::default()).await.expect("deleted").is_right());
    assert!(matches!(api.get("a").await, Err(kube::Error::Api(status)) if status.is_not_found()));
    assert_eq!(server.trace().iter().filter(|exchange| !exchange.effects.is_empty()).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_client_discovers() {
    let client = Server::new().client();
    for discovery in [
        Discovery::new(client.clone()).run().await.expect("discovery"),
        Discovery::new(client.clone()).run_aggregated().await.expect("discovery"),
    ] {
        let group = discovery.get("networking.k8s.io").expect("a group");
        assert!(group.recommended_kind("NetworkPolicy").is_some());
        assert!(discovery.get("").expect("the core group").recommended_kind("Namespace").is_some());
    }
    assert_eq!(client.apiserver_version().await.expect("a version").minor, "37");
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_lost() {
    let server = Server::new();
    let api = config_maps(&server.client());
    server.on_request(|index, _| if index == 0 { Fault::FailAfter(Failure::Connection) } else { Fault::Proceed });
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    let patch = Patch::Apply(&object);
    api.patch("a", &PatchParams::apply("m"), &patch).await.expect_err("lost");
    assert!(server.get("configmaps", "default", "a").is_some());
}
