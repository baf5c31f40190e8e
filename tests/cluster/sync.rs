//! `mtp sync` against a real control plane: the sample comes, stays, changes and goes.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::client::Client;
use crate::control_plane::{ControlPlane, NEWEST, wait};
use crate::fixture::define_foreign;
use crate::manifests::{Document, Resources, rendered};
use crate::programs::repository;

/// A checkout of the sample, and a control plane of its own.
pub struct Installation {
    /// Where it is applied.
    pub plane: ControlPlane,
    admin: Client,
    folder: tempfile::TempDir,
    /// For what does not belong into git.
    outside: tempfile::TempDir,
}

/// How a run of `mtp sync` ended.
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// All that it wrote.
    pub said: String,
}

impl Installation {
    /// The sample in a git repository of its own; nothing is applied.
    pub fn new() -> Installation {
        let plane = ControlPlane::start(NEWEST);
        let folder = tempfile::tempdir().expect("a folder");
        let copied = Command::new("cp").arg("-r").arg(repository().join("tenants")).arg(folder.path()).status();
        assert!(copied.expect("cp").success());
        let admin = plane.client();
        let outside = tempfile::tempdir().expect("a folder");
        let one = Installation { plane, admin, folder, outside };
        one.git(&["init", "-q"]);
        one.commit("first");
        define_foreign(&one.plane, &one.documents());
        one
    }

    /// The checkout.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A folder outside of it.
    pub fn outside(&self) -> &Path {
        self.outside.path()
    }

    /// What is applied.
    pub fn documents(&self) -> Vec<Document> {
        let files = crate::manifests::inputs(self.root());
        rendered(&files)
    }

    /// Runs git in the checkout.
    pub fn git(&self, args: &[&str]) {
        let identity = ["-c", "user.name=tests", "-c", "user.email=tests@example.org", "-c", "commit.gpgsign=false"];
        let done = Command::new("git").args(identity).args(args).current_dir(self.root()).output().expect("git");
        assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Runs `mtp`.
    pub fn mtp(&self, args: &[&str]) -> Ran {
        let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_mtp"))
            .args(args)
            .current_dir(self.root())
            .env("KUBECONFIG", self.plane.admin_kubeconfig())
            .output()
            .expect("mtp");
        let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        Ran { code: status.code().unwrap_or(-1), said }
    }

    /// Renders and commits what tenants/ says now.
    pub fn commit(&self, message: &str) {
        let ran = self.mtp(&["render", "--quiet"]);
        assert_eq!(ran.code, 0, "{}", ran.said);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
    }

    /// Changes a file.
    pub fn edit(&self, file: &str, change: impl FnOnce(String) -> String) {
        let path = self.root().join(file);
        let text = std::fs::read_to_string(&path).expect("a file");
        std::fs::write(path, change(text)).expect("written");
    }

    /// Runs `mtp`, which has to end well.
    #[track_caller]
    pub fn clean(&self, args: &[&str]) -> String {
        let ran = self.mtp(args);
        assert_eq!(ran.code, 0, "{}", ran.said);
        ran.said
    }
}

fn metadata<'v>(object: &'v Value, field: &str) -> &'v str {
    object["metadata"][field].as_str().unwrap_or_default()
}

