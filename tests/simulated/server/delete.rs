//! DELETE: of one object, and of collections.

use serde_json::{Value, json};

use super::answer::{Answer, details};
use super::read::{Form, Shown};
use super::request::{Asked, Target};
use super::selector::Selector;
use super::world::World;
use super::write::{Outcome, is_free, metadata};

/// Namespaces that stay.
const KEPT: [&str; 3] = ["default", "kube-public", "kube-system"];

impl World {
    /// DELETE of one object.
    pub fn delete(&mut self, asked: &Asked, target: &Target) -> Outcome {
        let options = if asked.body.is_empty() { json!({}) } else { asked.object()? };
        let kind = &target.kind;
        if kind.plural == "namespaces" && KEPT.contains(&target.name.as_str()) {
            return Err(Answer::forbidden(kind, &target.name, "this namespace may not be deleted", Value::Null));
        }
        let Some(old) = self.state.get(&target.key()).cloned() else {
            return Err(Answer::not_found(kind, &target.name));
        };
        preconditions(&options["preconditions"], &old, target)?;
        self.ask_webhooks(target, "DELETE", &old)?;
        let is_dry = asked.is_dry() || options["dryRun"].as_array().is_some_and(|all| all.contains(&json!("All")));
        let propagation = match options["propagationPolicy"].as_str() {
            Some(policy) => policy,
            None => asked.parameter("propagationPolicy"),
        };
        let mut new = (*old).clone();
        for (policy, finalizer) in [("Orphan", "orphan"), ("Foreground", "foregroundDeletion")] {
            if policy != propagation {
                continue;
            }
            let finalizers = &mut new["metadata"]["finalizers"];
            if !finalizers.as_array().is_some_and(|all| all.contains(&json!(finalizer))) {
                match finalizers.as_array_mut() {
                    Some(all) => all.push(json!(finalizer)),
                    None => *finalizers = json!([finalizer]),
                }
            }
        }
        let is_definition = kind.plural == "customresourcedefinitions";
        if is_definition {
            mark_definition(&mut new, &self.now());
        }
        if is_free(&new, kind) {
            let mut last = (*old).clone();
            if !is_dry {
                self.state.remove(&target.key());
                last["metadata"]["resourceVersion"] = json!(self.state.revision().to_string());
            }
            return Ok(gone(target, last));
        }
        if old["metadata"]["deletionTimestamp"].is_null() {
            new["metadata"]["deletionTimestamp"] = json!(self.now());
            if kind.plural == "namespaces" {
                new["status"]["phase"] = json!("Terminating");
            } else if !is_definition {
                new["metadata"]["deletionGracePeriodSeconds"] = json!(0);
            }
            if let Some(generation) = old["metadata"]["generation"].as_u64().filter(|_| !is_definition) {
                new["metadata"]["generation"] = json!(generation + 1);
            }
        } else if new["metadata"].get("finalizers") == old["metadata"].get("finalizers") {
            return Ok(Answer::ok((*old).clone()));
        }
        if is_dry {
            return Ok(Answer::ok(new));
        }
        Ok(Answer::ok((*self.state.put(&target.key(), new)).clone()))
    }

    /// DELETE of all objects that are selected.
    pub fn delete_collection(&mut self, asked: &Asked, target: &Target) -> Outcome {
        let selector = Selector::read(asked.parameter("labelSelector"))?;
        let namespace = (!target.namespace.is_empty()).then_some(target.namespace.as_str());
        let resource = target.kind.resource();
        let form = if target.kind.custom { Form::Whole } else { Form::Item };
        let selected: Vec<_> = self
            .state
            .list(&resource, namespace)
            .filter(|(_, object)| selector.selects(object))
            .map(|(key, object)| (key.clone(), serde_json::to_value(Shown(object, form)).expect("JSON")))
            .collect();
        let mut items = Vec::new();
        for (key, object) in selected {
            let one = Target { namespace: key.namespace, name: key.name, ..target.clone() };
            self.delete(asked, &one)?;
            items.push(object);
        }
        Ok(Answer::ok(json!({
            "kind": format!("{}List", target.kind.kind),
            "apiVersion": target.kind.api_version(),
            "metadata": {"resourceVersion": self.state.revision().to_string()},
            "items": items,
        })))
    }
}

/// A definition stays until its objects are gone.
fn mark_definition(definition: &mut Value, now: &str) {
    if !definition["metadata"]["deletionTimestamp"].is_null() {
        return;
    }
    let finalizer = json!("customresourcecleanup.apiextensions.k8s.io");
    let condition = json!({
        "type": "Terminating",
        "status": "True",
        "reason": "InstanceDeletionPending",
        "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        "lastTransitionTime": now,
    });
    for (pointer, value) in [("metadata/finalizers", finalizer), ("status/conditions", condition)] {
        let (part, field) = pointer.split_once('/').expect("a slash");
        match definition[part][field].as_array_mut() {
            Some(all) => all.push(value),
            None => definition[part][field] = json!([value]),
        }
    }
}

fn gone(target: &Target, last: Value) -> Answer {
    if target.kind.shows_deleted {
        return Answer::ok(last);
    }
    let mut details = details(&target.kind, &target.name);
    details["uid"] = json!(metadata(&last, "uid"));
    Answer::ok(json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}))
}

fn preconditions(wanted: &Value, found: &Value, target: &Target) -> Result<(), Answer> {
    let name = &target.name;
    let is_special = ["namespaces", "customresourcedefinitions"].contains(&target.kind.plural.as_str());
    for (field, said, what) in
        [("uid", "UID", "deleted and then recreated"), ("resourceVersion", "ResourceVersion", "modified")]
    {
        let found = metadata(found, field);
        let Some(wanted) = wanted[field].as_str().filter(|wanted| *wanted != found) else { continue };
        if is_special {
            let why = format!("Precondition failed: {said} in precondition: {wanted}, {said} in object meta: {found}");
            return Err(Answer::conflict(&target.kind, name, &why));
        }
        let why = format!(
            "the {said} in the precondition ({wanted}) does not match the {said} in record ({found}). The object might have \
             been {what}"
        );
        return Err(Answer::precondition(&target.kind, name, &why));
    }
    Ok(())
}
