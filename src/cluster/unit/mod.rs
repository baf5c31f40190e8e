//! A unit, carried out: what is taken away first, then stage after stage, then what goes.

mod apply;
mod own;
mod probe;
mod problem;
mod prune;
mod shard;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use futures::future::join_all;
use serde_json::Value;
use tokio::time::Instant;

use self::apply::Came;
pub use self::own::removing;
use self::own::{Own, Resource};
use self::problem::{failed, held};
use super::Settings;
use super::ask::Ask;
use super::gateway::{Gateway, Stop};
use crate::rendered::ObjectId;
use crate::sync::Unit;
use crate::sync::actions::{Action, Cluster, Plan, Step};
use crate::sync::answer::Meaning;
use crate::sync::discovery::Kinds;
use crate::sync::health::{Health, health};
use crate::sync::inventory::{self, Shard};
use crate::sync::live::Live;
use crate::sync::outcome::{Done, Problem, UnitOutcome};
use crate::sync::revocations::revocations;
use crate::sync::want::{Source, Stage};

/// How often something is tried that may succeed in a moment.
const TRIES: u32 = 5;

/// What all units share.
pub struct Around<'a> {
    /// The way to the API server.
    pub gateway: &'a Gateway,
    /// What the pass is about.
    pub settings: &'a Settings,
    /// What git holds.
    pub source: &'a dyn Source,
    /// The kinds of the cluster; asked again once when one is missing.
    pub kinds: RefCell<Kinds>,
    /// What the cluster had.
    pub cluster: &'a Cluster,
    /// Whether this pass wrote a policy of the API server's, which asks the one before for a moment.
    pub policies_changed: Cell<bool>,
    /// Whether this pass changed its own rights, of which the API server learns a moment later.
    pub rights_changed: Cell<bool>,
    /// Resources of which something is to be removed.
    pub removing: BTreeSet<Resource>,
    /// Those of which something is left, as far as units are done.
    pub left: RefCell<BTreeSet<Resource>>,
}

/// A unit that is being carried out.
pub struct Running<'a> {
    around: &'a Around<'a>,
    plan: Plan,
    shard: Shard,
    /// What the cluster holds of it.
    stored: inventory::Entries,
    /// Tenants that have a shard, for that of the platform; of others nothing.
    tenants: Vec<String>,
    outcome: UnitOutcome,
    stopped: Option<Stop>,
    /// Objects of the unit, while they are needed.
    objects: BTreeMap<ObjectId, Value>,
    /// Objects that were written and whose health matters.
    applied: Vec<ObjectId>,
    /// Bindings that were deleted before all else.
    revoked: BTreeSet<ObjectId>,
    /// Its own roles that keep something for the pass.
    own: Vec<Own>,
}

