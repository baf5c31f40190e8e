//! What a pass would do, without doing it: the same look, and trials in place of writes.

use std::collections::BTreeMap;

use anyhow::Result;
use futures::future::join_all;
use serde_json::{Value, json};

use super::Settings;
use super::ask::Ask;
use super::gateway::Gateway;
use super::pass::{Held, Situation, look};
use crate::rendered::ObjectId;
use crate::report::causes;
use crate::sync::Unit;
use crate::sync::actions::{Action, Plan, Step};
use crate::sync::answer::Meaning;
use crate::sync::difference::{Difference, differences};
use crate::sync::discovery::Found;
use crate::sync::fields::owners;
use crate::sync::live::{Live, removal};
use crate::sync::ownership::gives_way;
use crate::sync::want::Source;

/// What would become of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It would be created.
    Create,
    /// It would become ours, with these fields changed.
    Adopt(Vec<Difference>),
    /// These fields would change.
    Configure(Vec<Difference>),
    /// It would be deleted.
    Delete,
    /// It would be given back.
    Release,
    /// It stays as it is, and why.
    Held(String),
    /// The API server would refuse it, and why.
    Refused(String),
}

/// What would become of a unit.
#[derive(Debug, Clone)]
pub struct UnitPreview {
    /// Which one.
    pub unit: Unit,
    /// Its objects that are not as they should be.
    pub changes: Vec<(ObjectId, Change)>,
    /// How many are.
    pub unchanged: usize,
    /// What people may want to know, and nothing would come of.
    pub notes: Vec<(ObjectId, String)>,
    /// Whether somebody paused it.
    pub paused: bool,
    /// What the Tenant says of itself: type, status, reason and message of its conditions.
    pub conditions: Vec<[String; 4]>,
}

/// What a pass would do.
#[derive(Debug, Clone)]
pub struct Preview {
    /// What would be applied.
    pub commit: String,
    /// What a pass was last about.
    pub applied: Option<String>,
    /// Who writes at the moment.
    pub holder: Option<String>,
    /// Why deletions would be held back.
    pub refused: Option<String>,
    /// What would become of each unit, the platform first.
    pub units: Vec<UnitPreview>,
}

/// Looks, and with `trials` asks the API server what it would make of each change.
pub async fn preview(
    gateway: &Gateway,
    settings: &Settings,
    source: &dyn Source,
    held: &Held,
    trials: bool,
) -> Result<Preview> {
    let situation = look(gateway, settings, held, source.commit()).await?;
    let mut units = Vec::new();
    for plan in &situation.plans {
        units.push(of_unit(gateway, source, &situation, plan, trials).await?);
    }
    let platform = situation.inventory.shards.get(&Unit::Platform);
    Ok(Preview {
        commit: source.commit().to_owned(),
        applied: platform.and_then(|shard| shard.commit.clone()),
        holder: super::lease::holder(gateway, settings).await,
        refused: situation.refused.clone(),
        units,
    })
}

async fn of_unit(
    gateway: &Gateway,
    source: &dyn Source,
    situation: &Situation,
    plan: &Plan,
    trials: bool,
) -> Result<UnitPreview> {
    let mut objects: BTreeMap<ObjectId, Value> = BTreeMap::new();
    if trials && !plan.steps.is_empty() {
        let all = source.objects(&plan.unit)?.into_iter();
        objects.extend(all.filter_map(|object| Some((crate::sync::want::id(&object)?, object))));
    }
    let steps =
        join_all(plan.steps.iter().map(|step| of_step(gateway, source, situation, step, objects.get(&step.id))));
    let mut changes: Vec<(ObjectId, Change)> = Vec::new();
    for (step, change) in plan.steps.iter().zip(steps.await) {
        // Differences that are none: the API server would change nothing.
        if change != Change::Configure(Vec::new()) || !trials {
            changes.push((step.id.clone(), change));
        }
    }
    for removal in &plan.removals {
        let change = match &removal.stays {
            Some(reason) => Change::Held(reason.to_string()),
            None if removal.lent && !removal.with_namespace => Change::Release,
            None => Change::Delete,
        };
        changes.push((removal.id.clone(), change));
    }
    let conditions = match &plan.unit {
        Unit::Platform => Vec::new(),
        Unit::Tenant(name) => conditions(situation, name),
    };
    let silent = plan.steps.len() - changes.iter().filter(|(id, _)| plan.steps.iter().any(|s| s.id == *id)).count();
    Ok(UnitPreview {
        unit: plan.unit.clone(),
        changes,
        unchanged: plan.unchanged + silent,
        notes: plan.notes(),
        paused: plan.paused,
        conditions,
    })
}

