//! How long a fleet takes: `mtp sync` beside `kubectl apply --server-side` and beside the same requests, merely sent.
//!
//! Measured by `ci/bench sync` and by nobody else: times are no tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use http::Method;
use serde_json::{Value, json};

use crate::control_plane::{ControlPlane, NEWEST};
use crate::kubectl::kubectl;
use crate::manifests::{Document, Resources, apply, in_order};

/// How many tenants; each has some dozen objects.
fn tenants() -> Vec<usize> {
    let said = std::env::var("MTP_TENANTS").unwrap_or_else(|_| "800".to_owned());
    said.split(',').map(|text| text.parse().expect("a number of tenants")).collect()
}

/// The program that is measured.
fn program() -> PathBuf {
    std::env::var_os("MTP_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_mtp").into(), PathBuf::from)
}

fn mtp(root: &Path, plane: Option<&ControlPlane>, args: &[&str]) -> String {
    let mut command = Command::new(program());
    command.args(args).current_dir(root);
    if let Some(plane) = plane {
        command.env("KUBECONFIG", plane.admin_kubeconfig());
    }
    let output = command.output().expect("mtp");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "mtp {args:?}: {said}");
    said
}

/// A platform with a fleet of tenants, rendered.
fn fleet(tenants: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    mtp(root, None, &["init", "--no-tenant", "--root", "."]);
    for index in 0..tenants {
        let text = format!(
            "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Tenant\nmetadata:\n  name: t{index}\nspec:\n  name: main\n  tier: free\n  ownerEmail: o{index}@example.org\n  admins: [a{index}@example.org]\n"
        );
        std::fs::write(root.join(format!("tenants/t{index}.yaml")), text).expect("written");
    }
    mtp(root, None, &["render", "--quiet"]);
    folder
}

fn documents(root: &Path) -> Vec<Document> {
    let files = walkdir::WalkDir::new(root.join("rendered")).into_iter().map(|e| e.expect("a readable folder"));
    let yaml = files.filter(|e| e.path().extension().is_some_and(|ending| ending == "yaml"));
    in_order(
        yaml.flat_map(|e| crate::manifests::documents(&std::fs::read_to_string(e.path()).expect("a file"))).collect(),
    )
}

/// Objects of these kinds, which others need.
fn ground(plane: &ControlPlane, all: &[Document], kinds: &[&str]) {
    let client = plane.client();
    let resources = Resources::of(&client);
    for document in all.iter().filter(|d| kinds.contains(&d.kind())) {
        apply(&client, &resources, document, false).ok();
    }
    crate::fixture::established(plane, &client, "tenants.multitenant.k8s-mtp.io");
}

/// A request that changes something.
struct Write {
    method: Method,
    path: String,
    content_type: &'static str,
    body: Vec<u8>,
}

