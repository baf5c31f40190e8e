//! `mtp policy review`: the published bad pods, their repairs, and files of all kinds.

use k8s_mtp::cli::Exit;
use serde_json::{Value, json};

use crate::mtp::{Folder, mtp, repository};

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

/// What is said where nobody knows whose an object is.
const BLIND: &str = "not looked at, for objects that name no namespace: the LimitRange, Pod Security, the quota; \
                     `--tenant NAME` says whose they are\n";

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
    let mut spec = json!({"containers": [container]});
    if kind.ends_with("Job") {
        spec["restartPolicy"] = json!("Never");
    }
    let mut template = json!({"template": {"metadata": {"labels": {"app": "it"}}, "spec": spec}});
    let (api_version, body) = match kind {
        "Pod" => ("v1", spec),
        "Job" => ("batch/v1", template),
        "CronJob" => ("batch/v1", json!({"schedule": "@daily", "jobTemplate": {"spec": template}})),
        _ => {
            template["selector"] = json!({"matchLabels": {"app": "it"}});
            ("apps/v1", template)
        }
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
        assert_eq!((exit, said), (Exit::Clean, format!("1 object in 1 file: admitted\n{BLIND}")), "{kind}");
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

/// Whom a NetworkPolicy or a RoleBinding may name depends on whose it is: where nobody knows, it is said that nobody asked.
#[test]
fn what_tenants_write_is_not_admitted_unasked() {
    for (api_version, kind, body) in [
        ("networking.k8s.io/v1", "NetworkPolicy", json!({"spec": {"podSelector": {}, "ingress": [{}]}})),
        ("rbac.authorization.k8s.io/v1", "RoleBinding", json!({"subjects": [{"kind": "User", "name": "mallory"}]})),
    ] {
        let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "it"}});
        object.as_object_mut().expect("an object").extend(body.as_object().expect("fields").clone());
        let (exit, said) = review(&object);
        let words = "the quota, whom NetworkPolicies and RoleBindings may name; `--tenant NAME` says whose they are\n";
        assert!(exit == Exit::Clean && said.contains(words), "{kind}: {said}");
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
    let said = format!("3 objects in 2 files: admitted\n{BLIND}core validation is not modelled for: Pod\n");
    assert_eq!((ran.exit, ran.out), (Exit::Clean, said), "{}", ran.err);
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
fn options_about_a_cluster_stand_beside_cluster_alone() {
    for args in [
        &["policy", "review", "--context", "a", "x.yaml"][..],
        &["policy", "review", "--context", "a"],
        &["policy", "review", "--cluster", "x.yaml"],
        &["sync", "--listen", "127.0.0.1:0", "--once"],
        &["sync", "--listen", "127.0.0.1:0"],
    ] {
        let ran = mtp(args);
        assert!(ran.exit == Exit::Failed && ran.err.contains("Usage:"), "{args:?}: {ran}");
    }
}

#[test]
fn every_policy_is_listed_and_explained() {
    let listed = mtp(&["policy", "list"]);
    assert_eq!(listed.exit, Exit::Clean);
    let (policies, lists) = listed.out.split_once("\n\n").expect("policies, and lists");
    let ids: Vec<&str> = policies.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(ids.len(), 9, "{}", listed.out);
    let lists: Vec<&str> = lists.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(lists.len(), 14, "{}", listed.out);
    for id in lists {
        let ran = mtp(&["explain", id]);
        let parts = ["Why: ", "Fix: ", "Bounded by: admission.restrict.", "Admitted (", "Refused (", "# says: "];
        assert!(ran.exit == Exit::Clean && parts.iter().all(|part| ran.out.contains(part)), "{ran}");
    }
    let off: Vec<&str> = listed.out.lines().filter(|line| line.ends_with("(off unless asked for)")).collect();
    assert!(matches!(off[..], [line] if line.starts_with("image-pull-policy ")), "{}", listed.out);
    for id in ids {
        let ran = mtp(&["explain", id]);
        let parts = ["Why: ", "Fix: ", "Says: Container NAME ", "Admitted:", "Refused:"];
        assert!(ran.exit == Exit::Clean && parts.iter().all(|part| ran.out.contains(part)), "{ran}");
    }
}

