//! `mtp policy review`: the published bad pods, their repairs, and files of all kinds.

use k8s_mtp::cli::Exit;
use serde_json::{Value, json};

use crate::mtp::{Folder, mtp};

/// What a container is refused for, and what is said then: the words that the platform has published.
const PUBLISHED: [(&str, Value, &str); 8] = [
    ("/securityContext/privileged", json!(true), "Container nginx failed privilege check"),
    ("/securityContext/runAsNonRoot", json!(false), "Container nginx failed privilege check"),
    ("/securityContext", Value::Null, "Container nginx must have SecurityContext defined"),
    ("/securityContext/readOnlyRootFilesystem", json!(false), "Container nginx must have read only root filesystem"),
    (
        "/securityContext/allowPrivilegeEscalation",
        json!(true),
        "Container nginx must not be allowed to escalate privileges",
    ),
    ("/resources/limits", Value::Null, "Container nginx must have resource limits"),
    ("/resources/limits/cpu", Value::Null, "Container nginx must have CPU limits"),
    ("/resources/limits/memory", Value::Null, "Container nginx must have Memory limits"),
];

fn container() -> Value {
    json!({
        "name": "nginx",
        "image": "nginx",
        "resources": {"limits": {"cpu": "100m", "memory": "128Mi"}},
        "securityContext": {
            "privileged": false,
            "runAsNonRoot": true,
            "readOnlyRootFilesystem": true,
            "allowPrivilegeEscalation": false,
        },
    })
}

/// A manifest of that kind, with the container where its pods have it.
fn manifest(kind: &str, container: &Value) -> Value {
    let spec = json!({"containers": [container]});
    let template = json!({"template": {"spec": spec}});
    let (api_version, body) = match kind {
        "Pod" => ("v1", spec),
        "Job" => ("batch/v1", template),
        "CronJob" => ("batch/v1", json!({"jobTemplate": {"spec": template}})),
        _ => ("apps/v1", template),
    };
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "it"}, "spec": body})
}

fn review(manifest: &Value) -> (Exit, String) {
    let folder = Folder::empty();
    folder.write("it.json", manifest.to_string());
    let ran = mtp(&["policy", "review", &folder.join("it.json").display().to_string()]);
    assert_eq!(ran.err, "");
    (ran.exit, ran.out)
}

#[test]
fn published_pods_are_refused_in_the_published_words_and_their_repairs_are_not() {
    for kind in ["Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"] {
        let (exit, said) = review(&manifest(kind, &container()));
        assert_eq!((exit, said.as_str()), (Exit::Clean, "1 pod in 1 file keep to the policies\n"), "{kind}");
        for (pointer, fault, message) in &PUBLISHED {
            let mut bad = container();
            let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
            bad.pointer_mut(parent).expect("it is there")[key] = fault.clone();
            let (exit, said) = review(&manifest(kind, &bad));
            assert_eq!(exit, Exit::Findings, "{kind} {pointer}: {said}");
            assert!(said.contains(message) && said.contains("it.json:1:"), "{kind} {pointer}: {said}");
        }
    }
}

#[test]
fn an_admission_review_is_judged_as_the_api_server_means_it() {
    let mut bad = container();
    bad["securityContext"]["privileged"] = json!(true);
    let review_of = |operation: &str, subresource: &str, container: &Value| {
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "1",
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "subResource": subresource,
            "operation": operation,
            "object": manifest("Pod", container),
            "oldObject": manifest("Pod", &bad),
        }})
    };
    assert_eq!(review(&review_of("CREATE", "", &bad)).0, Exit::Findings);
    assert_eq!(review(&review_of("UPDATE", "", &bad)).0, Exit::Clean, "nothing changes");
    assert_eq!(review(&review_of("DELETE", "", &bad)).0, Exit::Clean);
    let (exit, said) = review(&review_of("UPDATE", "teleport", &bad));
    assert_eq!(exit, Exit::Failed, "{said}");
    assert!(said.contains("pods/teleport is not known"), "{said}");
}

