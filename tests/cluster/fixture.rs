//! What tests of a running platform stand on: this repository's sample, applied to a control plane that they share.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use serde_json::json;

use crate::client::Client;
use crate::control_plane::{ControlPlane, NEWEST, shared, wait};
use crate::manifests::{Document, Resources, apply, apply_all, sample};

/// The sample on a control plane.
pub struct Platform {
    /// Where it is applied.
    pub plane: Arc<ControlPlane>,
    /// Who may do everything there.
    pub admin: Client,
    /// What the server has.
    pub resources: Resources,
    /// What was applied.
    pub documents: Vec<Document>,
}

/// The one that tests of this process share. Who changes it uses tenants of his own, or puts it back.
pub fn platform() -> &'static Platform {
    static ONE: LazyLock<Platform> = LazyLock::new(|| {
        let plane = shared(NEWEST);
        let admin = plane.client();
        // What the sample's Roles speak of.
        for kind in ["Certificate", "Issuer"] {
            define(&plane, &admin, "cert-manager.io/v1", kind);
        }
        let documents = sample(NEWEST);
        let mut resources = Resources::of(&admin);
        install(&plane, &admin, &documents, &mut resources);
        apply_all(&admin, &resources, &documents);
        policies_in_force(&plane, &admin);
        Platform { plane, admin, resources, documents }
    });
    &ONE
}

impl Platform {
    /// Somebody whom the platform's identity provider knows.
    pub fn person(&self, name: &str, groups: &[&str]) -> Client {
        let groups: Vec<String> = groups.iter().map(|g| format!("oidc:{g}")).collect();
        self.admin.as_user(&format!("oidc:{name}"), &groups.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// A ServiceAccount.
    pub fn account(&self, namespace: &str, name: &str) -> Client {
        let groups = ["system:serviceaccounts", &format!("system:serviceaccounts:{namespace}")];
        self.admin.as_user(&format!("system:serviceaccount:{namespace}:{name}"), &groups)
    }
}

/// Applies definitions first: ours, and for each kind of somebody else that a template makes, one that takes anything.
pub fn install(plane: &ControlPlane, client: &Client, documents: &[Document], resources: &mut Resources) {
    let mut new = false;
    for document in documents.iter().filter(|d| d.kind() == "CustomResourceDefinition") {
        if !resources.has("multitenant.k8s-mtp.io/v1", "Tenant") {
            apply(client, resources, document, false).ok();
            established(plane, client, document.name());
            new = true;
        }
    }
    new |= define_unknown(plane, client, documents, resources);
    if new {
        *resources = Resources::of(client);
    }
}

/// Defines the kinds of these documents that are neither ours nor Kubernetes' own.
pub fn define_foreign(plane: &ControlPlane, documents: &[Document]) {
    let client = plane.client();
    define_unknown(plane, &client, documents, &Resources::of(&client));
}

fn define_unknown(plane: &ControlPlane, client: &Client, documents: &[Document], resources: &Resources) -> bool {
    let mut new = false;
    let unknown: BTreeSet<(&str, &str)> =
        documents.iter().map(|d| (d.api_version(), d.kind())).filter(|(v, k)| !resources.has(v, k)).collect();
    for (api_version, kind) in unknown {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        if group != "multitenant.k8s-mtp.io" {
            assert!(group.contains('.') && !group.ends_with("k8s.io"), "no server has {api_version} {kind}");
            define(plane, client, api_version, kind);
            new = true;
        }
    }
    new
}

/// Defines a namespaced kind that takes anything.
pub fn define(plane: &ControlPlane, client: &Client, api_version: &str, kind: &str) {
    let (group, version) = api_version.split_once('/').expect("a group and a version");
    let singular = kind.to_lowercase();
    let name = format!("{singular}s.{group}");
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        // Without it, no group of Kubernetes' own is served.
        "metadata": {"name": name, "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"}},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": format!("{singular}s"), "singular": singular},
            "versions": [{"name": version, "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
            }}}],
        },
    });
    client.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition).created();
    established(plane, client, &name);
}

/// Waits until a definition's objects can be stored.
pub fn established(plane: &ControlPlane, client: &Client, name: &str) {
    let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
    let (group, plural) = name.split_once('.').map(|(plural, group)| (group, plural)).expect("a dot");
    wait(&format!("{name} is established"), plane, || {
        let definition = client.get(&path).body;
        let version = definition["spec"]["versions"][0]["name"].as_str().unwrap_or_default().to_owned();
        let conditions = definition["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|c| c["type"] == "Established" && c["status"] == "True")
            && client.get(&format!("/apis/{group}/{version}/{plural}")).status == 200
    });
}

/// Waits until the API server asks every admission policy that was stored before.
///
/// It learns of policies and of bindings by two watches, each in the order of writing, and takes what both have brought into
/// force at once. So one more policy with its binding, written last and seen to be asked, says that all the others are asked.
/// What the policies themselves refuse says that of one of them alone.
pub fn policies_in_force(plane: &ControlPlane, client: &Client) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let name = format!("last-written-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    for (kind, resource) in KINDS_OF_POLICIES {
        let api = format!("/apis/admissionregistration.k8s.io/v1/{resource}");
        let (policies, bindings) = (format!("{api}policies"), format!("{api}policybindings"));
        if client.get(&policies).status == 404 {
            continue;
        }
        let of = |suffix: &str, spec: serde_json::Value| {
            let kind = format!("{kind}AdmissionPolicy{suffix}");
            json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
        };
        let (mut policy, mut binding) = (json!({"failurePolicy": "Fail"}), json!({"policyName": name}));
        policy["matchConstraints"] = json!({"resourceRules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"], "resourceNames": [name]},
        ]});
        if kind == "Validating" {
            policy["validations"] = json!([{"expression": "false", "message": "it is asked"}]);
            binding["validationActions"] = json!(["Deny"]);
        } else {
            policy["reinvocationPolicy"] = json!("Never");
            policy["mutations"] = json!([{"patchType": "ApplyConfiguration", "applyConfiguration": {
                "expression": "Object{metadata: Object.metadata{labels: {\"asked\": \"it-is-asked\"}}}",
            }}]);
        }
        client.post(&policies, &of("", policy)).created();
        client.post(&bindings, &of("Binding", binding)).created();
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
        wait("every policy is asked", plane, || {
            let answer = client.post("/api/v1/namespaces/default/configmaps?dryRun=All", &map);
            answer.message().contains("it is asked") || answer.body["metadata"]["labels"]["asked"] == "it-is-asked"
        });
        client.delete(&format!("{bindings}/{name}")).ok();
        client.delete(&format!("{policies}/{name}")).ok();
    }
}

/// Kinds of admission policies, with what the names of their resources begin with.
const KINDS_OF_POLICIES: [(&str, &str); 2] = [("Validating", "validatingadmission"), ("Mutating", "mutatingadmission")];
