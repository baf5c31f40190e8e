//! What `mtp` renders, as documents to apply, in the order in which they are applied.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use k8s_mtp::{Inputs, Severity};
use serde::Deserialize as _;
use serde_json::Value;

use crate::client::{Answer, Client};
use crate::programs::repository;

/// Kinds in the order of apply; whatever is not named comes last.
pub const ORDER: [&str; 9] = [
    "CustomResourceDefinition",
    "Namespace",
    "Tenant",
    "ResourceQuota",
    "LimitRange",
    "NetworkPolicy",
    "ServiceAccount",
    "Role",
    "RoleBinding",
];

/// A rendered document.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its bytes, as they stand in the file.
    pub text: String,
    /// What an independent reader of YAML takes them for.
    pub value: Value,
}

impl Document {
    /// A text field, or nothing.
    fn field(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Its kind.
    pub fn kind(&self) -> &str {
        self.field("/kind")
    }

    /// Its API version, with the group.
    pub fn api_version(&self) -> &str {
        self.field("/apiVersion")
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.field("/metadata/name")
    }

    /// Its namespace; empty for what is cluster-scoped.
    pub fn namespace(&self) -> &str {
        self.field("/metadata/namespace")
    }

    /// Where the API server has it.
    pub fn path(&self, resources: &Resources) -> String {
        format!("{}/{}", resources.collection(self.api_version(), self.kind(), self.namespace()), self.name())
    }
}

/// One thing that discovery lists.
#[derive(Debug, Clone)]
pub struct Resource {
    /// `v1`, `apps/v1`
    pub api_version: String,
    /// `deployments`, or with a subresource `deployments/scale`
    pub name: String,
    /// Whether it stands in namespaces.
    pub namespaced: bool,
}

impl Resource {
    /// Its API group; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
}

/// What a server has.
#[derive(Default)]
pub struct Resources {
    /// All that discovery lists, in every version.
    pub all: Vec<Resource>,
    /// How kinds are called in paths.
    plurals: BTreeMap<(String, String), String>,
}

impl Resources {
    /// Those of a server.
    pub fn of(client: &Client) -> Resources {
        let mut resources = Resources::default();
        let groups = client.get("/apis").ok();
        let groups = groups["groups"].as_array().cloned().unwrap_or_default();
        let versions = groups.iter().flat_map(|g| g["versions"].as_array().cloned().unwrap_or_default());
        let versions = versions.filter_map(|v| v["groupVersion"].as_str().map(str::to_owned));
        for api_version in versions.chain(["v1".to_owned()]) {
            let list = client.get(&prefix(&api_version)).ok();
            for resource in list["resources"].as_array().into_iter().flatten() {
                let text = |field: &str| resource[field].as_str().expect("discovery says so").to_owned();
                let name = text("name");
                if !name.contains('/') {
                    resources.plurals.insert((api_version.clone(), text("kind")), name.clone());
                }
                let namespaced = resource["namespaced"] == true;
                resources.all.push(Resource { api_version: api_version.clone(), name, namespaced });
            }
        }
        resources
    }

    /// The path of all objects of a kind, in a namespace or in the cluster.
    pub fn collection(&self, api_version: &str, kind: &str, namespace: &str) -> String {
        let plural = self.plurals.get(&(api_version.to_owned(), kind.to_owned()));
        let plural = plural.unwrap_or_else(|| panic!("the server does not have {api_version} {kind}"));
        let inside = if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
        format!("{}{inside}/{plural}", prefix(api_version))
    }

    /// Whether the server has a kind.
    pub fn has(&self, api_version: &str, kind: &str) -> bool {
        self.plurals.contains_key(&(api_version.to_owned(), kind.to_owned()))
    }
}

/// The path of an API version.
fn prefix(api_version: &str) -> String {
    if api_version.contains('/') { format!("/apis/{api_version}") } else { format!("/api/{api_version}") }
}

/// The input files below a folder's `tenants/`, by path relative to the folder.
pub fn inputs(folder: &Path) -> BTreeMap<String, String> {
    let entries = walkdir::WalkDir::new(folder.join("tenants")).into_iter().map(|e| e.expect("a readable folder"));
    let files = entries.filter(|e| e.file_type().is_file()).filter_map(|entry| {
        let path = entry.path().strip_prefix(folder).expect("below it").to_string_lossy().into_owned();
        Some((path, fs::read_to_string(entry.path()).ok()?))
    });
    files.collect()
}

/// The documents that inputs render to; none where they have errors.
pub fn rendered(files: &BTreeMap<String, String>) -> Vec<Document> {
    let inputs: Inputs = files.iter().map(|(path, text)| (path.as_str(), text.clone().into_bytes())).collect();
    let (rendered, diagnostics) = k8s_mtp::render(&inputs);
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        return Vec::new();
    }
    let all = rendered
        .tree()
        // What engines are told has tests of its own, with their definitions.
        .filter(|(path, _)| path.ends_with(".yaml") && !path.starts_with("rendered/gitops/"))
        .flat_map(|(_, bytes)| documents(std::str::from_utf8(bytes).expect("UTF-8")))
        .map(decrypted)
        .collect();
    in_order(all)
}

