//! `mtp sync` killed at any moment of a real install; the same with the API server killed, and with etcd paused.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Client;
use crate::control_plane::ControlPlane;
use crate::manifests::Resources;
use crate::sync::{Installation, ours};

/// How many moments are tried; `MTP_KILLS` says more.
fn moments() -> u64 {
    std::env::var("MTP_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// Who does what to whom at a moment.
#[derive(Debug, Clone, Copy)]
enum Blow {
    Killed,
    ServerKilled,
    StoragePaused,
}

/// Moments of an install, spread over the time that one takes; the same ones each time.
fn moment(index: u64, took: Duration) -> Duration {
    // The golden ratio spreads any number of points evenly.
    took.mul_f64((index as f64 * 0.618_033_988_75).fract())
}

fn start(one: &Installation) -> Child {
    Command::new(env!("CARGO_BIN_EXE_mtp"))
        .args(["sync", "--wait", "30"])
        .current_dir(one.root())
        .env("KUBECONFIG", one.plane.admin_kubeconfig())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("mtp")
}

/// Everything that an earlier install made, gone.
fn reset(one: &Installation) {
    const DEFINITION: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tenants.multitenant.k8s-mtp.io";
    let client = one.plane.client();
    let namespaces = || -> Vec<String> {
        let all = client.get("/api/v1/namespaces").ok()["items"].as_array().cloned().unwrap_or_default();
        let names = all.iter().filter_map(|n| n["metadata"]["name"].as_str());
        let ours = names.filter(|name| name.starts_with("tenant-") || *name == "k8s-mtp");
        ours.map(|name| format!("/api/v1/namespaces/{name}")).collect()
    };
    let policies = ["mutating", "validating"].iter().flat_map(|what| {
        let resources = ["policies", "policybindings"].map(|r| format!("{what}admission{r}"));
        let labelled = "labelSelector=app.kubernetes.io/managed-by=k8s-mtp";
        resources.map(|r| format!("/apis/admissionregistration.k8s.io/v1/{r}?{labelled}"))
    });
    for path in namespaces().into_iter().chain([DEFINITION.to_owned()]).chain(policies) {
        let answer = client.delete(&path);
        assert!(matches!(answer.status, 200 | 202 | 404), "{answer:?}");
    }
    let left = || -> Vec<Value> {
        let all = namespaces().into_iter().chain([DEFINITION.to_owned()]).map(|path| client.get(&path));
        all.filter(|answer| answer.status != 404).map(|answer| answer.body).collect()
    };
    let start = Instant::now();
    while !left().is_empty() {
        // A minute is what the API server's own finalizer of definitions takes for one attempt.
        let why = || format!("{}\n{}", Value::from(left()), one.plane.last_words());
        assert!(start.elapsed() < Duration::from_secs(150), "still there: {}", why());
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// What the inventory holds, and what in the cluster says that we applied it: both by UID.
pub fn books(one: &Installation, client: &Client) -> [BTreeSet<String>; 2] {
    let maps =
        client.get("/api/v1/namespaces/k8s-mtp/configmaps").ok()["items"].as_array().cloned().unwrap_or_default();
    let lines: Vec<Value> = maps
        .iter()
        .filter_map(|map| map["data"]["objects"].as_str())
        .flat_map(str::lines)
        .map(|line| serde_json::from_str(line).expect("a line of the inventory"))
        .collect();
    let tracked = lines.iter().map(|line| line["uid"].as_str().unwrap_or("no UID").to_owned()).collect();
    let resources = Resources::of(client);
    let mut applied = BTreeSet::new();
    let kinds: BTreeSet<(String, String)> =
        one.documents().iter().map(|d| (d.api_version().to_owned(), d.kind().to_owned())).collect();
    for (api_version, kind) in kinds {
        let all = format!(
            "{}?labelSelector=app.kubernetes.io/managed-by=k8s-mtp",
            resources.collection(&api_version, &kind, "")
        );
        for object in client.get(&all).ok()["items"].as_array().into_iter().flatten() {
            applied.insert(object["metadata"]["uid"].as_str().unwrap_or_default().to_owned());
        }
    }
    [tracked, applied]
}

/// What stands of all that git has, without what differs from one install to the next.
pub fn standing(one: &Installation, client: &Client) -> Vec<Value> {
    let resources = Resources::of(client);
    let mut all: Vec<Value> = one.documents().iter().map(|d| ours(&client.get(&d.path(&resources)).ok())).collect();
    for object in &mut all {
        object["metadata"]["uid"] = Value::Null;
        // Whether an address was given to a Service, and which.
        object["spec"]["clusterIP"] = Value::Null;
    }
    all
}

#[test]
fn whatever_is_struck_at_any_moment_the_next_run_ends_as_a_fresh_install() {
    let mut one = Installation::new();
    let began = Instant::now();
    one.clean(&["sync"]);
    let took = began.elapsed();
    let expected = standing(&one, &one.plane.client());
    for blow in [Blow::Killed, Blow::ServerKilled, Blow::StoragePaused] {
        for index in 0..moments() {
            let what = format!("{blow:?}, moment {index}");
            eprintln!("{what}, {} s", began.elapsed().as_secs());
            reset(&one);
            let mut run = start(&one);
            std::thread::sleep(moment(index, took));
            strike(blow, &mut one.plane, &mut run);
            // Who was not killed himself ends by himself, well or not.
            run.wait().expect("it ends");
            let client = one.plane.client();
            // The time that the Lease of a dead process takes to be over.
            client.delete("/apis/coordination.k8s.io/v1/namespaces/k8s-mtp/leases/k8s-mtp-sync");
            one.clean(&["sync"]);
            assert_eq!(standing(&one, &client), expected, "{what}");
            let [tracked, applied] = books(&one, &client);
            assert_eq!(tracked, applied, "{what}: the inventory is not what the cluster has");
            let status = one.mtp(&["sync", "--status"]);
            assert_eq!(status.code, 0, "{what}: {}", status.said);
        }
    }
}

fn strike(blow: Blow, plane: &mut ControlPlane, run: &mut Child) {
    match blow {
        Blow::Killed => run.kill().expect("killed"),
        Blow::ServerKilled => plane.restart(),
        Blow::StoragePaused => {
            plane.pause_storage();
            std::thread::sleep(Duration::from_secs(2));
            plane.resume_storage();
        }
    }
}
