//! Which kinds a cluster has, and where their objects are.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::rendered::ObjectId;

/// Where objects of a kind are, in one version of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// `v1`, or `<group>/<version>`.
    pub api_version: String,
    /// Its name in paths: `networkpolicies`.
    pub plural: String,
    /// Whether its objects are in Namespaces.
    pub namespaced: bool,
}

impl Resource {
    /// The path of all of them, or of those in a namespace.
    pub fn collection(&self, namespace: Option<&str>) -> String {
        let root = if self.api_version.contains('/') { "/apis" } else { "/api" };
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}/{}/namespaces/{}/{}", self.api_version, segment(namespace), self.plural),
            None => format!("{root}/{}/{}", self.api_version, self.plural),
        }
    }

    /// The path of an object.
    pub fn object(&self, id: &ObjectId) -> String {
        format!("{}/{}", self.collection(id.namespace.as_deref()), segment(&id.name))
    }
}

/// A part of a path. Names of roles may hold what others may not.
fn segment(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'@') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// The kinds of a cluster.
#[derive(Debug, Clone, Default)]
pub struct Kinds {
    /// By group and kind, the preferred version first.
    known: BTreeMap<(String, String), Vec<Resource>>,
    /// Groups that could not be asked: of their kinds it is not known whether they are there.
    pub silent: Vec<String>,
}

/// Whether a cluster has a kind.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'k> {
    /// It has.
    Here(&'k Resource),
    /// It has not.
    Nowhere,
    /// Its group does not answer.
    Silent,
}

impl Kinds {
    /// The kind of an object in the version that is asked for, or in whichever there is if `any`.
    pub fn find(&self, group: &str, kind: &str, api_version: &str, any: bool) -> Found<'_> {
        let versions = self.known.get(&(group.to_owned(), kind.to_owned())).map(Vec::as_slice).unwrap_or_default();
        let exact = versions.iter().find(|resource| resource.api_version == api_version);
        match exact.or(versions.first().filter(|_| any)) {
            Some(resource) => Found::Here(resource),
            None if self.silent.iter().any(|silent| silent == group) => Found::Silent,
            None => Found::Nowhere,
        }
    }

    /// Takes in the answer of aggregated discovery: an `APIGroupDiscoveryList`.
    pub fn aggregated(&mut self, list: &Value) {
        for group in items(list, "items") {
            let name = group["metadata"]["name"].as_str().unwrap_or_default();
            for version in items(group, "versions") {
                let api_version = versioned(name, version["version"].as_str().unwrap_or_default());
                if version["freshness"] == "Stale" {
                    self.silent.push(name.to_owned());
                }
                for resource in items(version, "resources") {
                    let kind = resource["responseKind"]["kind"].as_str().unwrap_or_default();
                    let plural = resource["resource"].as_str().unwrap_or_default();
                    self.add(name, kind, &api_version, plural, resource["scope"] == "Namespaced");
                }
            }
        }
    }

    /// Takes in the resources of a version: an `APIResourceList`.
    pub fn resources(&mut self, group: &str, list: &Value) {
        let api_version = list["groupVersion"].as_str().unwrap_or_default();
        for resource in items(list, "resources") {
            let plural = resource["name"].as_str().unwrap_or_default();
            if !plural.contains('/') {
                let kind = resource["kind"].as_str().unwrap_or_default();
                self.add(group, kind, api_version, plural, resource["namespaced"] == true);
            }
        }
    }

    fn add(&mut self, group: &str, kind: &str, api_version: &str, plural: &str, namespaced: bool) {
        let versions = self.known.entry((group.to_owned(), kind.to_owned())).or_default();
        let resource = Resource { api_version: api_version.to_owned(), plural: plural.to_owned(), namespaced };
        if !kind.is_empty() && !versions.contains(&resource) {
            versions.push(resource);
        }
    }
}

/// The versions of each group, out of an `APIGroupList`.
pub fn group_versions(list: &Value) -> Vec<(String, String)> {
    let versions = items(list, "groups").flat_map(|group| {
        let name = group["name"].as_str().unwrap_or_default();
        items(group, "versions").map(move |v| (name, v["groupVersion"].as_str().unwrap_or_default()))
    });
    versions.map(|(group, version)| (group.to_owned(), version.to_owned())).collect()
}

fn versioned(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

fn items<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value[field].as_array().into_iter().flatten()
}