/// Every id that a report may carry is explained: rules of layers, and controls of Pod Security.
#[test]
fn what_layers_refuse_is_explained() {
    let listed = mtp(&["explain"]).out;
    let rules = listed.lines().filter_map(|line| line.split_whitespace().next()).filter(|id| id.starts_with('A'));
    let controls = k8s_mtp::standards::CONTROLS.iter().map(|control| control.id);
    for id in rules.chain(controls) {
        let ran = mtp(&["explain", id]);
        assert!(ran.exit == Exit::Clean && ran.out.contains("Why: ") && ran.out.contains("Fix: "), "{ran}");
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
    folder.edit("tenants/platform.yaml", "level: restricted", "level: privileged");
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
    assert!(ran.out.contains("note: the policies warn of Pod it"), "{ran}");
    assert!(ran.out.contains("nobody carries the policies out"), "{ran}");
    let ran = folder.mtp(&["policy", "review", &pod]);
    assert_eq!(ran.exit, Exit::Findings, "{ran}");
    assert!(ran.out.contains("3 errors"), "{ran}");
    let ran = folder.mtp(&["policy", "review", &pod, "--tenant", "acme"]);
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("there is no tenant `acme`"), "{ran}");
}

/// A folder with a tenant of the tier free, and the path of a manifest in it.
fn tenant_with(manifest: &Value) -> (Folder, String) {
    let folder = Folder::published();
    folder.write("it.json", manifest.to_string());
    let path = folder.join("it.json").display().to_string();
    (folder, path)
}

