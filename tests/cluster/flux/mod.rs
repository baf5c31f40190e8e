//! `rendered/` under Flux itself: everything is applied from it alone, nothing moves without a change, what a change takes
//! away is pruned and nothing else, and what a tenant's own repository must not hold is refused.

mod engine;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::control_plane::{ControlPlane, NEWEST, wait};
use crate::fixture::{define_foreign, established, install};
use crate::kubectl::{kubectl, stored};
use crate::manifests::{Document, Resources, apply_all, in_order};
use crate::mtp::Folder;
use engine::{Engine, condition, sample};

/// Labels by which Flux knows what it applied.
///
/// Source: <https://fluxcd.io/flux/components/kustomize/kustomizations/#inventory>
const LABELS: [&str; 2] = ["kustomize.toolkit.fluxcd.io/name", "kustomize.toolkit.fluxcd.io/namespace"];

#[test]
fn everything_is_applied_from_git_alone() {
    let mut engine = Engine::start(sample());
    everything_is_there(&engine);
    nothing_moves_without_a_change(&engine);
    drift_comes_back(&engine);
    only_what_changed_is_touched(&mut engine);
    only_what_was_removed_is_pruned(&mut engine);
}

/// Every object of `rendered/` is there as it is by two other ways, the encrypted Secret in plain text.
fn everything_is_there(engine: &Engine) {
    let documents = in_order(engine.rendered());
    let by_flux: BTreeMap<String, Value> =
        stored(&engine.admin, &documents).into_iter().map(|(path, object)| (path, comparable(object))).collect();
    let secret = &by_flux["/api/v1/namespaces/k8s-mtp/secrets/webhook-tls"];
    let key = crate::world::base64(secret["data"]["tls.key"].as_str().expect("a key"));
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"), "not decrypted");
    let labelled =
        by_flux.values().filter(|object| LABELS.iter().all(|l| object["metadata"]["labels"].get(*l).is_some()));
    assert_eq!(labelled.count(), 0, "`comparable` takes Flux's labels out");
    for (way, theirs) in [("our own client", by_client(&documents)), ("kubectl", by_kubectl(&documents))] {
        for (path, object) in &theirs {
            assert_eq!(by_flux.get(path), Some(object), "{way}: {path}");
        }
        assert_eq!(by_flux.len(), theirs.len());
    }
}

/// An object less what the API server gives each anew, besides what [`stored`] leaves out, and less Flux's own labels.
fn comparable(mut object: Value) -> Value {
    if object["kind"] == "Service" {
        let spec = object["spec"].as_object_mut().expect("a spec");
        spec.retain(|field, _| !["clusterIP", "clusterIPs"].contains(&field.as_str()));
    }
    if let Some(labels) = object["metadata"]["labels"].as_object_mut() {
        labels.retain(|label, _| !LABELS.contains(&label.as_str()));
    }
    object
}

fn by_client(documents: &[Document]) -> BTreeMap<String, Value> {
    let mut plane = ControlPlane::start(NEWEST);
    plane.start_nodes();
    let client = plane.client();
    let mut resources = Resources::of(&client);
    install(&plane, &client, documents, &mut resources);
    apply_all(&client, &resources, documents);
    settled(&plane, documents)
}

fn by_kubectl(documents: &[Document]) -> BTreeMap<String, Value> {
    let mut plane = ControlPlane::start(NEWEST);
    plane.start_nodes();
    define_foreign(&plane, documents);
    let copy = Folder::empty();
    let name = |document: &Document| {
        [document.namespace(), &document.kind().to_lowercase(), document.name()].join("-") + ".yaml"
    };
    for document in documents {
        // A definition and the namespaces first, as README says.
        let folder =
            if ["CustomResourceDefinition", "Namespace"].contains(&document.kind()) { "first" } else { "then" };
        copy.write(&format!("{folder}/{}", name(document)), &document.text);
    }
    for folder in ["first", "then"] {
        let path = copy.join(folder);
        kubectl(&plane, &["apply", "--server-side", "--filename", path.to_str().expect("a path")]);
        established(&plane, &plane.client(), "tenants.multitenant.k8s-mtp.io");
    }
    settled(&plane, documents)
}

/// What is stored once controllers have said what they say of Deployments.
fn settled(plane: &ControlPlane, documents: &[Document]) -> BTreeMap<String, Value> {
    let client = plane.client();
    wait("the Deployment is looked at", plane, || {
        let deployment = client.get("/apis/apps/v1/namespaces/k8s-mtp/deployments/k8s-mtp-webhook").ok();
        deployment["metadata"]["annotations"].get("deployment.kubernetes.io/revision").is_some()
    });
    stored(&client, documents).into_iter().map(|(path, object)| (path, comparable(object))).collect()
}

