//! `mtp sync` in the cluster: as its ServiceAccount, everything that is rendered is applied and pruned, and nothing else is
//! touched.

mod passes;

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::control_plane::{ControlPlane, NEWEST, wait};
use crate::fixture::{established, install};
use crate::manifests::{Document, Resources, apply, cases};

const NAME: &str = "k8s-mtp-sync";
const PLATFORM: &str = "k8s-mtp";
const TENANT: &str = "tenant-acme-web";

/// What an admin applies once, before `mtp sync` can do the rest.
const RIGHTS: [&str; 8] = [
    "CustomResourceDefinition",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ServiceAccount",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
];

/// The platform of a case on a control plane, with the rights of `mtp sync` and nothing else yet.
struct Stand {
    plane: ControlPlane,
    admin: Client,
    sync: Client,
    resources: Resources,
    documents: Vec<Document>,
}

fn stand(case: &str) -> Stand {
    let (_, documents) = cases().into_iter().find(|(name, _)| name == case).expect("the case");
    let plane = ControlPlane::start(NEWEST);
    let admin = plane.client();
    let mut resources = Resources::of(&admin);
    install(&plane, &admin, &documents, &mut resources);
    let is_own = |d: &&Document| d.name().starts_with(NAME) && RIGHTS.contains(&d.kind());
    let namespace = documents.iter().filter(|d| d.kind() == "Namespace" && d.name() == PLATFORM);
    for document in namespace.chain(documents.iter().filter(is_own)) {
        apply(&admin, &resources, document, false).ok();
    }
    let groups = ["system:serviceaccounts", &format!("system:serviceaccounts:{PLATFORM}"), "system:authenticated"];
    let sync = admin.as_user(&format!("system:serviceaccount:{PLATFORM}:{NAME}"), &groups);
    let stand = Stand { plane, admin, sync, resources, documents };
    wait("the fence stands", &stand.plane, || {
        let object = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "fenced"}});
        stand.try_to("kube-system", "serviceaccounts", &object).message().contains("mtp sync writes")
    });
    stand
}

impl Stand {
    /// Applies an object as `mtp sync`, without keeping it.
    fn try_to(&self, namespace: &str, resource: &str, object: &Value) -> Answer {
        let version = object["apiVersion"].as_str().expect("a version");
        let api = if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
        let inside = if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
        let name = object["metadata"]["name"].as_str().expect("a name");
        self.sync.apply(&format!("{api}{inside}/{resource}/{name}"), &object.to_string(), true)
    }

    fn put(&self, path: &str, object: &Value) -> Answer {
        self.sync.send(Method::PUT, path, "application/json", object.to_string().into_bytes())
    }
}

/// From rights alone to all that is rendered, itself included, without a warning; and back.
#[test]
fn it_applies_and_prunes_what_is_rendered() {
    let stand = stand("sync-https");
    // What was lost comes back, by name.
    let lost = ["CustomResourceDefinition", "ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"];
    for document in stand.documents.iter().filter(|d| lost.contains(&d.kind())) {
        let path = document.path(&stand.resources);
        stand.admin.delete(&path).ok();
        wait("it is gone", &stand.plane, || stand.admin.get(&path).status == 404);
        apply(&stand.sync, &stand.resources, document, false).created();
    }
    established(&stand.plane, &stand.admin, "tenants.multitenant.k8s-mtp.io");
    let mut kinds = BTreeSet::new();
    for document in &stand.documents {
        let dry = apply(&stand.sync, &stand.resources, document, true);
        // What is in a namespace comes after it, also for a dry run.
        dry.ok();
        apply(&stand.sync, &stand.resources, document, false).ok();
        kinds.insert(document.kind());
    }
    assert!(kinds.len() > 18, "{kinds:?}");
    for document in &stand.documents {
        apply(&stand.sync, &stand.resources, document, true).ok();
        let path = document.path(&stand.resources);
        assert_eq!(stand.sync.get(&path).status, 200, "{path}");
        let list = path.rsplit_once('/').expect("a collection").0;
        assert_eq!(stand.sync.get(list).status, 200, "{list}");
    }
    // Nothing keeps its pods from being made: neither Pod Security nor a quota.
    wait("pods of `mtp sync` are made", &stand.plane, || {
        let pods = stand.admin.get(&format!("/api/v1/namespaces/{PLATFORM}/pods")).ok();
        let of_sync = |pod: &Value| pod["spec"]["serviceAccountName"] == NAME;
        pods["items"].as_array().is_some_and(|pods| pods.iter().filter(|pod| of_sync(pod)).count() == 3)
    });
    let kept = [
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ];
    for document in stand.documents.iter().rev() {
        let answer = stand.sync.delete(&format!("{}?dryRun=All", document.path(&stand.resources)));
        if kept.contains(&document.kind()) {
            answer.refused(403, &["cannot delete resource"]);
        } else {
            answer.ok();
        }
    }
    assert_eq!(stand.sync.warnings(), Vec::<String>::new());
}

