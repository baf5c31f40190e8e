//! Server-side apply, and who owns what after other writes.

use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::Answer;
use super::managers::{Managers, Writer, read, strip, write};
use super::normal::unknown_field;
use super::request::{Asked, Target};
use super::world::World;
use super::write::{Outcome, check_names, decode, empty, metadata};

impl World {
    /// Server-side apply.
    pub fn apply_patch(&mut self, asked: &Asked, target: &Target, patch: &Value) -> Outcome {
        let manager = asked.parameter("fieldManager");
        let kind = &target.kind;
        if manager.is_empty() {
            let message =
                "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch";
            let cause = json!({
                "reason": "FieldValueRequired",
                "message": "Required value: is required for apply patch",
                "field": "fieldManager",
            });
            let details = json!({"group": "meta.k8s.io", "kind": "PatchOptions", "causes": [cause]});
            return Err(Answer::refusal(422, "Invalid", message, details));
        }
        if patch["kind"] != kind.kind.as_str() || patch["apiVersion"] != kind.api_version().as_str() {
            let text = |field: &str| patch[field].as_str().unwrap_or_default();
            let message = format!("invalid object type: {}, Kind={}", text("apiVersion"), text("kind"));
            return Err(Answer::bad_request(&message));
        }
        if patch["metadata"].get("managedFields").is_some_and(|fields| !fields.is_null()) {
            return Err(Answer::bad_request("metadata.managedFields must be nil"));
        }
        if let Some(field) = unknown_field(patch, &kind.schema) {
            let (namespace, name) = (&target.namespace, &target.name);
            let message = format!(
                "failed to create typed patch object ({namespace}/{name}; {}, Kind={}): .{field}: field not declared in schema",
                kind.api_version(),
                kind.kind
            );
            return Err(Answer::refusal(500, "", &message, Value::Null));
        }
        let old = self.state.get(&target.key()).cloned();
        if old.is_none() && !target.subresource.is_empty() {
            return Err(Answer::not_found(kind, &target.name));
        }
        let (mut live, mut managers) = match &old {
            Some(old) => {
                let mut live = (**old).clone();
                let managers = read(&live);
                strip(&mut live);
                (live, managers)
            }
            None => (empty(kind), Managers::new()),
        };
        let (api_version, now) = (kind.api_version(), self.now());
        let writer = |manager| Writer {
            kind: &kind.schema,
            api_version: &api_version,
            manager,
            subresource: &target.subresource,
            ignored: kind.ignored(&target.subresource),
            now: &now,
        };
        if old.is_some() && managers.is_empty() {
            writer("before-first-apply").update(&empty(kind), &live, &mut managers);
        }
        let mut is_odd = false;
        let applied = writer(manager).apply(&live, patch, &mut managers, asked.is_set("force"));
        if let Some(mut new) = applied.map_err(|conflicts| Answer::conflicts(&conflicts))? {
            is_odd = decode(&mut new, kind);
            live = new;
        }
        check_names(&live, target)?;
        write(&mut live, &managers);
        match old {
            Some(old) => self.replace(asked, target, &old, live, is_odd),
            None if !metadata(&live, "uid").is_empty() => {
                let uid = metadata(&live, "uid");
                let why =
                    format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
                Err(Answer::conflict(kind, &target.name, &why))
            }
            None => self.create_object(asked, target, live),
        }
    }

    /// Notes who wrote what an update changes.
    pub fn note(&self, asked: &Asked, target: &Target, old: Option<&Arc<Value>>, new: &mut Value) {
        let said = strip(new);
        let (live, mut managers) = match old {
            Some(old) => {
                let mut live = (**old).clone();
                let mut managers = read(&live);
                strip(&mut live);
                match said.as_ref().and_then(Value::as_array).filter(|_| target.subresource.is_empty()) {
                    Some(entries) if entries.is_empty() || *entries == [json!({})] => managers = Managers::new(),
                    Some(_) => {
                        let wrapped = json!({"metadata": {"managedFields": said}});
                        managers = Some(read(&wrapped)).filter(|said| !said.is_empty()).unwrap_or(managers);
                    }
                    None => {}
                }
                // What nobody ever applied has no owners.
                if managers.is_empty() {
                    return;
                }
                (live, managers)
            }
            None => (empty(&target.kind), Managers::new()),
        };
        let writer = Writer {
            kind: &target.kind.schema,
            api_version: &target.kind.api_version(),
            manager: &asked.manager(),
            subresource: &target.subresource,
            ignored: target.kind.ignored(&target.subresource),
            now: &self.now(),
        };
        writer.update(&live, new, &mut managers);
        write(new, &managers);
    }
}