/// Whoever names a namespace need not say whose it is.
#[test]
fn a_namespace_tells_whose_it_is() {
    let mut large = container();
    large["resources"]["limits"]["cpu"] = json!("2");
    let mut pod = manifest("Pod", &large);
    pod["metadata"]["namespace"] = json!("tenant-test-acme-acme");
    let (folder, path) = tenant_with(&pod);
    let ran = folder.mtp(&["policy", "review", &path]);
    assert_eq!(ran.exit, Exit::Findings, "{ran}");
    assert!(ran.out.contains("error[A501]: exceeded quota: tenant-quota, requested: limits.cpu=2"), "{ran}");
    pod["metadata"]["namespace"] = json!("kube-system");
    folder.write("it.json", pod.to_string());
    let ran = folder.mtp(&["policy", "review", &path]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    assert!(ran.out.contains("in namespaces that are no tenant's in tenants/ (kube-system): the LimitRange"), "{ran}");
    // With errors in tenants/, nobody knows.
    folder.edit("tenants/acme.yaml", "tier: free", "tier: gold");
    assert_eq!(folder.mtp(&["policy", "review", &path]).exit, Exit::Failed);
}

#[test]
fn every_form_of_report_carries_the_layer() {
    let mut bad = container();
    bad["securityContext"]["privileged"] = json!(true);
    let (folder, path) = tenant_with(&manifest("Deployment", &bad));
    let ran = |form: &str| folder.mtp(&["policy", "review", "--output", form, &path]).out;
    let json: Value = serde_json::from_str(&ran("json")).expect("JSON");
    let first = &json["problems"][0];
    assert_eq!(
        (&first["layer"], &first["object"], &first["first"], &first["rule"]),
        (&json!("core-validation"), &json!("Deployment it"), &json!(true), &json!("A131"))
    );
    assert_eq!(json["problems"][1]["layer"], "policies");
    assert_eq!(json["problems"][1]["first"], false);
    let object = &json["objects"][0];
    assert_eq!(
        (&object["verdict"], &object["whom"], &object["layer"]),
        (&json!("refused"), &json!("object"), &json!("core-validation"))
    );
    assert_eq!(json["notes"].as_array().map(Vec::len), Some(1));
    let sarif: Value = serde_json::from_str(&ran("sarif")).expect("JSON");
    let run = &sarif["runs"][0];
    assert_eq!(run["results"][0]["properties"]["layer"], "core-validation");
    let described: Vec<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .filter_map(|rule| rule["id"].as_str())
        .collect();
    for result in run["results"].as_array().expect("results") {
        assert!(described.contains(&result["ruleId"].as_str().expect("an id")), "{result}");
    }
    assert!(ran("github").contains("title=core-validation A131::"), "{}", ran("github"));
    assert!(
        ran("markdown").contains("core validation refuses Deployment it, before all others"),
        "{}",
        ran("markdown")
    );
    let text = ran("text");
    assert!(text.contains("note: core validation refuses Deployment it, before all others"), "{text}");
    assert!(text.contains("note: the policies refuse the pods of Deployment it too, after core validation"), "{text}");
    assert!(text.contains("\nDeployment it is refused by core validation, after that by the policies\n"), "{text}");
}

/// Secrets are counted, and their lines are shown to nobody.
#[test]
fn a_secret_stays_one() {
    let folder = Folder::published();
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: it\nstringData:\n  password: 12345678\n";
    folder.write("it.yaml", secret);
    for form in ["text", "json", "sarif", "github", "markdown"] {
        let path = folder.join("it.yaml").display().to_string();
        let ran = folder.mtp(&["policy", "review", "--output", form, &path]);
        assert_eq!(ran.exit, Exit::Findings, "{ran}");
        assert!(ran.out.contains("A101") && !ran.out.contains("12345678"), "{ran}");
    }
}

#[test]
fn policies_are_listed_as_they_stand_for_a_tenant() {
    let folder = Folder::published();
    let admission = "
  admission:
    policies: {read-only-root: warn}
    exemptions:
      - policies: [privileged]
        tenants: [test-acme]
        owner: ops@example.org
        reason: a node agent
        expires: \"2027-01-31\"
";
    folder.admission(admission);
    let ran = folder.mtp(&["policy", "list", "--tenant", "test-acme"]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    for line in [
        "tenant-test-acme-acme (tier free):",
        "  read-only-root        warn   a writable root file system",
        "  privileged            deny   a privileged container  let off by ops@example.org: a node agent",
        "nobody carries them out",
    ] {
        assert!(ran.out.contains(line), "{line}: {ran}");
    }
    let ran = folder.mtp(&["policy", "list", "--tenant", "test-acme", "--output", "json"]);
    let json: Value = serde_json::from_str(&ran.out).expect("JSON");
    let policies = json["namespaces"][0]["policies"].as_array().expect("policies");
    assert!(policies.contains(&json!({"id": "read-only-root", "mode": "warn"})), "{ran}");
    let exempt = json!({"id": "privileged", "mode": "deny", "exempt": "ops@example.org: a node agent"});
    assert!(policies.contains(&exempt), "{ran}");
    assert_eq!(folder.mtp(&["policy", "list", "--tenant", "nobody"]).exit, Exit::Failed);
}

/// The living example: this repository's own folders.
#[test]
fn folders_of_expectations_hold() {
    let (root, folder) =
        (repository().display().to_string(), repository().join("tests/policies").display().to_string());
    let ran = mtp(&["policy", "test", &folder, "--root", &root]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    assert_eq!(ran.out, "30 objects in 2 folders: as expected\n", "{ran}");
}

#[test]
fn what_is_not_as_expected_is_a_line_each() {
    let folder = Folder::published();
    folder.write("p/pods.json", manifest("Pod", &container()).to_string());
    folder.write("p/more/other.json", manifest("Deployment", &container()).to_string());
    let expect = |text: &str| {
        folder.write("p/expectations.yaml", text);
        let ran = folder.mtp(&["policy", "test", &folder.join("p").display().to_string()]);
        (ran.exit, ran.out.replace(&folder.path().display().to_string(), "."), ran.err)
    };
    let (exit, said, _) =
        expect("expect:\n  - {object: Pod/it, verdict: refused}\n  - {object: Pod/of, verdict: admitted}\n");
    assert_eq!(exit, Exit::Findings, "{said}");
    for line in [
        "./p/expectations.yaml:2:31: Pod/it: expected refused, found admitted: A901\n",
        "./p/expectations.yaml:3:14: Pod/of: there is no such object in this folder: A902\n",
        "./p/more/other.json:1:1: Deployment/it: nothing is expected of it: A903\n",
        "3 errors in 2 files\n2 objects in 1 folder looked at\n",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let (exit, said, _) = expect("expects: []\nexpect:\n  - {object: Pod/it, verdict: refuse, verdict: refused}\n");
    assert_eq!(exit, Exit::Failed, "{said}");
    for line in [
        "expectations.yaml:1:1: `expectations` has no field `expects`: T011",
        "expectations.yaml:3:31: expected `admitted`, `refused` or `warned` for `verdict`, found `refuse`: T014",
        "expectations.yaml:3:39: the key `verdict` stands here again: T005",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let (exit, said, _) = expect("tenant: nobody\nexpect: []\n");
    assert_eq!(exit, Exit::Findings, "{said}");
    assert!(said.contains("expectations.yaml:1:9: there is no tenant `nobody` in tenants/: A904"), "{said}");
    folder.write("q/pod.json", "{}");
    let ran = folder.mtp(&["policy", "test", &folder.join("q").display().to_string()]);
    assert!(ran.exit == Exit::Failed && ran.err.contains("there is no expectations.yaml below"), "{ran}");
}

/// What is rendered into a tenant's namespace is admitted there.
#[test]
fn what_is_rendered_is_admitted() {
    let root = repository().display().to_string();
    let rendered = repository().join("rendered").display().to_string();
    let ran = mtp(&["policy", "review", &rendered, "--root", &root]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    assert!(!ran.out.contains("error[") && ran.out.contains(": admitted\n"), "{ran}");
}
