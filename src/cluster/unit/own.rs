//! The rights of `mtp sync` itself. What git gives comes before all else, or what needs it could never be applied. What git takes
//! away goes last: of kinds that are rendered no more, something may be left to remove, which it would not even see any longer.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Running;
use super::apply::Came;
use crate::rendered::ObjectId;
use crate::sync::actions::{Action, OWN, Plan, Step};
use crate::sync::digest::Digest;
use crate::sync::discovery::Kinds;
use crate::sync::grants;

/// A group, and a resource of it.
pub type Resource = (String, String);

/// The resources of what is to be removed.
pub fn removing<'p>(plans: impl Iterator<Item = &'p Plan>, kinds: &Kinds) -> BTreeSet<Resource> {
    plans.flat_map(|plan| &plan.removals).filter_map(|removal| removal.right(kinds)).collect()
}

/// One of its own roles, which comes twice: as `object` is, once everything is removed.
pub struct Own {
    step: Step,
    object: Value,
}

impl Running<'_> {
    /// Changes its own roles, which keep what the pass needs.
    pub async fn widen(&mut self) {
        let is_change =
            |step: &Step| grants::is_role(&step.id) && &*step.id.name == OWN && step.action == Action::Apply;
        let (own, steps) = std::mem::take(&mut self.plan.steps).into_iter().partition(is_change);
        self.plan.steps = steps;
        let own: Vec<Step> = own;
        for mut step in own {
            if let Some(object) = self.objects.get(&step.id)
                && let Some(kept) = self.kept(&step.id, object, &self.around.removing)
            {
                self.own.push(Own { step: step.clone(), object: object.clone() });
                step.digest = Digest::of(&kept);
                self.objects.insert(step.id.clone(), kept);
            }
            let came = self.carry_out(&step).await;
            self.take_in(step, came);
            self.around.rights_changed.set(true);
        }
    }

    fn kept(&self, id: &ObjectId, object: &Value, resources: &BTreeSet<Resource>) -> Option<Value> {
        let live = self.around.cluster.objects.get(id)?.grants.as_ref()?;
        grants::kept(object, live, resources)
    }

    /// Says of what something is left.
    pub(super) fn leave(&self) {
        let removals = self.plan.removals.iter().filter(|removal| self.shard.entries.contains_key(&removal.id));
        let kinds = self.around.kinds.borrow();
        self.around.left.borrow_mut().extend(removals.filter_map(|removal| removal.right(&kinds)));
    }

    /// Takes from its own roles what was kept and is no longer needed, once every unit is done.
    pub async fn let_go(&mut self) {
        for Own { mut step, object } in std::mem::take(&mut self.own) {
            let left = self.around.left.borrow().clone();
            let object = self.kept(&step.id, &object, &left).unwrap_or(object);
            step.digest = Digest::of(&object);
            // What could not be applied the first time is told already.
            let stands = self.shard.entries.get(&step.id).and_then(|entry| entry.want);
            if stands == Some(step.digest) || self.outcome.problems.iter().any(|p| p.id.as_ref() == Some(&step.id)) {
                continue;
            }
            match self.apply(&step, object).await {
                Came::Well(object, ..) => self.note(&step, &object),
                Came::Ill(problem) | Came::Theirs(problem) => self.outcome.problems.push(problem),
                Came::Stopped(stop) => self.stopped = Some(stop),
            }
        }
    }
}