fn conditions(situation: &Situation, name: &std::sync::Arc<str>) -> Vec<[String; 4]> {
    let id =
        ObjectId { group: crate::contract::GROUP.into(), kind: "Tenant".into(), namespace: None, name: name.clone() };
    let status = situation.cluster.objects.get(&id).and_then(|live| live.status.as_ref());
    let all = status.and_then(|status| status["conditions"].as_array()).into_iter().flatten();
    all.map(|c| ["type", "status", "reason", "message"].map(|field| c[field].as_str().unwrap_or_default().to_owned()))
        .collect()
}

async fn of_step(
    gateway: &Gateway,
    source: &dyn Source,
    situation: &Situation,
    step: &Step,
    object: Option<&Value>,
) -> Change {
    let adopts = match &step.action {
        Action::Hold(reason) => return Change::Held(reason.to_string()),
        Action::Create => return Change::Create,
        Action::Adopt => true,
        Action::Apply => false,
    };
    let changed = |fields: Vec<Difference>| if adopts { Change::Adopt(fields) } else { Change::Configure(fields) };
    let Some(object) = object else { return changed(Vec::new()) };
    match tried(gateway, source, situation, step, object).await {
        Ok(fields) => changed(fields),
        Err(why) => Change::Refused(why),
    }
}

/// What the API server would make of an object that is there.
async fn tried(
    gateway: &Gateway,
    source: &dyn Source,
    situation: &Situation,
    step: &Step,
    object: &Value,
) -> Result<Vec<Difference>, String> {
    let id = &step.id;
    let Found::Here(resource) = situation.kinds.find(&id.group, &id.kind, &step.api_version, false) else {
        return Err(format!("the cluster has no kind `{}` in {}", id.kind, step.api_version));
    };
    let path = resource.object(id);
    let mut body = source.opened(object.clone()).map_err(|error| causes(&error))?;
    let before = gateway.read(&Ask::get(&path)).await;
    if before.meaning() != Meaning::Done {
        return Err(before.message_or_loss());
    }
    let before = before.body;
    // What is left to others would be left out.
    for owner in owners(&before).filter(|owner| !owner.is_ours()) {
        gives_way(&id.group, &id.kind, ".spec.replicas", owner.subresource, &mut body);
    }
    body["metadata"]["uid"] = json!(before["metadata"]["uid"]);
    let answer = gateway.read_trial(&Ask::apply(&path, &body, true, true)).await;
    if answer.meaning() != Meaning::Done {
        return Err(if id.is("", "Secret") {
            format!("HTTP status {}", answer.status)
        } else {
            answer.message_or_loss()
        });
    }
    let mut after = answer.body;
    // What others added where they may not would be removed after that.
    let live = Live::of(id, &after);
    if !live.additions.is_empty() {
        removed(&mut after, &removal(&live));
    }
    Ok(differences(id, &before, &after))
}

/// Carries out the removals of a JSON patch.
fn removed(object: &mut Value, patch: &Value) {
    let operations = patch.as_array().into_iter().flatten().filter(|operation| operation["op"] == "remove");
    for pointer in operations.filter_map(|operation| operation["path"].as_str()) {
        let Some((parent, last)) = pointer.rsplit_once('/') else { continue };
        match object.pointer_mut(parent) {
            Some(Value::Object(fields)) => drop(fields.remove(&last.replace("~1", "/").replace("~0", "~"))),
            Some(Value::Array(items)) => {
                if let Some(index) = last.parse().ok().filter(|index: &usize| *index < items.len()) {
                    items.remove(index);
                }
            }
            _ => {}
        }
    }
}