/// What a first install sends, in an order in which it can be sent: policies, Namespaces, the inventory, the other objects, the
/// inventory once more, and what Tenants are told. `plane` is one on which that happened.
fn writes(plane: &ControlPlane, all: &[Document]) -> Vec<Write> {
    let client = plane.client();
    let resources = Resources::of(&client);
    let applied = |d: &Document| Write {
        method: Method::PATCH,
        path: format!("{}?fieldManager=k8s-mtp&fieldValidation=Strict", d.path(&resources)),
        content_type: "application/apply-patch+yaml",
        body: d.text.clone().into_bytes(),
    };
    let maps = "/api/v1/namespaces/k8s-mtp/configmaps";
    let list = |path: &str| client.get(path).ok()["items"].as_array().cloned().unwrap_or_default();
    let inventory: Vec<Value> = list(maps).into_iter().filter(|map| map["data"]["objects"].is_string()).collect();
    let told = list("/apis/multitenant.k8s-mtp.io/v1/tenants");
    assert_eq!(inventory.len(), told.len() + 1);
    let stored = |method: Method, map: &Value| {
        let name = map["metadata"]["name"].as_str().expect("a name");
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": map["data"],
            "metadata": {"name": name, "labels": map["metadata"]["labels"]}});
        let path = if method == Method::PUT { format!("{maps}/{name}") } else { maps.to_owned() };
        Write { method, path, content_type: "application/json", body: object.to_string().into_bytes() }
    };
    let status = told.iter().map(|tenant| {
        let name = tenant["metadata"]["name"].as_str().expect("a name");
        let object = json!({"apiVersion": "multitenant.k8s-mtp.io/v1", "kind": "Tenant", "metadata": {"name": name},
            "status": tenant["status"]});
        Write {
            method: Method::PATCH,
            path: format!("/apis/multitenant.k8s-mtp.io/v1/tenants/{name}/status?fieldManager=k8s-mtp&force=true"),
            content_type: "application/apply-patch+yaml",
            body: object.to_string().into_bytes(),
        }
    });
    let (namespaces, others): (Vec<&Document>, Vec<&Document>) =
        all.iter().filter(|d| d.kind() != "CustomResourceDefinition").partition(|d| d.kind() == "Namespace");
    // Policies come before what they judge, which costs: so `mtp sync` applies them.
    let (policies, others): (Vec<&Document>, Vec<&Document>) =
        others.into_iter().partition(|d| d.kind().contains("AdmissionPolicy"));
    let first = policies
        .into_iter()
        .chain(namespaces)
        .map(applied)
        .chain(inventory.iter().map(|map| stored(Method::POST, map)));
    let then = others.into_iter().map(applied).chain(inventory.iter().map(|map| stored(Method::PUT, map)));
    first.chain(then).chain(status).collect()
}

/// How long requests take, so many at a time.
fn sent(plane: &ControlPlane, all: &[Document], writes: &[Write], concurrency: usize) -> Duration {
    ground(plane, all, &["CustomResourceDefinition"]);
    let client = plane.client();
    let begin = Instant::now();
    client.on_runtime(async {
        let requests = writes.iter().map(async |write| {
            let status = client.send_raw(&write.method, &write.path, write.content_type, &write.body).await;
            assert!((200..300).contains(&status), "{} {}: HTTP status {status}", write.method, write.path);
        });
        let mut answers = futures::stream::iter(requests).buffer_unordered(concurrency);
        while answers.next().await.is_some() {}
    });
    begin.elapsed()
}

#[test]
#[ignore = "a measurement: ci/bench sync"]
fn measured() {
    let tenants = tenants()[0];
    let folder = fleet(tenants);
    let root = folder.path();
    let all = documents(root);
    println!("{} objects of {tenants} tenants", all.len());

    let plane = ControlPlane::start(NEWEST);
    let begin = Instant::now();
    let first = mtp(root, Some(&plane), &["sync", "--verbose"]);
    let sync = begin.elapsed();
    println!("mtp sync, first: {:.1} s\n{first}", sync.as_secs_f64());
    let begin = Instant::now();
    let idle = mtp(root, Some(&plane), &["sync", "--verbose"]);
    println!("mtp sync, idle: {:.1} s\n{idle}", begin.elapsed().as_secs_f64());
    let writes = writes(&plane, &all);
    drop(plane);

    let plane = ControlPlane::start(NEWEST);
    ground(&plane, &all, &["CustomResourceDefinition", "Namespace"]);
    let begin = Instant::now();
    let files = ["rendered/platform", "rendered/tenants"].map(|folder| root.join(folder).display().to_string());
    let args = [
        "apply",
        "--server-side",
        "--field-manager=k8s-mtp",
        "--recursive",
        "--filename",
        &files[0],
        "--filename",
        &files[1],
    ];
    kubectl(&plane, &args);
    println!("kubectl apply --server-side, after definitions and Namespaces: {:.1} s", begin.elapsed().as_secs_f64());
    drop(plane);

    let took = [8, 16, 32].map(|concurrency| {
        let plane = ControlPlane::start(NEWEST);
        let took = sent(&plane, &all, &writes, concurrency);
        println!("the same {} requests, {concurrency} at a time: {:.1} s", writes.len(), took.as_secs_f64());
        took
    });
    let best = took.into_iter().min().expect("three");
    println!("mtp sync, first, in times of the best: {:.2}", sync.as_secs_f64() / best.as_secs_f64());
}

