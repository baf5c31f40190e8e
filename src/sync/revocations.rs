//! What takes rights away before anything else is done.

use std::collections::BTreeMap;

use serde_json::Value;

use super::actions::{Action, Cluster, OWN, Plan};
use super::grants;
use super::reason::Reason;
use crate::rendered::ObjectId;

/// What takes rights away before anything else is done: bindings and roles as they are applied first, and bindings that go.
pub struct Revocations {
    /// Objects to apply, with less than is wanted.
    pub narrowed: Vec<(ObjectId, Value)>,
    /// Bindings to delete.
    pub deleted: Vec<ObjectId>,
}

/// The revocations of a plan; `objects` is all that git holds of the unit.
pub fn revocations(plan: &Plan, objects: &BTreeMap<ObjectId, Value>, cluster: &Cluster) -> Revocations {
    let grants_of = |id: &ObjectId| cluster.objects.get(id).and_then(|live| live.grants.as_ref());
    // In a Namespace that is going, or that is held for another reason, what is ours still loses its rights.
    let known = |id: &ObjectId| {
        let (entry, live) = (plan.entries.get(id), cluster.objects.get(id));
        entry.zip(live).is_some_and(|(entry, live)| entry.uid.as_deref() == Some(&*live.uid))
    };
    // Its own rights come before all else and go last: without those that it has it would not get that far.
    let narrowable = plan.steps.iter().filter(|step| {
        let reached = match &step.action {
            Action::Apply => true,
            Action::Hold(Reason::Namespace(_)) => known(&step.id),
            _ => false,
        };
        reached && &*step.id.name != OWN
    });
    let narrowed = narrowable.filter_map(|step| {
        let (want, live) = (objects.get(&step.id)?, grants_of(&step.id)?);
        Some((step.id.clone(), grants::narrowed(&step.id, want, live)?))
    });
    let deleted = plan.removals.iter().filter(|removal| {
        let free = removal.stays.is_none() || removal.stays == Some(Reason::Rebuilding);
        grants::is_binding(&removal.id) && free && !is_renamed(&removal.id, plan, objects, cluster)
    });
    Revocations { narrowed: narrowed.collect(), deleted: deleted.map(|removal| removal.id.clone()).collect() }
}

/// Whether a wanted binding grants all that this one does.
fn is_renamed(id: &ObjectId, plan: &Plan, objects: &BTreeMap<ObjectId, Value>, cluster: &Cluster) -> bool {
    let Some(old) = cluster.objects.get(id).and_then(|live| live.grants.as_ref()) else { return false };
    let role = |binding: &Value| -> Option<ObjectId> {
        let kind = binding["roleRef"]["kind"].as_str()?.to_owned();
        let namespace = if kind == "Role" { id.namespace.clone() } else { None };
        let name = binding["roleRef"]["name"].as_str()?.into();
        Some(ObjectId { group: id.group.clone(), kind: kind.into(), namespace, name })
    };
    let old_rules = role(old).and_then(|id| cluster.objects.get(&id)?.grants.as_ref()).map(|role| &role["rules"]);
    let mut others = objects.iter().filter(|(other, _)| {
        other.kind == id.kind && other.namespace == id.namespace && other.group == id.group && *other != id
    });
    // Somebody whose binding is only planned, and may not come, has not been given anything yet: it comes first.
    others.any(|(other, binding)| {
        let rules = role(binding).and_then(|id| objects.get(&id)).map_or(&Value::Null, |role| &role["rules"]);
        let comes = !plan.steps.iter().any(|s| s.id == *other && matches!(s.action, Action::Hold(_)));
        comes && grants::succeeds(binding, rules, old, old_rules)
    })
}