/// Paths of what is rendered, and what the API server counts of each: its `resourceVersion` grows with every change.
fn versions(engine: &Engine) -> BTreeMap<String, (String, String)> {
    let documents = engine.rendered();
    let each = documents.iter().filter_map(|document| {
        let path = document.path(&engine.resources);
        let metadata = engine.admin.get(&path).body["metadata"].clone();
        let text = |field: &str| metadata[field].as_str().map(str::to_owned);
        Some((path, (text("uid")?, text("resourceVersion")?)))
    });
    each.collect()
}

/// Which of these changed in between.
fn changed<'a>(before: &'a BTreeMap<String, (String, String)>, engine: &Engine) -> BTreeSet<&'a str> {
    let after = versions(engine);
    before.iter().filter(|(path, version)| after.get(*path) != Some(version)).map(|(path, _)| path.as_str()).collect()
}

fn nothing_moves_without_a_change(engine: &Engine) {
    let before = versions(engine);
    assert!(before.len() > 200, "{}", before.len());
    engine.reconcile("again");
    assert_eq!(changed(&before, engine), BTreeSet::new());
}

fn drift_comes_back(engine: &Engine) {
    let path = "/apis/networking.k8s.io/v1/namespaces/tenant-lab-course-2025/networkpolicies/tenant-isolation";
    let quota = "/api/v1/namespaces/tenant-aurora-prod/resourcequotas/tenant-quota";
    let role = "/apis/rbac.authorization.k8s.io/v1/namespaces/tenant-shop-web/roles/tenant-shop-viewer";
    let specs = || [path, quota].map(|path| engine.admin.get(path).ok()["spec"].clone());
    let meant = specs();
    let rules = engine.admin.get(role).ok()["rules"].clone();
    let open = r#"{"spec":{"ingress":[{}]}}"#;
    let more = r#"{"spec":{"hard":{"pods":"5000","count/widgets.example.org":"5"}}}"#;
    for (kind, name, namespace, patch) in [
        ("networkpolicy", "tenant-isolation", "tenant-lab-course-2025", open),
        ("resourcequota", "tenant-quota", "tenant-aurora-prod", more),
    ] {
        let namespace = format!("--namespace={namespace}");
        kubectl(&engine.plane, &["patch", kind, name, &namespace, "--type=merge", "--patch", patch]);
    }
    kubectl(&engine.plane, &["delete", "role", "tenant-shop-viewer", "--namespace=tenant-shop-web"]);
    assert_ne!(specs(), meant);
    engine.reconcile("drift");
    assert_eq!(specs(), meant);
    assert_eq!(engine.admin.get(role).ok()["rules"], rules);
}

fn only_what_changed_is_touched(engine: &mut Engine) {
    let before = versions(engine);
    engine.world.folder.edit("tenants/aurora.yaml", "oncall@aurora.example", "night@aurora.example");
    engine.world.clean(&["render"]);
    engine.push();
    let changed = changed(&before, engine);
    assert!(!changed.is_empty());
    for path in changed {
        assert!(path.contains("tenant-aurora-") || path.ends_with("/tenants/aurora"), "{path} was touched");
    }
}

fn only_what_was_removed_is_pruned(engine: &mut Engine) {
    let before = versions(engine);
    let of_it = |path: &str| path.contains("/tenant-no-") || path.ends_with("/tenants/no");
    engine.world.folder.edit("tenants/norway.yaml", "  ownerEmail:", "  state: retired\n  ownerEmail:");
    engine.world.clean(&["render"]);
    engine.push();
    engine.world.folder.remove("tenants/norway.yaml");
    engine.world.clean(&["render"]);
    engine.push();
    engine.until("the tenant is gone", |engine| {
        let left = before.keys().filter(|path| of_it(path) && engine.admin.get(path).status != 404);
        let own = engine.kustomizations().into_iter().map(|k| k["metadata"]["name"].to_string());
        left.cloned().chain(own.filter(|name| name == "\"tenant-no\"")).collect()
    });
    let others: BTreeMap<_, _> = before.into_iter().filter(|(path, _)| !of_it(path)).collect();
    assert!(others.len() > 200);
    let moved = changed(&others, engine);
    // Whom the webhook knows is the platform's to say: the removed tenant is no longer among them.
    let moved: Vec<&str> = moved.into_iter().filter(|path| !path.contains("/configmaps/k8s-mtp-webhook-")).collect();
    assert_eq!(moved, Vec::<&str>::new());
}

