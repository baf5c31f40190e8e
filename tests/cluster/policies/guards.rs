//! Who changes what is rendered, and who does not.

use hyper::Method;
use serde_json::{Value, json};

use super::{APPLIES, Policed};
use crate::client::{Answer, Client};
use crate::control_plane::{ControlPlane, NEWEST, wait};
use crate::manifests::Document;

const NAMESPACE: &str = "tenant-open-x";

/// A tenant's admin to whom somebody gave all rights in his namespace, and the means to be any account of it.
fn mighty(policed: &Policed) -> Client {
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "everything"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "mallory"},
            {"kind": "ServiceAccount", "name": "default", "namespace": NAMESPACE}]});
    let path = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/rolebindings");
    let _ = policed.admin.post(&path, &binding);
    policed.admin.as_user("mallory", &["system:authenticated"])
}

fn account(policed: &Policed, namespace: &str, name: &str) -> Client {
    let groups = ["system:serviceaccounts", &format!("system:serviceaccounts:{namespace}"), "system:authenticated"];
    policed.admin.as_user(&format!("system:serviceaccount:{namespace}:{name}"), &groups)
}

/// What is rendered for the tenant, in his namespace.
fn rendered(policed: &Policed) -> Vec<&Document> {
    policed.documents.iter().filter(|d| d.namespace() == NAMESPACE).collect()
}

fn put(client: &Client, path: &str, object: &Value) -> Answer {
    client.send(Method::PUT, path, "application/json", object.to_string().into_bytes())
}

fn with(object: &Value, pointer: &str, value: Value) -> Value {
    let mut object = object.clone();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    object.pointer_mut(parent).expect("a parent")[key.replace("~1", "/")] = value;
    object
}

/// By no verb, no subresource, and as nobody that he can be.
pub fn tenants_change_nothing(policed: &Policed) {
    let mallory = mighty(policed);
    let people = [mallory.clone(), account(policed, NAMESPACE, "default")];
    let namespace = format!("/api/v1/namespaces/{NAMESPACE}");
    wait("he may do everything", &policed.plane, || mallory.get(&format!("{namespace}/secrets")).status == 200);
    let standing = |policed: &Policed| -> Vec<Value> {
        let mut all = rendered(policed);
        all.extend(policed.documents.iter().filter(|d| d.kind() == "Namespace" && d.name() == NAMESPACE));
        all.iter().map(|d| crate::sync::ours(&policed.admin.get(&d.path(&policed.resources)).ok())).collect()
    };
    let before = standing(policed);
    let managed = ["k8s-mtp-managed-objects", "is managed by the platform"];
    let mut tried = 0;
    for who in &people {
        for document in rendered(policed) {
            let path = document.path(&policed.resources);
            let object = policed.admin.get(&path).ok();
            let unmarked = with(&object, "/metadata/labels/app.kubernetes.io~1managed-by", json!("me"));
            let collection = path.rsplit_once('/').expect("a path").0;
            let attempts = [
                who.merge(&path, &json!({"metadata": {"labels": {"a": "b"}}})),
                who.merge(&path, &json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": null}}})),
                who.merge(&path, &json!({"metadata": {"annotations": {"a": "b"}}})),
                who.merge(&path, &json!({"metadata": {"finalizers": ["example.org/a"]}})),
                who.send(
                    Method::PATCH,
                    &path,
                    "application/json-patch+json",
                    b"[{\"op\": \"remove\", \"path\": \"/metadata/labels\"}]".to_vec(),
                ),
                put(who, &path, &unmarked),
                put(who, &path, &with(&object, "/metadata/annotations", json!({"a": "b"}))),
                who.apply(&path, &document.text.replace("k8s-mtp\n", "me\n"), false),
                who.delete(&path),
            ];
            for answer in attempts {
                answer.refused(403, &managed);
                tried += 1;
            }
            // His own rights would go with his bindings.
            if document.kind() != "RoleBinding" {
                who.delete(collection).refused(403, &managed);
            }
        }
        // Nor can he make something that seems to be ours.
        let forged = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "forged", "labels": {"app.kubernetes.io/managed-by": "k8s-mtp"}}});
        who.post(&format!("{namespace}/configmaps"), &forged).refused(403, &managed);
        let plain = with(&forged, "/metadata/labels", json!({"app.kubernetes.io/managed-by": "Helm"}));
        who.post(&format!("{namespace}/configmaps"), &plain).created();
        who.merge(
            &format!("{namespace}/configmaps/forged"),
            &json!({"metadata": {"labels": forged["metadata"]["labels"]}}),
        )
        .refused(403, &managed);
        who.delete(&format!("{namespace}/configmaps/forged")).ok();

        let guarded = ["k8s-mtp-namespaces", "Namespaces of tenants are managed by the platform"];
        let object = policed.admin.get(&namespace).ok();
        let weaker = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged",
            "tenant.k8s-mtp.io/name": null, "tenant.k8s-mtp.io/tier": "noted", "app.kubernetes.io/managed-by": null}}});
        let unlabelled = with(&object, "/metadata/labels", json!({}));
        for subresource in ["", "/status"] {
            let path = format!("{namespace}{subresource}");
            who.merge(&path, &weaker).refused(403, &guarded);
            who.merge(&path, &json!({"metadata": {"annotations": {"a": "b"}}})).refused(403, &guarded);
            put(who, &path, &unlabelled).refused(403, &guarded);
            let apply = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}, labels: {{a: b}}}}\n");
            who.apply(&path, &apply, false).refused(403, &guarded);
            tried += 4;
        }
        put(who, &format!("{namespace}/finalize"), &unlabelled).refused(403, &guarded);
        put(who, &format!("{namespace}/finalize"), &with(&object, "/spec/finalizers", json!([])))
            .refused(403, &guarded);
        who.delete(&namespace).refused(403, &guarded);
        tried += 3;
    }
    assert!(tried > 200, "{tried}");
    assert_eq!(standing(policed), before);
}

