//! `Live`: what is remembered of an object that a cluster has; its content is not kept.

use serde_json::Value;

use super::digest::{Digest, Digester};
use super::fields::{Path, Step, is_preceded, owners, walk};
use super::ownership::is_closed;
use crate::objects::meta;
use crate::rendered::ObjectId;

/// The annotation by which somebody hands an existing object over; the value names the installation.
pub const ADOPT: &str = "k8s-mtp.io/adopt";

/// The annotation of a live Tenant by which somebody pauses it.
pub const PAUSED: &str = "k8s-mtp.io/paused";

/// What somebody else added to a part that is closed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Addition {
    /// Which field.
    pub path: Path,
    /// Who.
    pub manager: String,
}

/// An object of a cluster.
#[derive(Debug, Clone)]
pub struct Live {
    /// Its UID.
    pub uid: String,
    /// Its version, for everything that must not happen to another one.
    pub resource_version: String,
    /// What stands of what we applied; `None` where we applied nothing.
    pub have: Option<Digest>,
    /// Whether somebody may have been there before we applied it.
    pub preceded: bool,
    /// What others added where they may not.
    pub additions: Vec<Addition>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// What its deletion waits for.
    pub finalizers: Vec<String>,
    /// Whether it says that it is ours.
    pub marked: bool,
    /// The tenant that it says it belongs to.
    pub tenant: Option<String>,
    /// The version of the API that it was read in.
    pub api_version: String,
    /// Whether it says that its tenant or namespace is retired.
    pub retired: bool,
    /// Whether an object controls it: then it is a child of that, and its labels may be copies.
    pub controlled: bool,
    /// The installation that somebody hands it to.
    pub adopt: Option<String>,
    /// Whether somebody paused it.
    pub paused: bool,
    /// What a binding or a role grants: its `subjects`, `roleRef` and `rules`.
    pub grants: Option<Value>,
    /// `.status` of a Tenant.
    pub status: Option<Value>,
}

impl Live {
    /// What is to be remembered of an object.
    pub fn of(id: &ObjectId, object: &Value) -> Live {
        let metadata = &object["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
        let label = |key: &str| metadata["labels"][key].as_str();
        let annotation = |key: &str| metadata["annotations"][key].as_str();
        let ours = owners(object).find(|owner| owner.is_ours());
        Live {
            uid: text("uid"),
            resource_version: text("resourceVersion"),
            have: ours.map(|owner| standing(id, owner.fields, object)),
            preceded: is_preceded(object),
            additions: additions(id, object),
            deleting: metadata["deletionTimestamp"].is_string(),
            finalizers: finalizers(object),
            marked: label(meta::MANAGED_BY) == Some(meta::K8S_MTP),
            tenant: label(meta::TENANT).map(str::to_owned),
            api_version: object["apiVersion"].as_str().unwrap_or_default().to_owned(),
            retired: label(meta::STATE) == Some("retired"),
            controlled: metadata["ownerReferences"]
                .as_array()
                .is_some_and(|owners| owners.iter().any(|owner| owner["controller"] == Value::Bool(true))),
            adopt: annotation(ADOPT).map(str::to_owned),
            paused: annotation(PAUSED).is_some_and(|value| value != "false"),
            grants: super::grants::of(id, object),
            status: (&*id.kind == "Tenant").then(|| object["status"].clone()),
        }
    }

    /// Whether we made it, whatever became of its labels: enough for what the inventory was about to hold. A run that ended
    /// between its write and the look at the answer may have written into what somebody made a moment before.
    pub fn was_made(&self) -> bool {
        self.was_applied() && !self.preceded
    }

    /// Whether we applied it.
    pub fn was_applied(&self) -> bool {
        self.have.is_some() && !self.controlled
    }

    /// Whether we once applied it, as far as it says.
    pub fn is_applied(&self) -> bool {
        self.was_applied() && self.marked
    }
}

/// Which fields we own, and what they hold. Values of a Secret stay where they are: its version stands for them.
fn standing(id: &ObjectId, fields: &Value, object: &Value) -> Digest {
    let mut digester = Digester::default();
    let secret = id.is("", "Secret");
    walk(fields, object, &mut |path, value, whole| {
        digester.text(&path.pointer());
        match value {
            None => digester.text("absent"),
            Some(value) if whole && !secret => digester.value(value),
            Some(_) => {}
        }
    });
    if secret {
        digester.value(&object["metadata"]["resourceVersion"]);
    }
    digester.finish()
}

/// What others own within the parts that are closed, and we do not.
fn additions(id: &ObjectId, object: &Value) -> Vec<Addition> {
    let mut theirs: Vec<Addition> = Vec::new();
    let mut ours: Vec<(Path, bool)> = Vec::new();
    for owner in owners(object).filter(|owner| owner.subresource.is_empty()) {
        walk(owner.fields, object, &mut |path, value, whole| {
            if value.is_none() || !is_closed(&id.group, &id.kind, path) {
            } else if owner.is_ours() {
                ours.push((path.clone(), whole));
            } else {
                theirs.push(Addition { path: path.clone(), manager: owner.manager.to_owned() });
            }
        });
    }
    // What holds something of ours is ours too, and so is all within what we own as a whole.
    theirs.retain(|theirs| {
        let covers =
            |(path, whole): &(Path, bool)| is_within(path, &theirs.path) || *whole && is_within(&theirs.path, path);
        !ours.iter().any(covers)
    });
    theirs.sort();
    let mut kept: Vec<Addition> = Vec::new();
    for addition in theirs {
        if !kept.iter().any(|outer| is_within(&addition.path, &outer.path)) {
            kept.push(addition);
        }
    }
    kept
}

fn is_within(inner: &Path, outer: &Path) -> bool {
    inner.0.starts_with(&outer.0)
}

/// The JSON patch (RFC 6902) that removes additions from the version that they were seen in.
pub fn removal(live: &Live) -> Value {
    let mut pointers: Vec<&Path> = live.additions.iter().map(|addition| &addition.path).collect();
    // Items of a list from its end, so that those before them keep their places.
    pointers.sort_by(|a, b| place(b).cmp(&place(a)));
    let test = serde_json::json!({
        "op": "test", "path": "/metadata/resourceVersion", "value": live.resource_version,
    });
    let removals = pointers
        .into_iter()
        .map(|path| serde_json::json!({"op": "remove", "path": path.pointer()}))
        .collect::<Vec<_>>();
    std::iter::once(test).chain(removals).collect()
}

fn place(path: &Path) -> Vec<(usize, &str)> {
    path.0
        .iter()
        .map(|step| match step {
            Step::Field(name) => (0, name.as_str()),
            Step::Item(index, _) => (*index, ""),
        })
        .collect()
}

/// What the deletion of an object waits for: its finalizers, and of a Namespace what it still holds.
fn finalizers(object: &Value) -> Vec<String> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut all = texts(&object["metadata"]["finalizers"]);
    let remaining = ["NamespaceFinalizersRemaining", "NamespaceContentRemaining", "NamespaceDeletionContentFailure"];
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let speaks = |c: &&Value| c["status"] == "True" && remaining.iter().any(|kind| c["type"] == *kind);
    all.extend(conditions.filter(speaks).filter_map(|c| c["message"].as_str()).map(str::to_owned));
    all
}
