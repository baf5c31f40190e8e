//! One object in the place of another: what an update may change, what stays, and what counts as a change.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use super::answer::{Answer, Cause};
use super::kinds::{Generation, Kind};
use super::managers::{Writer, read, strip, write};
use super::normal::{as_stored, normalise};
use super::request::{Asked, Target};
use super::state::Key;
use super::validate::{may_become, valid};
use super::world::World;
use super::write::{Outcome, metadata};

impl World {
    /// Puts one object in the place of another, as far as it may. An odd one counts as a change of intent.
    pub fn replace(
        &mut self,
        asked: &Asked,
        target: &Target,
        old: &Arc<Value>,
        mut new: Value,
        is_odd: bool,
    ) -> Outcome {
        let kind = &target.kind;
        let (uid, version) = (metadata(&new, "uid"), metadata(&new, "resourceVersion"));
        if asked.method == Method::PUT && !uid.is_empty() && uid != metadata(old, "uid") {
            let found = metadata(old, "uid");
            let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {found}");
            return Err(Answer::conflict(kind, &target.name, &why));
        }
        if !version.is_empty() && version != metadata(old, "resourceVersion") {
            return Err(Answer::modified(kind, &target.name));
        }
        if !uid.is_empty() && uid != metadata(old, "uid") {
            let cause = Cause::invalid("metadata.uid", &json!(uid), "field is immutable");
            return Err(Answer::invalid(kind, &target.name, &[cause]));
        }
        if target.subresource == "status" {
            keep_all_but_status(old, &mut new, kind);
        } else if kind.status {
            keep(old, &mut new, "status");
        }
        let kept = [
            "name",
            "namespace",
            "uid",
            "creationTimestamp",
            "resourceVersion",
            "generation",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        ];
        for field in kept {
            keep(&old["metadata"], &mut new["metadata"], field);
        }
        keep_decisions(old, &mut new, kind);
        as_stored(&mut new, &kind.schema);
        if is_odd || intent_changed(old, &new, kind) {
            let generation = old["metadata"]["generation"].as_u64().unwrap_or_default();
            new["metadata"]["generation"] = json!(generation + 1);
        }
        valid(&new, kind)?;
        may_become(old, &new, kind)?;
        self.escalates(&asked.user, target, &new)?;
        self.ask_webhooks(target, "UPDATE", &new)?;
        if is_same(old, &new) {
            return Ok(Answer::ok((**old).clone()));
        }
        if asked.is_dry() {
            return Ok(Answer::ok(new));
        }
        let goes = !new["metadata"]["deletionTimestamp"].is_null() && is_free(&new, kind);
        if goes {
            self.state.remove(&target.key());
            return Ok(Answer::ok(new));
        }
        Ok(Answer::ok((*self.state.put(&target.key(), new)).clone()))
    }

    /// Writes a status, as a controller does.
    pub fn set_status(&mut self, key: &Key, manager: &str, status: Value) {
        let Some((old, kind)) = self.state.get(key).cloned().zip(self.kind(&key.resource)) else { return };
        let mut new = (*old).clone();
        new["status"] = status;
        normalise(&mut new, &kind.schema);
        let (mut bare, mut live) = (new.clone(), (*old).clone());
        let mut managers = read(&old);
        strip(&mut bare);
        strip(&mut live);
        let writer = Writer {
            kind: &kind.schema,
            api_version: &kind.api_version(),
            manager,
            subresource: "status",
            ignored: kind.ignored("status"),
            now: &self.now(),
        };
        writer.update(&live, &bare, &mut managers);
        write(&mut new, &managers);
        if !is_same(&old, &new) {
            self.state.put(key, new);
        }
    }
}

/// A write to the status changes nothing else, but for the metadata of some kinds.
fn keep_all_but_status(old: &Value, new: &mut Value, kind: &Kind) {
    if kind.custom || kind.kind == "ValidatingAdmissionPolicy" {
        let (status, owners) = (new["status"].take(), strip(new));
        *new = old.clone();
        new["status"] = status;
        strip(new);
        if let Some(owners) = owners {
            new["metadata"]["managedFields"] = owners;
        }
        return;
    }
    keep(old, new, "spec");
    if kind.kind == "Deployment" {
        keep(&old["metadata"], &mut new["metadata"], "labels");
    }
}

/// A field stays as it was, or absent.
fn keep(old: &Value, new: &mut Value, field: &str) {
    let Some(map) = new.as_object_mut() else { return };
    match old.get(field) {
        Some(value) => map.insert(field.to_owned(), value.clone()),
        None => map.remove(field),
    };
}

/// What the server decided stays where an update does not say it.
fn keep_decisions(old: &Value, new: &mut Value, kind: &Kind) {
    let fields: &[&str] = match kind.kind.as_str() {
        _ if kind.custom => &[],
        "Service" => &["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"],
        "Job" => &["selector"],
        "Namespace" => &["finalizers"],
        _ => &[],
    };
    for field in fields {
        let value = &old["spec"][*field];
        if new["spec"][*field].is_null() && !value.is_null() {
            new["spec"][*field] = value.clone();
        }
    }
}

fn intent_changed(old: &Value, new: &Value, kind: &Kind) -> bool {
    match kind.generation {
        Generation::None => false,
        Generation::Exactly(field) => old.get(field) != new.get(field),
        Generation::Of(pointers) => pointers.iter().any(|pointer| old.pointer(pointer) != new.pointer(pointer)),
        Generation::AllButStatus => {
            let fields = |object: &Value| {
                let mut fields = object.as_object().cloned().unwrap_or_default();
                fields.retain(|name, _| name != "metadata" && !(kind.status && name == "status"));
                fields
            };
            fields(old) != fields(new)
        }
    }
}

/// Whether nothing but the times of owners differs.
fn is_same(old: &Value, new: &Value) -> bool {
    if old == new {
        return true;
    }
    let owners = |object: &Value| -> Vec<_> {
        read(object).into_iter().map(|(manager, owned)| (manager, owned.api_version, owned.fields)).collect()
    };
    let bare = |object: &Value| {
        let mut object = object.clone();
        strip(&mut object);
        object
    };
    bare(old) == bare(new) && owners(old) == owners(new)
}

/// Whether nothing holds an object that is deleted.
pub fn is_free(object: &Value, kind: &Kind) -> bool {
    let empty = |list: &Value| list.as_array().is_none_or(Vec::is_empty);
    let is_namespace = kind.kind == "Namespace" && !kind.custom;
    empty(&object["metadata"]["finalizers"]) && (!is_namespace || empty(&object["spec"]["finalizers"]))
}