/// What else it needs: its inventory, its Lease, events, the status of tenants.
#[test]
fn it_keeps_its_books() {
    let stand = stand("sync-https");
    for document in stand.documents.iter().filter(|d| ["Namespace", "Tenant"].contains(&d.kind())) {
        apply(&stand.sync, &stand.resources, document, false).ok();
    }
    let books = format!("/api/v1/namespaces/{PLATFORM}/configmaps");
    let book = json!({"metadata": {"name": "inventory"}, "data": {"a": "b"}});
    stand.sync.post(&books, &book).created();
    stand.put(&format!("{books}/inventory"), &book).ok();
    stand.sync.delete(&format!("{books}/inventory")).ok();

    let leases = format!("/apis/coordination.k8s.io/v1/namespaces/{PLATFORM}/leases");
    let lease = |name: &str| {
        let metadata = json!({"name": name});
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata})
    };
    stand.sync.post(&leases, &lease(NAME)).created();
    let held = stand.sync.get(&format!("{leases}/{NAME}")).ok();
    stand.put(&format!("{leases}/{NAME}"), &held).ok();
    stand.admin.post(&leases, &lease("others")).created();
    stand.put(&format!("{leases}/others"), &lease("others")).refused(403, &["cannot update resource"]);

    let event = json!({
        "metadata": {"name": "acme.1"}, "eventTime": "2026-01-01T00:00:00.000000Z", "type": "Normal",
        "reason": "Applied", "action": "Apply", "note": "it is there",
        "reportingController": "k8s-mtp.io/sync", "reportingInstance": "sync-1",
        "regarding": {"apiVersion": "multitenant.k8s-mtp.io/v1", "kind": "Tenant", "name": "acme"},
    });
    let events = |namespace: &str| format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events");
    stand.sync.post(&events("default"), &event).created();
    let again = &json!({"series": {"count": 2, "lastObservedTime": "2026-01-01T00:01:00.000000Z"}});
    stand.sync.merge(&format!("{}/acme.1", events("default")), again).ok();
    stand.sync.post(&events("kube-system"), &event).refused(403, &["cannot create resource"]);

    let status = "/apis/multitenant.k8s-mtp.io/v1/tenants/acme/status";
    let condition = json!({
        "type": "Applied", "status": "True", "reason": "Applied", "message": "all of it",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    let tenant = json!({
        "apiVersion": "multitenant.k8s-mtp.io/v1", "kind": "Tenant", "metadata": {"name": "acme"},
        "status": {"conditions": [condition]},
    });
    stand.sync.apply(status, &tenant.to_string(), false).ok();
    stand.sync.get(status).ok();
}

/// What it may not do, although it may do a lot.
#[test]
fn it_touches_nothing_else() {
    let stand = stand("sync-https");
    for document in &stand.documents {
        apply(&stand.admin, &stand.resources, document, false).ok();
    }
    let object = |version: &str, kind: &str, name: &str, more: Value| {
        let mut object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}});
        object.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        object
    };
    let rbac = "rbac.authorization.k8s.io/v1";
    let everything = json!({"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]});
    let admin = json!({
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": PLATFORM}],
    });

    // Secrets: those of the platform's namespace are seen, one of them is written.
    for path in ["", "/any"] {
        for namespace in [TENANT, "kube-system", "default"] {
            let answer = stand.sync.get(&format!("/api/v1/namespaces/{namespace}/secrets{path}"));
            answer.refused(403, &["secrets"]);
        }
    }
    stand.sync.get("/api/v1/secrets").refused(403, &["secrets"]);
    let credentials = object("v1", "Secret", "git-credentials", json!({"stringData": {"password": "mine"}}));
    stand.try_to(PLATFORM, "secrets", &credentials).refused(403, &["cannot patch resource"]);
    stand.admin.post(&format!("/api/v1/namespaces/{PLATFORM}/secrets"), &credentials).created();
    stand
        .sync
        .delete(&format!("/api/v1/namespaces/{PLATFORM}/secrets/git-credentials"))
        .refused(403, &["cannot delete"]);

    // Pods, in any way.
    let pod = object("v1", "Pod", "mine", json!({"spec": {"containers": [{"name": "a", "image": "a"}]}}));
    for namespace in [TENANT, PLATFORM, "kube-system"] {
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        stand.sync.post(&path, &pod).refused(403, &["cannot create resource"]);
        stand.try_to(namespace, "pods", &pod).refused(403, &["cannot patch resource"]);
        stand.sync.post(&format!("{path}/mine/exec?command=a"), &json!({})).refused(403, &["cannot create resource"]);
    }
    let token = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    let path = "/api/v1/namespaces/kube-system/serviceaccounts/default/token";
    stand.sync.post(path, &token).refused(403, &["cannot create resource"]);

    // Rights in the whole cluster, but for its own.
    for name in ["mine", "cluster-admin"] {
        let binding = object(rbac, "ClusterRoleBinding", name, admin.clone());
        stand.try_to("", "clusterrolebindings", &binding).refused(403, &["cannot patch resource"]);
        stand
            .try_to("", "clusterroles", &object(rbac, "ClusterRole", name, everything.clone()))
            .refused(403, &["patch"]);
    }
    let path = format!("/apis/{rbac}/clusterrolebindings");
    stand.sync.post(&path, &object(rbac, "ClusterRoleBinding", "mine", admin.clone())).refused(403, &["create"]);
    // A binding to a ClusterRole, where it may write bindings.
    for namespace in [TENANT, PLATFORM] {
        let binding = object(rbac, "RoleBinding", "mine", admin.clone());
        stand.try_to(namespace, "rolebindings", &binding).refused(403, &["attempting to grant"]);
    }

    // What everything hangs on.
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    stand
        .sync
        .delete(&format!("{definitions}/tenants.multitenant.k8s-mtp.io"))
        .refused(403, &["cannot delete resource"]);
    let other = object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "mine.example.org", json!({}));
    stand.try_to("", "customresourcedefinitions", &other).refused(403, &["cannot patch resource"]);
    let webhooks = ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"];
    for (resource, kind) in webhooks.into_iter().zip(["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"])
    {
        let other = object("admissionregistration.k8s.io/v1", kind, "mine", json!({"webhooks": []}));
        stand.try_to("", resource, &other).refused(403, &["cannot patch resource"]);
    }
    let fence = format!("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/{NAME}");
    stand.sync.delete(&fence).refused(403, &["cannot delete resource"]);

    // Namespaces that are nobody's: what RBAC would let it do, the fence does not.
    let fenced = "mtp sync writes in the platform's namespace and in those of tenants";
    stand.admin.post("/api/v1/namespaces", &object("v1", "Namespace", "others", json!({}))).created();
    for namespace in ["kube-system", "kube-public", "default", "others"] {
        let rules = json!({"rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]});
        let all = [
            ("serviceaccounts", object("v1", "ServiceAccount", "mine", json!({}))),
            ("resourcequotas", object("v1", "ResourceQuota", "mine", json!({"spec": {"hard": {"pods": "0"}}}))),
            (
                "limitranges",
                object(
                    "v1",
                    "LimitRange",
                    "mine",
                    json!({"spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}}]}}),
                ),
            ),
            ("configmaps", object("v1", "ConfigMap", "mine", json!({"data": {"a": "b"}}))),
            ("roles", object(rbac, "Role", "mine", rules)),
            (
                "networkpolicies",
                object("networking.k8s.io/v1", "NetworkPolicy", "mine", json!({"spec": {"podSelector": {}}})),
            ),
        ];
        for (resource, object) in &all {
            stand.try_to(namespace, resource, object).refused(403, &[fenced]);
        }
        stand.sync.delete(&format!("/api/v1/namespaces/{namespace}/serviceaccounts/default")).refused(403, &[fenced]);
        for (resource, version) in [("deployments", "apps/v1"), ("daemonsets", "apps/v1"), ("jobs", "batch/v1")] {
            let path = format!("/apis/{version}/namespaces/{namespace}/{resource}/any");
            stand.sync.merge(&path, &json!({})).refused(403, &["cannot patch resource"]);
        }
        let fenced = "mtp sync writes the platform's Namespace and those of tenants";
        let label = json!({"metadata": {"labels": {"tenant.k8s-mtp.io/name": "acme"}}});
        stand.sync.merge(&format!("/api/v1/namespaces/{namespace}"), &label).refused(403, &[fenced]);
        stand.sync.delete(&format!("/api/v1/namespaces/{namespace}")).refused(403, &[]);
    }
    stand.try_to("", "namespaces", &object("v1", "Namespace", "mine", json!({}))).refused(403, &["mtp sync writes"]);
    // Others are not fenced in.
    let account = object("v1", "ServiceAccount", "mine", json!({}));
    stand.admin.post("/api/v1/namespaces/kube-system/serviceaccounts?dryRun=All", &account).created();
}
