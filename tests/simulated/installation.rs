//! An installation on the simulated server: tenants in git, passes over them, and what is left in the cluster.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_mtp::engine::{Budget, Counts, Fresh, Gateway, Held, Outcome, Progress, Settings, Source, State, pass};
use k8s_mtp::{Input, Inputs};
use serde_json::Value;
use time::OffsetDateTime;

use crate::server::{Key, Server};

/// A small platform: one tier, a role for each of three persons.
const PLATFORM: &str = r#"
apiVersion: multitenant.k8s-mtp.io/v1
kind: Platform
metadata: {name: sim}
spec:
  kubernetesVersion: "1.37"
---
apiVersion: multitenant.k8s-mtp.io/v1
kind: Tier
metadata: {name: free}
spec:
  quota: {cpu: 500m, memory: 1Gi, pods: 20}
  limitRange: {container: {default: {cpu: 100m, memory: 128Mi}}}
---
apiVersion: multitenant.k8s-mtp.io/v1
kind: Tier
metadata: {name: pro}
spec:
  namespaces: 3
  quota: {cpu: "4", memory: 8Gi, pods: 100}
  limitRange: {container: {default: {cpu: 250m, memory: 256Mi}}}
"#;

/// What git holds at a commit.
#[derive(Clone)]
pub struct Git {
    files: BTreeMap<String, String>,
    commit: String,
}

impl Git {
    /// A platform without tenants.
    pub fn new() -> Git {
        let files = [("tenants/platform.yaml".to_owned(), PLATFORM.to_owned())].into();
        Git { files, commit: "c0".to_owned() }
    }

    /// The next commit: with this tenant as it says; `spec` is indented by two.
    pub fn tenant(&self, name: &str, spec: &str) -> Git {
        let text = format!(
            "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Tenant\nmetadata: {{name: {name}}}\nspec:\n  name: main\n  ownerEmail: o@example.org\n{spec}"
        );
        self.with(&format!("tenants/{name}.yaml"), Some(text))
    }

    /// The next commit: without this tenant.
    pub fn without(&self, name: &str) -> Git {
        self.with(&format!("tenants/{name}.yaml"), None)
    }

    /// The next commit: with another platform.
    pub fn platform(&self, change: impl Fn(&str) -> String) -> Git {
        let text = change(&self.files["tenants/platform.yaml"]);
        self.with("tenants/platform.yaml", Some(text))
    }

    /// The next commit: with this file, or without it.
    pub fn with(&self, path: &str, text: Option<String>) -> Git {
        let mut next = self.clone();
        match text {
            Some(text) => drop(next.files.insert(path.to_owned(), text)),
            None => drop(next.files.remove(path)),
        }
        let number: u32 = self.commit[1..].parse().expect("a number");
        next.commit = format!("c{}", number + 1);
        next
    }

    /// What is rendered from it.
    #[track_caller]
    pub fn fresh(&self) -> Fresh {
        let mut inputs = Inputs::default();
        for (path, text) in &self.files {
            inputs.insert(path.as_str(), Input::Bytes(text.as_bytes().into()));
        }
        let (rendered, diagnostics) = k8s_mtp::render(&inputs);
        assert!(rendered.plan_is_there(), "{diagnostics:?}");
        Fresh { rendered, commit: self.commit.clone() }
    }
}

/// Two tenants with people.
pub fn two() -> Git {
    Git::new()
        .tenant("a", "  tier: free\n  admins: [alice@example.org]\n  viewers: [vera@example.org]\n")
        .tenant("b", "  tier: pro\n  operators: [bob@example.org]\n")
}

/// So many tenants, each with somebody.
pub fn fleet(count: usize) -> Git {
    let mut git = Git::new();
    for index in 0..count {
        let text = format!(
            "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Tenant\nmetadata: {{name: t{index}}}\nspec:\n  name: main\n  tier: free\n  ownerEmail: o@example.org\n  admins: [a{index}@example.org]\n"
        );
        git.files.insert(format!("tenants/t{index}.yaml"), text);
    }
    git
}

fn clock() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH
}

/// Settings of a process by that name.
pub fn settings(identity: &str) -> Settings {
    Settings {
        installation: "sim".to_owned(),
        namespace: "k8s-mtp".to_owned(),
        tenants: Vec::new(),
        budget: Budget::default(),
        deletes: true,
        inside: false,
        wait: Duration::from_secs(60),
        identity: identity.to_owned(),
        lease: Duration::from_secs(15),
        clock,
    }
}

