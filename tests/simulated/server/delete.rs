//! DELETE: of one object, and of collections.

use serde_json::{Value, json};

use super::answer::{Answer, details};
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
            let finalizers = &mut new["metadata"]["finalizers"];
            if policy == propagation && !finalizers.as_array().is_some_and(|all| all.contains(&json!(finalizer))) {
                match finalizers.as_array_mut() {
                    Some(all) => all.push(json!(finalizer)),
                    None => *finalizers = json!([finalizer]),
                }
            }
        }
        if is_free(&new, kind) {
            if !is_dry {
                self.state.remove(&target.key());
            }
            return Ok(self.gone(target, &old));
        }
        if old["metadata"]["deletionTimestamp"].is_null() {
            new["metadata"]["deletionTimestamp"] = json!(self.now());
            if kind.plural == "namespaces" {
                new["status"]["phase"] = json!("Terminating");
            } else {
                new["metadata"]["deletionGracePeriodSeconds"] = json!(0);
            }
            if let Some(generation) = old["metadata"]["generation"].as_u64() {
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

    fn gone(&self, target: &Target, old: &Value) -> Answer {
        if target.kind.shows_deleted {
            return Answer::ok(old.clone());
        }
        let mut details = details(&target.kind, &target.name);
        details["uid"] = json!(metadata(old, "uid"));
        Answer::ok(json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": details,
        }))
    }

    /// DELETE of all objects that are selected.
    pub fn delete_collection(&mut self, asked: &Asked, target: &Target) -> Outcome {
        let selector = Selector::read(asked.parameter("labelSelector"))?;
        let namespace = (!target.namespace.is_empty()).then_some(target.namespace.as_str());
        let resource = target.kind.resource();
        let selected: Vec<_> = self
            .state
            .list(&resource, namespace)
            .filter(|(_, object)| selector.selects(object))
            .map(|(key, object)| (key.clone(), (**object).clone()))
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

fn preconditions(wanted: &Value, found: &Value, target: &Target) -> Result<(), Answer> {
    let name = &target.name;
    let is_namespace = target.kind.plural == "namespaces";
    for (field, said, what) in
        [("uid", "UID", "deleted and then recreated"), ("resourceVersion", "ResourceVersion", "modified")]
    {
        let found = metadata(found, field);
        let Some(wanted) = wanted[field].as_str().filter(|wanted| *wanted != found) else { continue };
        if is_namespace {
            let why = format!("Precondition failed: {said} in precondition: {wanted}, {said} in object meta: {found}");
            return Err(Answer::conflict(&target.kind, name, &why));
        }
        let why = format!(
            "the {said} in the precondition ({wanted}) does not match the {said} in record ({found}). The object might have \
             been {what}"
        );
        return Err(Answer::precondition(name, &why));
    }
    Ok(())
}
