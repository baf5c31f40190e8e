//! How long a fleet takes: `mtp sync` beside `kubectl apply --server-side` and beside the same requests, merely sent.
//!
//! Measured by `ci/bench sync` and by nobody else: times are no tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use futures::StreamExt as _;

use crate::control_plane::{ControlPlane, NEWEST, wait};
use crate::kubectl::kubectl;
use crate::manifests::{Document, Resources, apply, in_order};

/// How many tenants; each has some dozen objects.
fn tenants() -> usize {
    std::env::var("MTP_TENANTS").ok().and_then(|text| text.parse().ok()).unwrap_or(800)
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
fn fleet() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    mtp(root, None, &["init", "--no-tenant", "--root", "."]);
    for index in 0..tenants() {
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

/// Definitions and Namespaces, which everything else needs; what is left is what is timed.
fn ground(plane: &ControlPlane, all: &[Document]) -> usize {
    let client = plane.client();
    let resources = Resources::of(&client);
    let first: Vec<&Document> =
        all.iter().filter(|d| ["CustomResourceDefinition", "Namespace"].contains(&d.kind())).collect();
    for document in &first {
        apply(&client, &resources, document, false).ok();
    }
    crate::fixture::established(plane, &client, "tenants.multitenant.k8s-mtp.io");
    first.len()
}

/// The rest of the requests, so many at a time; a kind after the other, as they have to come.
fn bare(plane: &ControlPlane, all: &[Document], concurrency: usize) -> Duration {
    ground(plane, all);
    let client = plane.client();
    let resources = Resources::of(&client);
    let rest: Vec<(String, &[u8])> = all
        .iter()
        .filter(|d| !["CustomResourceDefinition", "Namespace"].contains(&d.kind()))
        .map(|d| (format!("{}?fieldManager=k8s-mtp&fieldValidation=Strict", d.path(&resources)), d.text.as_bytes()))
        .collect();
    let begin = Instant::now();
    client.on_runtime(async {
        let requests = rest.iter().map(|(path, body)| client.send_raw(path, body));
        let mut answers = futures::stream::iter(requests).buffer_unordered(concurrency);
        while let Some(status) = answers.next().await {
            assert!((200..300).contains(&status), "HTTP status {status}");
        }
    });
    begin.elapsed()
}

#[test]
#[ignore = "a measurement: ci/bench sync"]
fn measured() {
    let folder = fleet();
    let root = folder.path();
    let all = documents(root);
    println!("{} objects of {} tenants", all.len(), tenants());

    let plane = ControlPlane::start(NEWEST);
    let begin = Instant::now();
    let first = mtp(root, Some(&plane), &["sync", "--verbose"]);
    let sync = begin.elapsed();
    println!("mtp sync, first: {:.1} s\n{first}", sync.as_secs_f64());
    let begin = Instant::now();
    let idle = mtp(root, Some(&plane), &["sync", "--verbose"]);
    println!("mtp sync, idle: {:.1} s\n{idle}", begin.elapsed().as_secs_f64());
    drop(plane);

    let plane = ControlPlane::start(NEWEST);
    ground(&plane, &all);
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

    for concurrency in [4, 8, 16, 32] {
        let plane = ControlPlane::start(NEWEST);
        wait("it is there", &plane, || plane.client().get("/readyz").status == 200);
        let took = bare(&plane, &all, concurrency);
        println!("the same requests, {concurrency} at a time: {:.1} s", took.as_secs_f64());
    }
}