/// What README says, from an empty repository on.
#[test]
fn the_guide_works_from_an_empty_repository() {
    let engine = Engine::start(crate::engines::guide("### Let Flux apply it"));
    let applied =
        engine.rendered().iter().map(|d| engine.admin.get(&d.path(&engine.resources)).status).collect::<Vec<_>>();
    assert!(applied.len() > 10 && applied.iter().all(|status| *status == 200), "{applied:?}");
}

/// What a tenant's own repository holds, and why each is refused.
const REFUSED: [(&str, &str, &str); 6] = [
    (
        "a ClusterRole",
        "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: everything}
rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]
",
        "clusterroles.rbac.authorization.k8s.io",
    ),
    (
        "a RoleBinding to cluster-admin",
        "apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: me, namespace: tenant-aurora-prod}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: mallory}]
",
        "rolebindings.rbac.authorization.k8s.io",
    ),
    (
        "an object in another tenant's namespace",
        "apiVersion: v1
kind: ConfigMap
metadata: {name: hello, namespace: tenant-shop-web}
data: {}
",
        "in the namespace \"tenant-shop-web\"",
    ),
    (
        "a ResourceQuota",
        "apiVersion: v1
kind: ResourceQuota
metadata: {name: tenant-quota, namespace: tenant-aurora-prod}
spec: {hard: {pods: '5000'}}
",
        "resourcequotas",
    ),
    (
        "a NetworkPolicy of ours",
        "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: tenant-isolation, namespace: tenant-aurora-prod}
spec: {podSelector: {}, ingress: [{}], egress: [{}], policyTypes: [Ingress, Egress]}
",
        "networkpolicies.networking.k8s.io",
    ),
    (
        "its own Namespace",
        "apiVersion: v1
kind: Namespace
metadata: {name: tenant-aurora-prod, labels: {pod-security.kubernetes.io/enforce: privileged}}
",
        "namespaces",
    ),
];

#[test]
fn a_tenants_repository_stays_in_its_namespace() {
    let engine = Engine::start(sample());
    let own = |name: &str| {
        let all = engine.kustomizations().into_iter();
        all.filter(|k| k["metadata"]["namespace"] == "tenant-aurora-prod").find(|k| k["metadata"]["name"] == name)
    };
    let repository = Folder::empty();
    repository.write(
        "app.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app, namespace: tenant-aurora-prod}\ndata: {a: b}\n",
    );
    let before = versions(&engine);
    let quota = "/api/v1/namespaces/tenant-aurora-prod/resourcequotas/tenant-quota";
    let hard = engine.admin.get(quota).ok()["spec"].clone();
    let revision = engine.tell("tenant-aurora-prod", "prod", repository.path());
    engine.until("the tenant's own is applied", |_| {
        let kustomization = own("prod").expect("it is rendered");
        let done = kustomization["status"]["lastAppliedRevision"] == revision.as_str();
        (!done).then(|| condition(&kustomization).to_string()).into_iter().collect()
    });
    let app = "/api/v1/namespaces/tenant-aurora-prod/configmaps/app";
    assert_eq!(engine.admin.get(app).ok()["data"]["a"], "b");
    let mut said = String::new();
    for (what, manifest, why) in REFUSED {
        repository.write("more.yaml", manifest);
        let revision = engine.tell("tenant-aurora-prod", "prod", repository.path());
        let mut message = String::new();
        engine.until(what, |_| {
            let kustomization = own("prod").expect("it is rendered");
            message = condition(&kustomization)["message"].as_str().unwrap_or_default().to_owned();
            let refused = condition(&kustomization)["status"] == "False"
                && kustomization["status"]["lastAttemptedRevision"] == revision.as_str();
            (!refused).then(|| message.clone()).into_iter().collect()
        });
        let whom = "system:serviceaccount:tenant-aurora-prod:tenant-deployer";
        for part in ["is forbidden", whom, why] {
            assert!(message.contains(part), "{what}: {message}");
        }
        said += &format!("{message}\n");
    }
    // A quota counts the ConfigMap; what it allows is as it was.
    let mut changed = changed(&before, &engine);
    changed.remove(quota);
    assert_eq!(changed, BTreeSet::new());
    assert_eq!(engine.admin.get(quota).ok()["spec"], hard);
    assert_eq!(engine.admin.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/everything").status, 404);
    assert_eq!(engine.admin.get("/api/v1/namespaces/tenant-shop-web/configmaps/hello").status, 404);
    // README shows them, a blank line between two, and broken where a line would be too long.
    let readme = std::fs::read_to_string(crate::programs::repository().join("README.md")).expect("README.md");
    let (_, shown) =
        readme.split_once("kubectl get kustomizations --namespace tenant-aurora-prod").expect("the section");
    let shown = shown.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the messages");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(shown), words(&said), "{said}");
}
