//! Three ways to apply `rendered/` by hand give the same objects.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::client::Client;
use crate::control_plane::{ControlPlane, NEWEST};
use crate::fixture::established;
use crate::manifests::{Document, Resources, apply_all, documents_on_disk};
use crate::programs::{program, repository};

/// The Tenant CRD's name.
const DEFINITION: &str = "tenants.multitenant.k8s-mtp.io";

/// What is applied; what lies below `rendered/gitops` is for engines.
const FOLDERS: [&str; 3] = ["--recursive", "--filename=rendered/platform", "--filename=rendered/tenants"];

/// kubectl, as that control plane's admin.
pub fn kubectl(plane: &ControlPlane, args: &[&str]) -> String {
    let ran = Command::new(program("kubectl"))
        .current_dir(repository())
        .env("KUBECONFIG", plane.admin_kubeconfig())
        .args(args)
        .output()
        .expect("kubectl can be started");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "kubectl {}: {said}", args.join(" "));
    // Kubernetes makes the default ServiceAccount, which plain apply takes over; it says so once.
    let taken_over = "resource serviceaccounts/default is missing the kubectl.kubernetes.io/last-applied-configuration";
    let warned = said.lines().find(|line| line.contains("Warning") && !line.contains(taken_over));
    assert_eq!(warned, None, "kubectl {}", args.join(" "));
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

/// kubectl with something on its standard input: whether it succeeded, and what it said.
pub fn kubectl_reading(plane: &ControlPlane, args: &[&str], input: &str) -> (bool, String) {
    let mut child = Command::new(program("kubectl"))
        .env("KUBECONFIG", plane.admin_kubeconfig())
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl can be started");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("kubectl reads");
    let done = child.wait_with_output().expect("kubectl ends");
    let said = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (done.status.success(), said)
}

/// What README says: definitions and namespaces, then everything.
fn by_kubectl(plane: &ControlPlane, flags: &[&str]) {
    let first: Vec<String> = ["rendered/platform", "rendered/tenants"]
        .into_iter()
        .flat_map(|folder| walkdir::WalkDir::new(repository().join(folder)))
        .map(|entry| entry.expect("a readable folder").into_path())
        .filter(|path| is_first(path))
        .map(|path| format!("--filename={}", path.display()))
        .collect();
    assert!(first.len() > 5, "{first:?}");
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    kubectl(plane, &[&["apply"], flags, &first].concat());
    let wait = ["wait", "--for=condition=Established", "--timeout=30s", &format!("crd/{DEFINITION}")];
    kubectl(plane, &wait);
    kubectl(plane, &[&["apply"], flags, &FOLDERS].concat());
}

fn is_first(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    name.starts_with("customresourcedefinition-") || name.starts_with("namespace-")
}

/// Objects of these documents as they are stored, less what depends on who applied them and when.
pub fn stored(client: &Client, documents: &[Document]) -> BTreeMap<String, Value> {
    let resources = Resources::of(client);
    let each = documents.iter().map(|document| {
        let path = document.path(&resources);
        let mut object = client.get(&path).ok();
        let metadata = object["metadata"].as_object_mut().expect("metadata");
        for key in ["creationTimestamp", "managedFields", "resourceVersion", "uid"] {
            metadata.remove(key);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
        // What a controller has counted or created by now is a matter of time.
        object.as_object_mut().expect("an object").remove("status");
        (path, object)
    });
    each.collect()
}

#[test]
fn three_ways_give_the_same() {
    // Kinds of others need their definitions, of which kubectl is not told here.
    let documents = documents_on_disk();
    let prepared = || {
        let plane = ControlPlane::start(NEWEST);
        crate::fixture::define_foreign(&plane, &documents);
        plane
    };
    let ours = {
        let plane = prepared();
        let client = plane.client();
        let mut resources = Resources::of(&client);
        crate::fixture::install(&plane, &client, &documents, &mut resources);
        established(&plane, &client, DEFINITION);
        apply_all(&client, &resources, &documents);
        stored(&client, &documents)
    };
    for flags in [&["--server-side"][..], &[][..]] {
        let plane = prepared();
        by_kubectl(&plane, flags);
        let theirs = stored(&plane.client(), &documents);
        for (path, object) in &ours {
            assert_eq!(theirs.get(path), Some(object), "kubectl apply {flags:?}: {path}");
        }
        // Once more: nothing changes, and nothing is warned of.
        let again = kubectl(&plane, &[&["apply"], flags, &FOLDERS].concat());
        let unchanged = |line: &&str| line.ends_with("unchanged") || line.ends_with("serverside-applied");
        assert_eq!(again.lines().find(|line| !unchanged(line)), None, "kubectl apply {flags:?} again");
    }
}
