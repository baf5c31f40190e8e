//! `mtp sync` where something does not go: one tenant waits for whom it concerns, all others are served; and the way back.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use serde_json::{Value, json};

use crate::client::Client;
use crate::control_plane::{ControlPlane, wait};
use crate::killed::{books, standing};
use crate::manifests::Resources;
use crate::programs::repository;
use crate::sync::{Installation, ours};

/// A webhook that denies whatever it is asked; gone when it is dropped.
struct Denying {
    child: Child,
    port: u16,
}

impl Denying {
    fn start(plane: &ControlPlane) -> Denying {
        let mut child = Command::new("python3")
            .arg(repository().join("tests/cluster/deny.py"))
            .args(plane.serving_pair())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("it says its port");
        Denying { child, port: line.trim().parse().expect("a port") }
    }

    /// Has it asked about the NetworkPolicies of a namespace.
    fn ask_about(&self, plane: &ControlPlane, namespace: &str) {
        let authority = pem(&plane.authority);
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "deny"},
            "webhooks": [{
                "name": "deny.example.org",
                "clientConfig": {
                    "url": format!("https://127.0.0.1:{}/", self.port),
                    "caBundle": base64::engine::general_purpose::STANDARD.encode(authority),
                },
                "rules": [{
                    "apiGroups": ["networking.k8s.io"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                    "resources": ["networkpolicies"],
                }],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }],
        });
        plane.client().post(WEBHOOKS, &configuration).created();
        let trial = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "trial"},
            "spec": {"podSelector": {}}});
        let path = format!("{}?dryRun=All", policies(namespace));
        wait("the webhook is asked", plane, || plane.client().post(&path, &trial).status == 403);
    }
}

impl Drop for Denying {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const WEBHOOKS: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

fn pem(der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

fn policies(namespace: &str) -> String {
    format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies")
}

/// A ConfigMap that does not go before somebody takes the finalizer off it.
fn block(admin: &Client, namespace: &str) -> String {
    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "stays", "finalizers": ["example.org/hold"]}});
    admin.post(&path, &object).created();
    format!("{path}/stays")
}

/// Runs a pass that has something to say: what it says of each tenant, as (state, messages).
#[track_caller]
fn said(one: &Installation, code: i32) -> impl Fn(&str) -> (String, String) {
    let ran = one.mtp(&["sync", "--wait", "20", "--output", "json"]);
    assert_eq!(ran.code, code, "{}", ran.said);
    let json = &ran.said[ran.said.find('{').expect("JSON")..=ran.said.rfind('}').expect("JSON")];
    let report: Value = serde_json::from_str(json).expect("JSON");
    move |tenant: &str| {
        let units = report["units"].as_array().expect("units");
        let unit = units.iter().find(|unit| unit["tenant"] == tenant).unwrap_or_else(|| panic!("{tenant}: {report}"));
        (unit["state"].as_str().unwrap_or_default().to_owned(), unit["problems"].to_string())
    }
}

#[test]
fn the_trouble_of_one_tenant_is_that_of_no_other() {
    let one = Installation::new();
    let admin = one.plane.client();
    one.clean(&["sync"]);
    // Before it is retired, and may have nothing any more.
    let held = block(&admin, "tenant-test-acme-acme");
    one.edit("tenants/test-acme.yaml", |text| text.replacen("\nspec:\n", "\nspec:\n  state: retired\n", 1));
    one.commit("test-acme is retired");
    one.clean(&["sync"]);

    // One leaves, and something of it does not go. One may not have what is missing, by a quota that somebody made. What is
    // missing of another one is denied by a webhook. The Namespace of yet another one is being deleted, and does not go.
    std::fs::remove_file(one.root().join("tenants/test-acme.yaml")).expect("removed");
    one.commit("test-acme is gone");
    let quota = "/api/v1/namespaces/tenant-shop-web/resourcequotas";
    let count = json!({"count/networkpolicies.networking.k8s.io": "0"});
    let object =
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": count}});
    admin.post(quota, &object).created();
    wait("the quota counts", &one.plane, || {
        let quota = admin.get(&format!("{quota}/none")).body;
        quota["status"]["used"]["count/networkpolicies.networking.k8s.io"].is_string()
    });
    let webhook = Denying::start(&one.plane);
    webhook.ask_about(&one.plane, "tenant-nimbus-app");
    let core = block(&admin, "tenant-payments-core");
    admin.delete("/api/v1/namespaces/tenant-payments-core").ok();
    let served = ["tenant-aurora-prod", "tenant-forge-build", "tenant-vintage-wine", "tenant-no-1e3"];
    for namespace in ["tenant-shop-web", "tenant-nimbus-app"].iter().chain(&served) {
        admin.delete(&format!("{}/tenant-isolation", policies(namespace))).ok();
    }

    for again in [false, true] {
        let said = said(&one, 1);
        let (state, why) = said("test-acme");
        assert!(state != "applied" && (!again || why.contains("example.org/hold")), "{state}: {why}");
        let (state, why) = said("shop");
        assert!(state == "degraded" && why.contains("exceeded quota: none"), "{state}: {why}");
        let (state, why) = said("nimbus");
        assert!(state == "degraded" && why.contains("deny.example.org") && why.contains("not today"), "{state}: {why}");
        let (state, why) = said("payments");
        assert!(state == "held" && (!again || why.contains("example.org/hold")), "{state}: {why}");
        for tenant in ["aurora", "forge", "vintage", "no", "lab"] {
            assert_eq!(said(tenant), ("applied".to_owned(), "[]".to_owned()), "{tenant}");
        }
        for namespace in served {
            let policy = admin.get(&format!("{}/tenant-isolation", policies(namespace)));
            assert_eq!(policy.status, 200, "{namespace}");
        }
    }
    let status = one.mtp(&["sync", "--status"]);
    assert!(status.code == 1 && status.said.contains("test-acme"), "{}", status.said);

    // What held them goes, and so does what they were held for.
    let nothing = json!({"metadata": {"finalizers": null}});
    admin.merge(&held, &nothing).ok();
    admin.merge(&core, &nothing).ok();
    admin.delete(&format!("{quota}/none")).ok();
    admin.delete(&format!("{WEBHOOKS}/deny")).ok();
    let gone = |namespace: &str| admin.get(&format!("/api/v1/namespaces/{namespace}")).status == 404;
    wait("the Namespaces are gone", &one.plane, || gone("tenant-test-acme-acme") && gone("tenant-payments-core"));
    wait("all is as git has it", &one.plane, || one.mtp(&["sync"]).code == 0);
    assert!(!gone("tenant-payments-core") && gone("tenant-test-acme-acme"));
    let [tracked, applied] = books(&one, &admin);
    assert_eq!(tracked, applied);
    assert_eq!(one.mtp(&["sync", "--status"]).code, 0);
}