/// What came of a pass, and what it cost.
pub struct Passed {
    pub outcome: anyhow::Result<Outcome>,
    pub counts: Counts,
}

/// Runs a pass of what git holds.
pub async fn pass_of(server: &Server, source: &dyn Source, settings: &Settings) -> Passed {
    let gateway = Gateway::new(server.client(), 7);
    run(&gateway, source, settings).await
}

/// The same, through a gateway.
pub async fn run(gateway: &Gateway, source: &dyn Source, settings: &Settings) -> Passed {
    let outcome = match Held::of(source) {
        Ok(held) => pass(gateway, settings, source, &held, &RefCell::new(|_: Progress<'_>| {})).await,
        Err(error) => Err(error),
    };
    Passed { outcome, counts: gateway.counts() }
}

/// Runs a pass that has to end well.
#[track_caller]
pub fn clean(passed: Passed) -> Outcome {
    let outcome = passed.outcome.expect("a pass");
    assert!(outcome.is_clean(), "{}", told(&outcome));
    outcome
}

/// What is the matter, for messages and comparisons.
pub fn told(outcome: &Outcome) -> String {
    let mut text = String::new();
    for unit in outcome.units.iter().filter(|unit| unit.state != State::Applied) {
        text.push_str(&format!("{}: {}\n", unit.unit, unit.state.as_str()));
        for problem in &unit.problems {
            let about = problem.id.as_ref().map(|id| format!("{id}: ")).unwrap_or_default();
            text.push_str(&format!("  {about}{}\n", problem.message));
        }
    }
    text
}

/// Everything in the cluster but what passes keep for themselves, without what differs from cluster to cluster.
pub fn picture(server: &Server) -> BTreeMap<(String, String, String), Value> {
    let own = |key: &Key| {
        key.resource == "leases.coordination.k8s.io"
            || key.resource.starts_with("events")
            || key.resource == "configmaps" && key.name.starts_with("k8s-mtp-inventory")
    };
    let mut all = BTreeMap::new();
    for (key, object) in server.all() {
        if !own(&key) {
            all.insert((key.resource, key.namespace, key.name), plain(&object));
        }
    }
    all
}

fn plain(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["uid", "resourceVersion", "creationTimestamp", "generation", "deletionTimestamp"] {
            metadata.remove(field);
        }
        let managers = metadata.get_mut("managedFields").and_then(Value::as_array_mut);
        for entry in managers.into_iter().flatten() {
            if let Some(entry) = entry.as_object_mut() {
                entry.remove("time");
            }
        }
    }
    // Of a Tenant's status: what it says, and not of which commit.
    if object["kind"] == "Tenant" {
        if let Some(status) = object["status"].as_object_mut() {
            status.remove("observedCommit");
            for condition in status.get_mut("conditions").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(condition) = condition.as_object_mut() {
                    condition.remove("message");
                    condition.remove("lastTransitionTime");
                }
            }
        }
    } else if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    object
}

/// UIDs of what the inventory holds; an entry without one is an empty text.
pub fn inventory(server: &Server) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for map in server.list("configmaps", Some("k8s-mtp")) {
        if !map["metadata"]["name"].as_str().is_some_and(|name| name.starts_with("k8s-mtp-inventory")) {
            continue;
        }
        for line in map["data"]["objects"].as_str().unwrap_or_default().lines() {
            let entry: Value = serde_json::from_str(line).expect("a line");
            let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
            all.insert((format!("{} {}/{}", text("kind"), text("namespace"), text("name")), text("uid")));
        }
    }
    all
}

/// What says that it is ours and was applied by us, as the inventory would hold it.
pub fn ours(server: &Server) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for (_, object) in server.all() {
        let metadata = &object["metadata"];
        let applied = metadata["managedFields"].as_array().is_some_and(|managers| {
            managers
                .iter()
                .any(|m| m["manager"] == "k8s-mtp" && m["operation"] == "Apply" && m["subresource"].is_null())
        });
        if applied && metadata["labels"]["app.kubernetes.io/managed-by"] == "k8s-mtp" {
            let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
            let kind = object["kind"].as_str().unwrap_or_default();
            all.insert((format!("{kind} {}/{}", text("namespace"), text("name")), text("uid")));
        }
    }
    all
}
