//! `mtp sync --watch` on a real control plane: new commits, drift, a leader that dies, an API server that goes and comes.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::control_plane::wait;
use crate::sync::Installation;

/// A process that watches; killed when it is dropped.
struct Watching {
    child: Child,
    log: PathBuf,
}

impl Watching {
    fn start(one: &Installation, name: &str) -> Watching {
        let log = one.outside().join(format!("{name}.log"));
        let child = Command::new(env!("CARGO_BIN_EXE_mtp"))
            .args(["sync", "--watch", "--wait", "30"])
            .current_dir(one.root())
            .env("KUBECONFIG", one.plane.admin_kubeconfig())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a file"))
            .spawn()
            .expect("mtp");
        Watching { child, log }
    }

    fn said(&self, what: &str) -> bool {
        std::fs::read_to_string(&self.log).expect("a log").contains(what)
    }

    fn signal(&self, signal: &str) {
        let done = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status().expect("kill");
        assert!(done.success());
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const QUOTA: &str = "/api/v1/namespaces/tenant-test-acme-acme/resourcequotas/tenant-quota";

#[test]
fn what_is_watched_stays_as_git_has_it_whatever_happens() {
    let mut one = Installation::new();
    let pods = |one: &Installation| one.plane.client().get(QUOTA).body["spec"]["hard"]["pods"].clone();
    let drift =
        |one: &Installation| drop(one.plane.client().merge(QUOTA, &json!({"spec": {"hard": {"pods": "77"}}})).ok());

    let first = Watching::start(&one, "first");
    wait("the sample is applied", &one.plane, || one.mtp(&["sync", "--status"]).code == 0);
    let wanted = pods(&one);
    drift(&one);
    wait("drift is put right", &one.plane, || pods(&one) == wanted);

    // Another one waits until the first is gone, however it went.
    let second = Watching::start(&one, "second");
    wait("the second waits", &one.plane, || second.said("waiting for it"));
    first.signal("KILL");
    drift(&one);
    wait("the second takes over", &one.plane, || pods(&one) == wanted);

    // A new commit is noticed.
    one.edit("tenants/test-acme.yaml", |text| text.replace("alice@acme.com", "anna@acme.com"));
    one.commit("another admin");
    let bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/tenant-test-acme-acme/rolebindings";
    let binding = format!("{bindings}/tenant-test-acme-admin-binding");
    wait("the commit is applied", &one.plane, || {
        one.plane.client().get(&binding).body.to_string().contains("anna@acme.com")
    });
    let binding = one.plane.client().get(&binding).ok();
    assert!(!binding["subjects"].to_string().contains("alice@acme.com"), "{binding}");

    // An API server that goes, and comes again with something changed meanwhile.
    one.plane.restart();
    drift(&one);
    wait("it goes on", &one.plane, || pods(&one) == wanted);

    // Told to end, it leaves nobody waiting.
    second.signal("TERM");
    let lease = "/apis/coordination.k8s.io/v1/namespaces/k8s-mtp/leases/k8s-mtp-sync";
    wait("the Lease is given back", &one.plane, || one.plane.client().get(lease).body["spec"]["holderIdentity"] == "");
    let events = one.plane.client().get("/apis/events.k8s.io/v1/namespaces/default/events").ok().to_string();
    assert!(events.contains("k8s-mtp.io/sync") && events.contains("test-acme"), "{events}");
}