#[test]
fn the_way_back_ends_where_it_began() {
    let one = Installation::new();
    let admin = one.plane.client();
    one.clean(&["sync"]);
    let before = standing(&one, &admin);
    let names = || -> Vec<String> { one.documents().iter().map(|d| format!("{}/{}", d.kind(), d.name())).collect() };
    let first = names();

    // As a new version of the platform does: other levels, other rights, objects that come and go, for all tenants at once.
    one.edit("tenants/platform.yaml", |text| {
        let text = text
            .replace("level: restricted", "level: baseline")
            .replace("imagePullSecrets: [platform-registry]", "imagePullSecrets: [another-registry]");
        text.replace("storageClasses: [fast, standard, archive]", "storageClasses: [fast, standard, archive, slow]")
            .replacen("verbs: [get, list, watch, create, update, patch, delete]", "verbs: [get, list]", 1)
    });
    one.edit("tenants/templates/tenant-info.yaml", |text| text.replace("name: tenant-info", "name: tenant-facts"));
    one.commit("another version");
    assert_ne!(names(), first, "objects come and go");
    let trial = one.mtp(&["diff", "--against-cluster", "--exit-code"]);
    assert_eq!(trial.code, 1, "{}", trial.said);
    one.clean(&["sync", "--allow-deletions", "100"]);
    assert_ne!(standing(&one, &admin), before);
    assert_eq!(one.mtp(&["sync", "--status"]).code, 0);

    one.git(&["revert", "--no-edit", "HEAD"]);
    one.clean(&["sync", "--allow-deletions", "100"]);
    let resources = Resources::of(&admin);
    for (document, before) in one.documents().iter().zip(&before) {
        let mut now = ours(&admin.get(&document.path(&resources)).ok());
        now["metadata"]["uid"] = Value::Null;
        now["spec"]["clusterIP"] = Value::Null;
        assert_eq!(&now, before, "{}", document.path(&resources));
    }
    let [tracked, applied] = books(&one, &admin);
    assert_eq!(tracked, applied);

    // What is paused stays as it is, but for rights that go; what somebody else made is not taken, until it is said so.
    let tenant = "/apis/multitenant.k8s-mtp.io/v1/tenants/shop";
    admin.merge(tenant, &json!({"metadata": {"annotations": {"k8s-mtp.io/paused": "an incident"}}})).ok();
    let quota = "/api/v1/namespaces/tenant-shop-web/resourcequotas/tenant-quota";
    admin.merge(quota, &json!({"spec": {"hard": {"pods": "77"}}})).ok();
    let pods = || admin.get(quota).ok()["spec"]["hard"]["pods"].clone();
    let foreign = "/api/v1/namespaces/tenant-forge-build/configmaps";
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tenant-facts"}, "data": {"whose": "mine"}});
    admin.post(foreign, &object).created();
    one.edit("tenants/templates/tenant-info.yaml", |text| text.replace("name: tenant-info", "name: tenant-facts"));
    one.commit("an object that is there already");
    let said = said(&one, 1);
    // What is on its way out waits as well: somebody asked for that.
    let (state, why) = said("shop");
    assert_eq!(state, "paused", "{why}");
    assert_eq!(pods(), "77");
    let (state, why) = said("forge");
    assert!(state == "held" && why.contains("k8s-mtp.io/adopt"), "{state}: {why}");
    assert_eq!(said("aurora").0, "applied");
    assert_eq!(admin.get(&format!("{foreign}/tenant-facts")).ok()["data"], json!({"whose": "mine"}));

    admin.merge(tenant, &json!({"metadata": {"annotations": {"k8s-mtp.io/paused": null}}})).ok();
    let annotations = json!({"metadata": {"annotations": {"k8s-mtp.io/adopt": "sample"}}});
    admin.merge(&format!("{foreign}/tenant-facts"), &annotations).ok();
    one.clean(&["sync"]);
    assert_ne!(pods(), "77");
    assert_eq!(one.mtp(&["sync", "--status"]).code, 0);
}