/// In the order of apply.
pub fn in_order(mut all: Vec<Document>) -> Vec<Document> {
    let rank = |d: &Document| ORDER.iter().position(|kind| *kind == d.kind()).unwrap_or(ORDER.len());
    all.sort_by_key(rank);
    all
}

/// The documents of one file.
pub fn documents(text: &str) -> Vec<Document> {
    let each = text.split("\n---\n").map(|text| Document { text: format!("{text}\n"), value: read(text) });
    each.collect()
}

/// A Secret that SOPS encrypted as a cluster gets it: here with a pair of its own, since its key is somebody else's.
fn decrypted(mut document: Document) -> Document {
    use base64::Engine;
    if document.value.as_object_mut().and_then(|fields| fields.remove("sops")).is_none() {
        return document;
    }
    let made = rcgen::generate_simple_self_signed(vec!["webhook-svc.k8s-mtp.svc".to_owned()]).expect("a certificate");
    let pair = [("tls.crt", made.cert.pem()), ("tls.key", made.signing_key.serialize_pem())];
    for (key, pem) in pair {
        document.value["data"][key] = base64::prelude::BASE64_STANDARD.encode(pem).into();
    }
    Document { text: document.value.to_string(), ..document }
}

fn read(text: &str) -> Value {
    let value = serde_yaml::Value::deserialize(serde_yaml::Deserializer::from_str(text)).expect("YAML");
    serde_json::to_value(value).expect("a manifest")
}

/// This repository's own sample, for a minor version of Kubernetes.
pub fn sample(minor: &str) -> Vec<Document> {
    let mut files = inputs(repository());
    for text in files.values_mut() {
        for written in ["1.35", "1.36"] {
            *text =
                text.replace(&format!("kubernetesVersion: \"{written}\""), &format!("kubernetesVersion: \"{minor}\""));
            *text = text.replace(&format!("version: v{written}"), &format!("version: v{minor}"));
        }
    }
    rendered(&files)
}

/// This repository's own `rendered/`, as it is committed, without what engines are told.
pub fn documents_on_disk() -> Vec<Document> {
    let folders = ["rendered/platform", "rendered/tenants"].map(|folder| repository().join(folder));
    let entries = folders.into_iter().flat_map(walkdir::WalkDir::new).map(|e| e.expect("a readable folder"));
    let files = entries.filter(|e| e.path().extension().is_some_and(|ending| ending == "yaml"));
    in_order(files.flat_map(|e| documents(&fs::read_to_string(e.path()).expect("a readable file"))).collect())
}

/// The cases of `tests/cases/` that render, by name.
pub fn cases() -> Vec<(String, Vec<Document>)> {
    let folder = repository().join("tests/cases");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(folder).expect("the cases").map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    let each = folders.iter().map(|folder| {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        (name, rendered(&inputs(folder)))
    });
    each.filter(|(_, documents)| !documents.is_empty()).collect()
}

/// Applies one document, once quotas are counted: until then the server refuses whatever they bound.
pub fn apply(client: &Client, resources: &Resources, document: &Document, dry: bool) -> Answer {
    for _ in 0..100 {
        let answer = client.apply(&document.path(resources), &document.text, dry);
        if !(answer.status == 403 && answer.message().contains("status unknown for quota")) {
            return answer;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("quotas of {} are never counted", document.namespace());
}

/// Applies all, in their order.
#[track_caller]
pub fn apply_all(client: &Client, resources: &Resources, documents: &[Document]) {
    for document in documents {
        apply(client, resources, document, false).ok();
    }
}