impl<'a> Running<'a> {
    /// Begins one.
    pub fn new(around: &'a Around<'a>, plan: Plan, shard: Shard, tenants: Vec<String>) -> Running<'a> {
        let mut outcome = UnitOutcome::new(plan.unit.clone());
        outcome.unchanged = plan.unchanged;
        outcome.notes = plan.notes();
        Running {
            around,
            plan,
            stored: shard.entries.clone(),
            shard,
            tenants,
            outcome,
            stopped: None,
            objects: BTreeMap::new(),
            applied: Vec::new(),
            revoked: BTreeSet::new(),
            own: Vec::new(),
        }
    }

    /// Which one it is.
    pub fn unit(&self) -> &Unit {
        &self.plan.unit
    }

    /// Whether all went well so far.
    pub fn is_well(&self) -> bool {
        self.outcome.problems.is_empty() && self.stopped.is_none()
    }

    /// Whether anything of it is left in the cluster.
    pub fn is_left(&self) -> bool {
        !self.shard.entries.is_empty()
    }

    /// Says which tenants have a shard, which the platform's lists.
    pub fn list(&mut self, tenants: Vec<String>) {
        self.plan.changed |= self.tenants != tenants;
        self.tenants = tenants;
    }

    /// Whether it takes away something that was granted, or may.
    pub fn touches_grants(&self) -> bool {
        self.plan.touches_grants()
    }

    /// What came of it.
    pub fn finish(mut self) -> UnitOutcome {
        self.outcome.judge(self.plan.paused);
        self.outcome
    }

    fn problem(&mut self, id: Option<&ObjectId>, message: String, failed: bool, passing: bool) {
        self.outcome.problems.push(Problem { id: id.cloned(), message, failed, passing });
    }

    /// Makes the objects of the unit again, which its plan only knows by their digests.
    pub fn load(&mut self) -> Result<()> {
        if self.objects.is_empty() && !self.plan.is_idle() && self.around.source.units().contains(&self.plan.unit) {
            let objects = self.around.source.objects(&self.plan.unit)?;
            self.objects = objects.into_iter().filter_map(|o| Some((crate::sync::want::id(&o)?, o))).collect();
        }
        Ok(())
    }

    /// Forgets them.
    pub fn unload(&mut self) {
        self.objects = BTreeMap::new();
    }

    /// Takes away what nobody is to have any longer.
    pub async fn revoke(&mut self) {
        let first = revocations(&self.plan, &self.objects, self.around.cluster);
        for (id, object) in first.narrowed {
            let Some(step) = self.plan.steps.iter().find(|step| step.id == id).cloned() else { continue };
            match self.apply(&step, object).await {
                Came::Well(_, _, taken) => {
                    self.outcome.taken.extend(taken.into_iter().map(|conflict| (id.clone(), conflict)));
                    self.outcome.done.push((id, Done::Revoked));
                }
                Came::Ill(problem) | Came::Theirs(problem) => self.outcome.problems.push(problem),
                Came::Stopped(stop) => self.stopped = Some(stop),
            }
        }
        for id in first.deleted {
            let Some(removal) = self.plan.removals.iter().find(|removal| removal.id == id).cloned() else { continue };
            self.remove(&removal, Done::Revoked).await;
            self.revoked.insert(id);
        }
    }

    /// Applies the objects of these stages, each stage once all before it stand.
    pub async fn apply_stages(&mut self, stages: &[Stage]) {
        for stage in stages {
            if self.plan.paused || !self.is_well() {
                return;
            }
            let steps: Vec<Step> = self.plan.steps.iter().filter(|step| step.stage == *stage).cloned().collect();
            if steps.is_empty() {
                continue;
            }
            if *stage == Stage::Admission {
                self.probe().await;
                if !self.is_well() {
                    return;
                }
            }
            let came = join_all(steps.iter().map(|step| self.carry_out(step))).await;
            for (step, came) in steps.into_iter().zip(came) {
                self.take_in(step, came);
            }
            if *stage == Stage::Guardrails {
                self.close().await;
            }
            if matches!(stage, Stage::Definitions | Stage::Workloads) && self.is_well() {
                self.wait().await;
            }
        }
    }

    fn take_in(&mut self, step: Step, came: Came) {
        match came {
            Came::Well(object, done, taken) => {
                self.note(&step, &object);
                self.outcome.taken.extend(taken.into_iter().map(|conflict| (step.id.clone(), conflict)));
                if matches!(step.stage, Stage::Definitions | Stage::Workloads) {
                    self.applied.push(step.id.clone());
                }
                self.outcome.done.push((step.id, done));
            }
            Came::Ill(problem) => self.outcome.problems.push(problem),
            Came::Theirs(problem) => {
                self.shard.entries.remove(&step.id);
                self.outcome.problems.push(problem);
            }
            Came::Stopped(stop) => self.stopped = Some(stop),
        }
    }

    /// Notes that an object stands as a step has it.
    fn note(&mut self, step: &Step, object: &Value) {
        let live = Live::of(&step.id, object);
        if let Some(entry) = self.shard.entries.get_mut(&step.id) {
            entry.uid = Some(live.uid);
            entry.want = Some(step.digest);
            entry.have = live.have;
            entry.api_version = std::sync::Arc::clone(&step.api_version);
            entry.retired |= step.id.is_namespace() && live.retired;
        }
    }

    async fn carry_out(&self, step: &Step) -> Came {
        if let Action::Hold(reason) = &step.action {
            return Came::Ill(held(&step.id, reason));
        }
        let Some(object) = self.objects.get(&step.id) else {
            return Came::Ill(failed(&step.id, "it is not in what was read a moment ago".to_owned(), true));
        };
        self.apply(step, object.clone()).await
    }

    /// Waits until what was applied works.
    pub async fn wait(&mut self) {
        let deadline = Instant::now() + self.around.settings.wait;
        for id in std::mem::take(&mut self.applied) {
            let Some(entry) = self.shard.entries.get(&id) else { continue };
            let api_version = std::sync::Arc::clone(&entry.api_version);
            let Some(resource) = self.resource(&id, &api_version).await else { continue };
            let mut tries = 0;
            loop {
                let answer = self.around.gateway.read(&Ask::get(&resource.object(&id))).await;
                let state = match answer.meaning() {
                    Meaning::Done => health(&answer.body),
                    _ => Health::Waiting(answer.message_or_loss()),
                };
                match state {
                    Health::Current => break,
                    Health::Failed(why) => {
                        self.problem(Some(&id), why, true, false);
                        break;
                    }
                    Health::Waiting(why) if Instant::now() >= deadline => {
                        let seconds = self.around.settings.wait.as_secs();
                        self.problem(Some(&id), format!("not ready after {seconds} s: {why}"), true, true);
                        break;
                    }
                    Health::Waiting(_) => {}
                }
                if self.around.gateway.stopped().is_some() {
                    self.stopped = self.around.gateway.stopped();
                    return;
                }
                tries += 1;
                self.around.gateway.moment(tries.min(3)).await;
            }
        }
    }
}
