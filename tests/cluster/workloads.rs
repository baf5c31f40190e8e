//! Quotas, defaults and Pod Security work together: what a tenant is to run runs, and no more.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::control_plane::{NEWEST, wait};
use crate::fixture::{Platform, platform};
use crate::manifests::{Document, apply_all, inputs, rendered};
use crate::pods::{deployment, pod};
use crate::programs::repository;

/// The sample's namespaces in which something may run.
fn active(platform: &Platform) -> Vec<&str> {
    let is_active = |d: &&Document| {
        let labels = &d.value["metadata"]["labels"];
        d.kind() == "Namespace"
            && !labels["tenant.k8s-mtp.io/name"].is_null()
            && labels["tenant.k8s-mtp.io/state"].is_null()
    };
    platform.documents.iter().filter(is_active).map(Document::name).collect()
}

/// No resources, no fuss: the LimitRange fills in what the quota asks for.
#[test]
fn a_plain_deployment_runs_in_every_tenant() {
    let platform = platform();
    let namespaces = active(platform);
    assert!(namespaces.len() >= 8, "{namespaces:?}");
    for namespace in &namespaces {
        let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
        let deployment = deployment("plain", &json!({"app": "plain"}));
        let made = platform.admin.apart();
        made.post(&path, &deployment).created();
        assert_eq!(made.warnings(), Vec::<String>::new(), "{namespace}");
    }
    for namespace in &namespaces {
        let pods = format!("/api/v1/namespaces/{namespace}/pods?labelSelector=app=plain");
        wait(&format!("a pod in {namespace}"), &platform.plane, || {
            platform.admin.get(&pods).ok()["items"].as_array().is_some_and(|items| items.len() == 1)
        });
        platform.admin.delete(&format!("/apis/apps/v1/namespaces/{namespace}/deployments/plain")).ok();
    }
}

/// As many containers of the largest size as the quota has no room for.
#[test]
fn a_pod_over_the_quota_is_refused() {
    let platform = platform();
    for namespace in active(platform) {
        let quota = platform.admin.get(&format!("/api/v1/namespaces/{namespace}/resourcequotas/tenant-quota")).ok();
        let hard = quota["spec"]["hard"]["limits.cpu"].as_str().expect("a quota of CPU").to_owned();
        let container = |name: &str, cpu: &str| {
            let mut container = crate::pods::spec()["containers"][0].clone();
            container["name"] = json!(name);
            container["resources"] = json!({"limits": {"cpu": cpu}, "requests": {"cpu": cpu}});
            container
        };
        let over = pod("over", &[("/spec/containers", json!([container("all", &hard), container("more", "1m")]))]);
        let path = format!("/api/v1/namespaces/{namespace}/pods?dryRun=All");
        let answer = platform.admin.post(&path, &over);
        let message = answer.message();
        assert!(
            answer.status == 403 && ["exceeded quota", "maximum cpu usage"].iter().any(|why| message.contains(why)),
            "{namespace}: {} {message}",
            answer.status
        );
        // The same pod, small enough, is taken: it was the size.
        platform.admin.post(&path, &pod("small", &[("/spec/containers", json!([container("all", "50m")]))])).created();
    }
}

/// The sample with one tenant more.
pub fn with_tenant(text: &str) -> Vec<Document> {
    let mut files = inputs(repository());
    for file in files.values_mut() {
        *file = file.replace("kubernetesVersion: \"1.36\"", &format!("kubernetesVersion: \"{NEWEST}\""));
    }
    files.insert("tenants/one-more.yaml".to_owned(), text.to_owned());
    let all = rendered(&files);
    assert!(!all.is_empty(), "refused: {text}");
    let name = text.lines().find_map(|line| line.strip_prefix("  name: ")).expect("a name").to_owned();
    let is_its = |d: &Document| d.value["metadata"]["labels"]["tenant.k8s-mtp.io/name"] == name.as_str();
    all.into_iter().filter(is_its).collect()
}

/// Applies documents and removes what is ours beside them in their namespaces, as an engine that prunes does.
pub fn apply_and_prune(platform: &Platform, documents: &[Document]) {
    apply_all(&platform.admin, &platform.resources, documents);
    for (path, object) in ours(platform, documents) {
        let wanted = |d: &Document| d.kind() == object["kind"] && d.name() == object["metadata"]["name"];
        if !documents.iter().any(wanted) {
            platform.admin.delete(&path).ok();
        }
    }
}

/// What is ours in the namespaces of these documents, by path.
fn ours(platform: &Platform, documents: &[Document]) -> Vec<(String, Value)> {
    let namespaces: BTreeSet<&str> = documents.iter().map(Document::namespace).filter(|n| !n.is_empty()).collect();
    let kinds: BTreeSet<(&str, &str)> =
        documents.iter().filter(|d| !d.namespace().is_empty()).map(|d| (d.api_version(), d.kind())).collect();
    let mut all = Vec::new();
    for namespace in namespaces {
        for (api_version, kind) in &kinds {
            let collection = platform.resources.collection(api_version, kind, namespace);
            let list = platform.admin.get(&format!("{collection}?labelSelector=app.kubernetes.io/managed-by=k8s-mtp"));
            for mut object in list.ok()["items"].as_array().cloned().unwrap_or_default() {
                object["kind"] = json!(kind);
                all.push((format!("{collection}/{}", object["metadata"]["name"].as_str().expect("a name")), object));
            }
        }
    }
    all
}

/// A new tier changes the quota that is there; what only the old one had goes.
#[test]
fn a_new_tier_leaves_one_quota_and_no_orphan() {
    let platform = platform();
    let tenant = |tier: &str| {
        let text = format!(
            "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Tenant\nmetadata:\n  name: mover\nspec:\n  name: web\n  tier: {tier}\n  \
             ownerEmail: mover@example.org\n"
        );
        with_tenant(&text)
    };
    for tier in ["free", "pro", "free"] {
        let documents = tenant(tier);
        apply_and_prune(platform, &documents);
        let there: BTreeSet<(String, String)> = ours(platform, &documents)
            .iter()
            .map(|(_, o)| {
                ["/kind", "/metadata/name"]
                    .map(|at| o.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned())
            })
            .map(|[kind, name]| (kind, name))
            .collect();
        let rendered: BTreeSet<(String, String)> = documents
            .iter()
            .filter(|d| !d.namespace().is_empty())
            .map(|d| (d.kind().to_owned(), d.name().to_owned()))
            .collect();
        assert_eq!(there, rendered, "tier {tier}");
        let unscoped =
            documents.iter().filter(|d| d.kind() == "ResourceQuota" && d.value["spec"]["scopeSelector"].is_null());
        assert_eq!(unscoped.count(), 1, "tier {tier}");
        let stored = platform.admin.get("/api/v1/namespaces/tenant-mover-web/resourcequotas/tenant-quota").ok();
        let meant = documents.iter().find(|d| d.name() == "tenant-quota").expect("a quota");
        assert_eq!(stored["spec"], meant.value["spec"], "tier {tier}");
    }
}
