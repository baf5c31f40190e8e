//! `suspended` and `retired`, seen on a cluster: what runs, who may what, and the way back.

use serde_json::json;

use crate::client::Client;
use crate::control_plane::wait;
use crate::fixture::{Platform, platform};
use crate::manifests::Document;
use crate::pods::{deployment, pod};
use crate::workloads::{apply_and_prune, with_tenant};

const NAMESPACE: &str = "tenant-sleeper-web";

fn tenant(state: &str) -> Vec<Document> {
    with_tenant(&format!(
        "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Tenant\nmetadata:\n  name: sleeper\nspec:\n  name: web\n  tier: pro\n  \
         state: {state}\n  ownerEmail: owner@sleeper.example\n  admins: [ada@sleeper.example]\n  \
         operators: [olga@sleeper.example]\n  viewers: [vera@sleeper.example]\n  egress:\n    internet: true\n"
    ))
}

/// Enters a state, and waits until the API server's caches know: rights and quotas follow what was applied, a moment later.
fn enter(platform: &Platform, state: &str, people: &[Client; 3], rights: [[bool; 3]; 3]) {
    apply_and_prune(platform, &tenant(state));
    let questions = [("create", "apps", "deployments"), ("delete", "", "pods"), ("list", "", "pods")];
    wait(&format!("the rights of state {state}"), &platform.plane, || {
        people.iter().zip(rights).all(|(person, expected)| {
            questions.iter().zip(expected).all(|((verb, group, resource), yes)| {
                person.may(&json!({"namespace": NAMESPACE, "verb": verb, "group": group, "resource": resource})) == yes
            })
        })
    });
}

fn policies(platform: &Platform) -> Vec<String> {
    let list = platform.admin.get(&format!("/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies")).ok();
    let names = list["items"].as_array().into_iter().flatten();
    names.map(|p| p["metadata"]["name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn from_active_to_retired_and_back() {
    let platform = platform();
    let people = ["ada", "olga", "vera"].map(|name| platform.person(&format!("{name}@sleeper.example"), &[]));
    // Who: admin, operator, viewer; what: deploy, restart, look.
    let active = [[true, true, true], [false, true, true], [false, false, true]];
    let suspended = [[false, false, true]; 3];
    let retired = [[false; 3]; 3];
    let dry = format!("/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All");

    enter(platform, "active", &people, active);
    let deployments = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments");
    people[0].post(&deployments, &deployment("app", &json!({"app": "app"}))).created();
    let running = || platform.admin.get(&format!("/api/v1/namespaces/{NAMESPACE}/pods")).ok()["items"].clone();
    wait("a pod", &platform.plane, || running().as_array().is_some_and(|pods| pods.len() == 1));
    let open = policies(platform);
    assert!(open.len() > 1 && open.iter().any(|p| p == "tenant-allow-internet"), "{open:?}");

    enter(platform, "suspended", &people, suspended);
    people[0].post(&dry, &pod("new", &[])).refused(403, &["cannot create resource \"pods\""]);
    wait("the quota of no pods", &platform.plane, || {
        platform.admin.post(&dry, &pod("new", &[])).message().contains("exceeded quota: tenant-quota")
    });
    assert_eq!(policies(platform), ["tenant-isolation"], "nothing is opened");
    assert_eq!(running().as_array().map(Vec::len), Some(1), "what runs is cut off, not killed");

    enter(platform, "retired", &people, retired);
    people[2].get(&format!("/api/v1/namespaces/{NAMESPACE}/pods")).refused(403, &["cannot list resource \"pods\""]);
    let namespace = platform.admin.get(&format!("/api/v1/namespaces/{NAMESPACE}")).ok();
    assert_eq!(namespace["metadata"]["labels"]["tenant.k8s-mtp.io/state"], "retired");
    assert!(namespace["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/prune"].is_null(), "it may go now");
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more"}});
    wait("the quota of nothing", &platform.plane, || {
        let path = format!("/api/v1/namespaces/{NAMESPACE}/configmaps?dryRun=All");
        platform.admin.post(&path, &config).message().contains("exceeded quota: tenant-quota")
    });

    enter(platform, "active", &people, active);
    assert_eq!(policies(platform), open, "all is open again");
    wait("the quota of before", &platform.plane, || people[0].post(&dry, &pod("new", &[])).status == 201);
}
