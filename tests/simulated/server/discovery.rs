//! Discovery: which groups, versions and kinds there are, in the aggregated form and in the older one.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::Answer;
use super::kinds::Kind;
use super::request::Asked;
use super::world::World;

const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const STATUS_VERBS: [&str; 3] = ["get", "patch", "update"];

impl World {
    /// What a path of discovery says; nothing where it is none.
    pub fn discover(&self, asked: &Asked) -> Option<Answer> {
        let aggregated = asked.accept.contains("as=APIGroupDiscoveryList");
        let steps: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
        let body = match steps[..] {
            ["version"] => self.version(),
            ["readyz" | "livez" | "healthz"] => json!("ok"),
            ["api"] if aggregated => self.aggregated(true),
            ["apis"] if aggregated => self.aggregated(false),
            ["api"] => json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}),
            ["apis"] => {
                let groups: Vec<Value> = self
                    .groups()
                    .into_iter()
                    .filter(|(name, _)| !name.is_empty())
                    .map(|(name, kinds)| group(name, &kinds))
                    .collect();
                json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
            }
            ["api", version] => return Some(self.resources("", version)),
            ["apis", group, version] => return Some(self.resources(group, version)),
            ["apis", name] => match self.groups().get(name) {
                Some(kinds) if !self.settings.lost_groups.contains(name) => {
                    let mut body = group(name, kinds);
                    body["kind"] = json!("APIGroup");
                    body["apiVersion"] = json!("v1");
                    body
                }
                _ => return Some(Answer::no_page()),
            },
            _ => return None,
        };
        Some(Answer::ok(body))
    }

    /// What a path gets that is about nothing.
    pub fn no_target(&self, asked: &Asked) -> Answer {
        let steps: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
        let known = match steps[..] {
            ["api", "v1", ..] => true,
            ["apis", group, version, ..] => {
                self.kinds.iter().any(|k| k.group == group && k.version == version && !k.custom)
            }
            _ => false,
        };
        if known { Answer::no_resource(json!({})) } else { Answer::no_page() }
    }

    /// The kinds of each group.
    fn groups(&self) -> BTreeMap<&str, Vec<&Arc<Kind>>> {
        let mut groups: BTreeMap<&str, Vec<&Arc<Kind>>> = BTreeMap::new();
        for kind in &self.kinds {
            groups.entry(&kind.group).or_default().push(kind);
        }
        groups
    }

    fn version(&self) -> Value {
        let text = &self.settings.version;
        let mut numbers = text.trim_start_matches('v').split('.');
        json!({
            "major": numbers.next(),
            "minor": numbers.next(),
            "gitVersion": text,
            "gitCommit": "0000000000000000000000000000000000000000",
            "gitTreeState": "clean",
            "buildDate": "2026-01-01T00:00:00Z",
            "goVersion": "go1.26",
            "compiler": "gc",
            "platform": "linux/amd64",
        })
    }

    fn aggregated(&self, core: bool) -> Value {
        let groups = self.groups().into_iter().filter(|(name, _)| name.is_empty() == core);
        let items: Vec<Value> = groups
            .map(|(name, kinds)| {
                let is_lost = self.settings.lost_groups.contains(name);
                let stale = is_lost || self.settings.stale_groups.contains(name);
                let versions: Vec<Value> = versions(&kinds)
                    .into_iter()
                    .map(|version| {
                        let kinds = kinds.iter().filter(|kind| kind.version == version && !is_lost);
                        let resources: Vec<Value> = kinds.map(|kind| aggregated_resource(kind)).collect();
                        let freshness = if stale { "Stale" } else { "Current" };
                        json!({"version": version, "freshness": freshness, "resources": resources})
                    })
                    .collect();
                let metadata = if name.is_empty() { json!({}) } else { json!({"name": name}) };
                json!({"metadata": metadata, "versions": versions})
            })
            .collect();
        json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
    }

    fn resources(&self, group: &str, version: &str) -> Answer {
        if self.settings.lost_groups.contains(group) {
            let mut answer = Answer::refusal(503, "ServiceUnavailable", "service unavailable", Value::Null);
            answer.body = json!("service unavailable\n");
            return answer;
        }
        let kinds: Vec<&Arc<Kind>> = self.kinds.iter().filter(|k| k.group == group && k.version == version).collect();
        if kinds.is_empty() {
            return Answer::no_page();
        }
        let mut resources = Vec::new();
        for kind in &kinds {
            let singular = kind.kind.to_lowercase();
            resources.push(json!({
                "name": kind.plural, "singularName": singular, "namespaced": kind.namespaced, "kind": kind.kind, "verbs": VERBS,
            }));
            if kind.status {
                resources.push(json!({
                    "name": format!("{}/status", kind.plural), "singularName": "", "namespaced": kind.namespaced,
                    "kind": kind.kind, "verbs": STATUS_VERBS,
                }));
            }
        }
        let api_version = kinds[0].api_version();
        Answer::ok(json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources,
        }))
    }
}

/// The versions of a group, the preferred one first.
fn versions(kinds: &[&Arc<Kind>]) -> Vec<String> {
    let mut all: Vec<String> = kinds.iter().map(|kind| kind.version.clone()).collect();
    // `v2` before `v1` before `v1beta1`.
    all.sort_by_key(|version| {
        (version.contains("alpha"), version.contains("beta"), std::cmp::Reverse(version.clone()))
    });
    all.dedup();
    all
}

fn group(name: &str, kinds: &[&Arc<Kind>]) -> Value {
    let all = versions(kinds)
        .into_iter()
        .map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version}));
    let all: Vec<Value> = all.collect();
    json!({"name": name, "versions": all, "preferredVersion": all[0]})
}

fn aggregated_resource(kind: &Kind) -> Value {
    let response = json!({"group": kind.group, "version": kind.version, "kind": kind.kind});
    let mut resource = json!({
        "resource": kind.plural,
        "responseKind": response,
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.kind.to_lowercase(),
        "verbs": VERBS,
    });
    if kind.status {
        resource["subresources"] = json!([{"subresource": "status", "responseKind": response, "verbs": STATUS_VERBS}]);
    }
    resource
}
