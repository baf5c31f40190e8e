//! Thousands of scenarios have to fit into a few minutes.

use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use serde_json::json;

use crate::server::Server;
use crate::smoke::config_maps;

/// Some 300 requests of the kinds that a pass makes.
async fn scenario(seed: u64) -> u64 {
    let server = Server::new();
    let api: Api<DynamicObject> = config_maps(&server.client());
    for pass in 0..3 {
        for index in 0..90 {
            let name = format!("c{index}");
            let value = if index % 30 == pass { seed.to_string() } else { "same".to_owned() };
            let object = json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "k8s-mtp", "x": "y"}},
                "data": {"a": value, "b": "1", "c": "2"},
            });
            api.patch(&name, &PatchParams::apply("m").force(), &Patch::Apply(&object)).await.expect("applied");
        }
        for _ in 0..10 {
            api.list(&ListParams::default().labels("x=y")).await.expect("a list");
        }
    }
    server.revision()
}

#[tokio::test(start_paused = true)]
async fn a_scenario_is_the_same_each_time() {
    assert_eq!(scenario(1).await, scenario(1).await);
}

/// Not a test: how long a thousand scenarios take. Run it by hand.
#[tokio::test(start_paused = true)]
#[ignore = "a measurement"]
async fn a_thousand_scenarios() {
    for seed in 0..1000 {
        scenario(seed).await;
    }
}