#[test]
fn the_sample_comes_stays_changes_and_goes() {
    let one = Installation::new();
    let admin = &one.admin;

    // It is said before it is done, and saying it does nothing.
    let trial = one.mtp(&["sync", "--dry-run"]);
    assert!(trial.code == 0 && trial.said.contains("would be created"), "{}", trial.said);
    assert_eq!(admin.get("/api/v1/namespaces/k8s-mtp").status, 404);

    let first = one.clean(&["sync", "--once"]);
    assert!(first.contains(" created"), "{first}");
    let resources = Resources::of(admin);
    let documents = one.documents();
    let look = || -> Vec<Value> { documents.iter().map(|d| admin.get(&d.path(&resources)).ok()).collect() };
    let installed = look();
    let versions = |objects: &[Value]| -> Vec<String> {
        objects.iter().map(|o| metadata(o, "resourceVersion").to_owned()).collect()
    };

    // An idle pass writes nothing: not an object, not the inventory, not the Lease.
    let maps = || admin.get("/api/v1/namespaces/k8s-mtp/configmaps").ok()["items"].clone();
    let lease = || admin.get("/apis/coordination.k8s.io/v1/namespaces/k8s-mtp/leases/k8s-mtp-sync").ok();
    let before = (versions(&look()), maps(), lease());
    one.clean(&["sync"]);
    assert_eq!((versions(&look()), maps(), lease()), before);
    assert_eq!(one.mtp(&["sync", "--status"]).code, 0);

    // Whatever somebody changes in any object of ours comes back, and what he adds elsewhere stays.
    for (document, object) in documents.iter().zip(&installed) {
        let path = document.path(&resources);
        drift(admin, &path, object);
    }
    let status = one.mtp(&["sync", "--status"]);
    assert_eq!(status.code, 1, "{}", status.said);
    let report = one.clean(&["sync"]);
    assert!(report.contains(" back from `") && report.contains(" stripped"), "{report}");
    for ((document, before), now) in documents.iter().zip(&installed).zip(look()) {
        assert_eq!(now["metadata"]["labels"]["example.org/mine"], "kept", "{}", document.path(&resources));
        assert_eq!(ours(before), ours(&now), "{}", document.path(&resources));
    }
    assert_eq!(one.mtp(&["diff", "--against-cluster", "--exit-code"]).code, 0);

    // What an earlier tool left, marked as ours: it stays, and whoever looks is told.
    let stray = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": {"podSelector": {}, "egress": [{}]},
        "metadata": {"name": "left", "labels": {"app.kubernetes.io/managed-by": "k8s-mtp"}}});
    let policies = "/apis/networking.k8s.io/v1/namespaces/tenant-test-acme-acme/networkpolicies";
    admin.post(policies, &stray).created();
    for args in [&["sync", "--status"][..], &["sync"], &["diff", "--against-cluster"]] {
        let said = one.mtp(args);
        let told = said.said.contains("NetworkPolicy `tenant-test-acme-acme/left`: it says that it is rendered");
        assert_eq!((said.code, told), (0, true), "{args:?}: {}", said.said);
    }
    admin.get(&format!("{policies}/left")).ok();

    // A tenant leaves in two commits, and nothing else does.
    let namespace = "/api/v1/namespaces/tenant-test-acme-acme";
    std::fs::rename(one.root().join("tenants/test-acme.yaml"), one.root().join("test-acme.yaml")).expect("moved");
    let early = one.mtp(&["render"]);
    assert_eq!(early.code, 2, "render refuses to let a Namespace go at once: {}", early.said);
    std::fs::rename(one.root().join("test-acme.yaml"), one.root().join("tenants/test-acme.yaml")).expect("moved");
    one.edit("tenants/test-acme.yaml", |text| text.replacen("\nspec:\n", "\nspec:\n  state: retired\n", 1));
    one.commit("test-acme is retired");
    one.clean(&["sync"]);
    assert_eq!(admin.get(namespace).ok()["metadata"]["labels"]["tenant.k8s-mtp.io/state"], "retired");
    std::fs::remove_file(one.root().join("tenants/test-acme.yaml")).expect("removed");
    one.commit("test-acme is gone");
    one.clean(&["sync"]);
    wait("the Namespace is gone", &one.plane, || admin.get(namespace).status == 404);
    assert_eq!(admin.get("/apis/multitenant.k8s-mtp.io/v1/tenants/test-acme").status, 404);
    assert_eq!(admin.get("/api/v1/namespaces/k8s-mtp/configmaps/k8s-mtp-inventory.tenant.test-acme").status, 404);
    let left = one.mtp(&["sync", "--status"]);
    assert_eq!(left.code, 0, "{}", left.said);
}

/// Changes, as somebody with kubectl, what can be changed of an object: a label of ours, one of his own, and each field of
/// its specification that takes another value.
fn drift(admin: &Client, path: &str, object: &Value) {
    let mine = json!({"metadata": {"labels": {"example.org/mine": "kept", "app.kubernetes.io/part-of": "somebody"}}});
    admin.merge(path, &mine).ok();
    // What is not rendered matters too where it opens something.
    if object["kind"] == "NetworkPolicy" && object["spec"]["ingress"].is_null() {
        admin.merge(path, &json!({"spec": {"ingress": [{}]}})).ok();
    }
    for part in ["spec", "rules", "subjects", "automountServiceAccountToken"] {
        match &object[part] {
            Value::Object(fields) => fields.keys().for_each(|field| {
                // What is refused is no drift: immutable fields, and values that no validation takes.
                let others = json!({part: {field: other(&object[part][field])}});
                let _ = admin.merge(path, &others);
            }),
            Value::Null => {}
            value => drop(admin.merge(path, &json!({part: other(value)}))),
        }
    }
}

/// Another value of the same form.
fn other(value: &Value) -> Value {
    match value {
        Value::Bool(value) => json!(!value),
        Value::Array(items) if items.is_empty() => json!([{}]),
        Value::Array(_) => json!([]),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), other(value))).collect(),
        Value::String(text) if text.parse::<u64>().is_ok() => json!("77"),
        _ => json!(null),
    }
}

/// What stands of an object, without what its server counts and what others added outside of what is closed.
pub fn ours(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["resourceVersion", "generation", "managedFields", "creationTimestamp"] {
            metadata.remove(field);
        }
        if let Some(labels) = metadata.get_mut("labels").and_then(Value::as_object_mut) {
            labels.remove("example.org/mine");
        }
    }
    object
}

#[test]
fn what_is_not_what_was_reviewed_changes_nothing() {
    let one = Installation::new();
    // No cluster is asked before the folder is found to be whole.
    let refused = |args: &[&str], why: &str| {
        let ran = one.mtp(args);
        assert!(ran.code == 2 && ran.said.contains(why), "{args:?}: {} {}", ran.code, ran.said);
    };
    let file = one.root().join("rendered/platform/namespace-k8s-mtp.yaml");
    let text = std::fs::read_to_string(&file).expect("a file");
    std::fs::write(&file, text.replace("k8s-mtp\n", "k8s-mtp\n    by: hand\n")).expect("written");
    refused(&["sync"], "is not what tenants/ renders to");
    std::fs::remove_file(&file).expect("removed");
    refused(&["sync"], "is not what tenants/ renders to");
    refused(&["sync", "--rendered-only"], "expected one Namespace");
    std::fs::write(&file, text).expect("written");
    std::fs::rename(one.root().join("rendered"), one.root().join("elsewhere")).expect("renamed");
    refused(&["sync", "--rendered-only"], "there is no rendered/.k8s-mtp");
    std::fs::create_dir(one.root().join("rendered")).expect("made");
    refused(&["sync", "--rendered-only"], "there is no rendered/.k8s-mtp");
    assert_eq!(one.admin.get("/api/v1/namespaces/k8s-mtp").status, 404);
}
