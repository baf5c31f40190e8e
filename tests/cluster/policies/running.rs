//! `mtp policy review --cluster`: what a rule would refuse of the pods that run is known before it refuses it.

use std::process::Command;

use serde_json::{Value, json};

use super::pods::pod;
use super::{Policed, files, tier};
use crate::fixture::policies_in_force;
use crate::manifests::{apply_all, in_order, rendered};
use crate::mtp::Folder;

/// A tier that warned refuses from now on: `review` says whose pods that would be, and in which words; then it is so.
pub fn is_found_before_it_is_refused(policed: &Policed) {
    let pods = "/api/v1/namespaces/tenant-warned-x/pods";
    let bad = pod("bad", json!({"containers": [{"name": "main", "image": "registry.example.org/app:1.0"}]}));
    let limits = json!({"cpu": "100m", "memory": "64Mi"});
    let context = json!({"runAsNonRoot": true, "readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false});
    let good = json!({"containers": [{"name": "main", "image": "registry.example.org/app:1.0", "imagePullPolicy": "Always",
        "resources": {"limits": limits, "requests": limits}, "securityContext": context}]});
    policed.admin.post(pods, &bad).created();
    policed.admin.post(pods, &pod("good", good)).created();

    let mut all = files();
    let folder = Folder::empty();
    all.iter().for_each(|(path, text)| folder.write(path, text));
    let (code, said) = review(policed, &folder, &["--tenant", "warned"]);
    assert_eq!((code, said.contains("the policies would warn")), (0, true), "{said}");
    all.insert("tenants/tiers/warned.yaml".to_owned(), tier("warned", ""));
    folder.write("tenants/tiers/warned.yaml", &all["tenants/tiers/warned.yaml"]);
    // Of all tenants, and of this one, it is the same.
    for args in [&["--tenant", "warned"][..], &[]] {
        let (code, said) = review(policed, &folder, args);
        let header = "tenant-warned-x (tier warned): Pod bad: 1 pod, bad\n";
        assert_eq!((code, said.matches(header).count()), (1, 1), "{said}");
        assert!(!said.contains("good") && said.contains("1 would be refused"), "{said}");
    }
    let (_, said) = review(policed, &folder, &["--tenant", "warned", "--output", "json"]);
    let said: Value = serde_json::from_str(&said).expect("JSON");
    let complaints = said["running"]["found"][0]["complaints"].as_array().expect("a list").clone();
    assert!(complaints.len() > 4, "{said}");

    apply_all(
        &policed.admin,
        &policed.resources,
        &in_order(rendered(&all).into_iter().filter(super::is_applied).collect()),
    );
    policies_in_force(&policed.plane, &policed.admin);
    let answer = policed.admin.post(&format!("{pods}?dryRun=All"), &pod("again", bad["spec"].clone()));
    let words: Vec<&str> = complaints.iter().map(|complaint| complaint["message"].as_str().expect("words")).collect();
    answer.refused(403, &words);
}

fn review(policed: &Policed, folder: &Folder, args: &[&str]) -> (i32, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_mtp"))
        .args(["policy", "review", "--cluster"])
        .args(args)
        .current_dir(folder.path())
        .env("KUBECONFIG", policed.plane.admin_kubeconfig())
        .output()
        .expect("mtp");
    assert!(ran.stderr.is_empty(), "{}", String::from_utf8_lossy(&ran.stderr));
    (ran.status.code().unwrap_or(-1), String::from_utf8(ran.stdout).expect("text"))
}