/// Who applies what is rendered; and, in an emergency, who may do everything: the audit log says so.
pub fn whoever_may_can(policed: &Policed) {
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "engine"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": APPLIES},
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "ada"}]});
    policed.admin.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &binding).created();
    let engine = policed.admin.as_user(APPLIES, &["system:serviceaccounts", "system:serviceaccounts:argocd"]);
    let quota = format!("/api/v1/namespaces/{NAMESPACE}/resourcequotas/tenant-quota");
    let change =
        |client: &Client, value: &str| client.merge(&quota, &json!({"metadata": {"annotations": {"a": value}}}));
    wait("the engine may", &policed.plane, || change(&engine, "1").status == 200);
    for document in policed.documents.iter().filter(|d| d.namespace() == NAMESPACE || d.name() == NAMESPACE) {
        engine.apply(&document.path(&policed.resources), &document.text, false).ok();
    }
    // Rights alone are not enough.
    let ada = policed.admin.as_user("ada", &["system:authenticated"]);
    wait("ada has rights", &policed.plane, || ada.get(&quota).status == 200);
    change(&ada, "2").refused(403, &["ada may not update it"]);
    let breaking = policed.admin.as_user("ada", &["system:masters", "system:authenticated"]);
    change(&breaking, "3").ok();
    let noted = |line: &str| line.contains("k8s-mtp-managed-objects/break-glass") && line.contains("\"ada\"");
    wait("the audit log says so", &policed.plane, || policed.plane.audit_log().lines().any(noted));
    breaking.merge(&quota, &json!({"metadata": {"annotations": {"a": null}}})).ok();
}

/// Kubernetes' own controllers: quotas count, accounts and certificates come, what is owned is collected, a Namespace goes.
pub fn controllers_go_on(policed: &Policed) {
    let admin = &policed.admin;
    let namespace = "/api/v1/namespaces/tenant-noted-x";
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "counted"}});
    let owner = admin.post(&format!("{namespace}/configmaps"), &map).created();
    let quota = format!("{namespace}/resourcequotas/tenant-quota");
    wait("the quota counts", &policed.plane, || {
        let used = admin.get(&quota).body["status"]["used"]["configmaps"].clone();
        used.as_str().and_then(|n| n.parse::<u32>().ok()).is_some_and(|n| n >= 2)
    });
    let whole = |path: &str| admin.get(&format!("{namespace}/{path}")).status == 200;
    wait("what every namespace has is there", &policed.plane, || {
        whole("serviceaccounts/default") && whole("configmaps/kube-root-ca.crt")
    });
    // Owned by what goes: the garbage collector takes it, marked as ours or not.
    let owned = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owned",
        "labels": {"app.kubernetes.io/managed-by": "k8s-mtp"},
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "counted", "uid": owner["metadata"]["uid"]}]}});
    admin.post(&format!("{namespace}/configmaps"), &owned).created();
    admin.delete(&format!("{namespace}/configmaps/counted")).ok();
    wait("it is collected", &policed.plane, || !whole("configmaps/owned"));
    // The whole Namespace, with all that is guarded in it.
    admin.delete(namespace).ok();
    wait("the Namespace is gone", &policed.plane, || admin.get(namespace).status == 404);
}

/// The same where all controllers are one user.
#[test]
fn one_user_for_all_controllers_goes_on_too() {
    let plane = ControlPlane::of_one_controller(NEWEST);
    // Whoever runs them so gives that user the rights of all of them.
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "controllers"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:kube-controller-manager"}]});
    plane.client().post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &binding).created();
    let policed = Policed::on(plane);
    controllers_go_on(&policed);
}