#[test]
fn what_cannot_be_read_is_not_decided() {
    let folder = Folder::empty();
    folder.write("broken.yaml", "a: [");
    folder.write("twice.yaml", "apiVersion: v1\nkind: Pod\nspec:\n  hostUsers: no\n  containers: []\n");
    for (file, why) in [("broken.yaml", "T001"), ("twice.yaml", "T007"), ("none.yaml", "cannot read")] {
        let ran = mtp(&["policy", "review", &folder.join(file).display().to_string()]);
        assert_eq!(ran.exit, Exit::Failed, "{ran}");
        assert!(ran.out.contains(why) || ran.err.contains(why), "{ran}");
    }
}

#[test]
fn folders_lists_and_strangers() {
    let folder = Folder::empty();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [manifest("Pod", &container()), manifest("Job", &container())]});
    folder.write("deep/list.yaml", list.to_string());
    folder.write("deep/other.yaml", "apiVersion: example.org/v1\nkind: Pod\nspec: {containers: [{name: mine}]}\n");
    folder.write("deep/README", "not: [read");
    let ran = mtp(&["policy", "review", &folder.path().display().to_string()]);
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Clean, "2 pods in 2 files keep to the policies\n"), "{}", ran.err);
}

/// Names are of whoever wrote the file: nothing in one reaches a terminal as it is.
#[test]
fn a_hostile_name_is_spelt_out() {
    let mut bad = container();
    bad["name"] = json!("\u{1b}[2Jnginx\n::error::");
    bad["securityContext"]["privileged"] = json!(true);
    let (exit, said) = review(&manifest("Pod", &bad));
    assert_eq!(exit, Exit::Findings);
    assert!(!said.contains('\u{1b}') && !said.contains("\n::error"), "{said}");
}

#[test]
fn the_manual_has_a_page_for_it() {
    let man = mtp(&["man"]).out;
    assert!(man.contains("mtp\\-policy\\-review") && man.contains("FILE|DIR"), "no page of mtp policy review");
}

#[test]
fn every_policy_is_listed_and_explained() {
    let listed = mtp(&["policy", "list"]);
    assert_eq!(listed.exit, Exit::Clean);
    let ids: Vec<&str> = listed.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(ids.len(), 8, "{}", listed.out);
    for id in ids {
        let ran = mtp(&["explain", id]);
        let parts = ["Why: ", "Fix: ", "Says: Container NAME ", "Admitted:", "Refused:"];
        assert!(ran.exit == Exit::Clean && parts.iter().all(|part| ran.out.contains(part)), "{ran}");
    }
}

#[test]
fn a_tenant_is_judged_by_its_tier_and_its_exemptions() {
    let folder = Folder::published();
    let admission = "
  admission:
    policies:
      read-only-root: warn
      privilege-escalation: audit
    exemptions:
      - policies: [privileged]
        namespaces: [tenant-test-acme-acme]
        owner: ops@example.org
        reason: a node agent
        expires: \"2027-01-31\"
";
    folder.admission(admission);
    let mut container = container();
    for (field, value) in [("privileged", true), ("readOnlyRootFilesystem", false), ("allowPrivilegeEscalation", true)]
    {
        container["securityContext"][field] = json!(value);
    }
    folder.write("pod.json", manifest("Pod", &container).to_string());
    let pod = folder.join("pod.json").display().to_string();
    let ran = folder.mtp(&["policy", "review", &pod, "--tenant", "test-acme"]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    assert!(ran.out.contains("warning[read-only-root]") && !ran.out.contains("privileged]"), "{ran}");
    let ran = folder.mtp(&["policy", "review", &pod]);
    assert_eq!(ran.exit, Exit::Findings, "{ran}");
    assert!(ran.out.contains("3 errors"), "{ran}");
    let ran = folder.mtp(&["policy", "review", &pod, "--tenant", "acme"]);
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("there is no tenant `acme`"), "{ran}");
}