/// How many pods are made, each in the namespace of another tenant as far as there are enough.
const PODS: usize = 2_000;

/// What grows with the number of tenants, and what does not: a first install, a pass with nothing to do, and what the policies
/// cost a pod. Measured by `ci/bench tenants`.
#[test]
#[ignore = "a measurement: ci/bench tenants"]
fn grown() {
    for tenants in tenants() {
        let folder = fleet(tenants);
        let root = folder.path();
        let all = documents(root);
        let policies: Vec<usize> =
            all.iter().filter(|d| d.kind().contains("AdmissionPolicy")).map(|d| d.text.len()).collect();
        let size = policies.iter().sum::<usize>() / 1024;
        println!(
            "{} objects of {tenants} tenants; policies and their bindings: {}, {size} KiB",
            all.len(),
            policies.len()
        );

        let plane = ControlPlane::start(NEWEST);
        for pass in ["first", "idle", "every tenant changed"] {
            if pass == "every tenant changed" {
                let path = root.join("tenants/tiers/free.yaml");
                let tier = std::fs::read_to_string(&path).expect("a tier");
                std::fs::write(&path, tier.replace("    pods: 20\n", "    pods: 21\n")).expect("written");
                mtp(root, None, &["render", "--quiet"]);
            }
            let begin = Instant::now();
            let said = mtp(root, Some(&plane), &["sync", "--verbose"]);
            println!("mtp sync, {pass}: {:.1} s\n{said}", begin.elapsed().as_secs_f64());
        }
        pods(&plane, tenants);
    }
}

/// How long pods take from the request to the answer: in namespaces of tenants, and in one that nobody looks at.
fn pods(plane: &ControlPlane, tenants: usize) {
    let client = plane.client();
    let plain = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "neither"}});
    client.post("/api/v1/namespaces", &plain).created();
    for resource in ["resourcequotas", "limitranges"] {
        let list = client.get(&format!("/api/v1/namespaces/tenant-t0-main/{resource}")).ok();
        for mut object in list["items"].as_array().cloned().unwrap_or_default() {
            object["metadata"] = json!({"name": object["metadata"]["name"]});
            client.post(&format!("/api/v1/namespaces/neither/{resource}"), &object).created();
        }
    }
    crate::fixture::policies_in_force(plane, &client);
    let mut times: [Vec<Duration>; 2] = std::array::from_fn(|_| Vec::with_capacity(PODS));
    for number in 0..PODS {
        for turn in 0..2 {
            let which = (number + turn) % 2;
            let namespace =
                if which == 0 { "neither".to_owned() } else { format!("tenant-t{}-main", number % tenants) };
            let mut pod = crate::policies::fitting(&format!("p{number}"));
            // The level of these tiers asks for more.
            pod["spec"]["securityContext"] = json!({"seccompProfile": {"type": "RuntimeDefault"}});
            pod["spec"]["containers"][0]["securityContext"]["capabilities"] = json!({"drop": ["ALL"]});
            let begin = Instant::now();
            client.post(&format!("/api/v1/namespaces/{namespace}/pods?dryRun=All"), &pod).created();
            times[which].push(begin.elapsed());
        }
    }
    println!("{PODS} pods each, one after the other, not stored; milliseconds:");
    for (whose, times) in ["neither", "policies"].into_iter().zip(&mut times) {
        println!("  {whose:<9} {}", crate::policies::percentiles(times));
    }
}
