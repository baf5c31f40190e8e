//! A unit, carried out: what is taken away first, then stage after stage, then what goes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Settings;
use super::gateway::{Ask, Gateway, Stop};
use crate::rendered::ObjectId;
use crate::sync::Unit;
use crate::sync::actions::{Action, Cluster, Plan, Reason, Removal, Step, revocations};
use crate::sync::answer::{Answer, Conflict, Meaning};
use crate::sync::discovery::{Found, Kinds, Resource};
use crate::sync::fields::owners;
use crate::sync::grants;
use crate::sync::health::{Health, health};
use crate::sync::inventory::{self, Shard};
use crate::sync::live::{Live, removal};
use crate::sync::outcome::{Done, Problem, UnitOutcome};
use crate::sync::ownership::gives_way;
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
}

/// A unit that is being carried out.
pub struct Running<'a> {
    around: &'a Around<'a>,
    plan: Plan,
    shard: Shard,
    /// What the cluster holds of it.
    stored: inventory::Entries,
    /// Tenants that have a shard, for that of the platform.
    tenants: Vec<String>,
    outcome: UnitOutcome,
    stopped: Option<Stop>,
    /// Objects of the unit, while they are needed.
    objects: BTreeMap<ObjectId, Value>,
    /// Objects that were written and whose health matters.
    applied: Vec<ObjectId>,
    /// Bindings that were deleted before all else.
    revoked: BTreeSet<ObjectId>,
}

/// What came of one object.
enum Came {
    /// It is as it should be: the object, and what was done.
    Well(Box<Value>, Done, Vec<Conflict>),
    /// It is not.
    Ill(Problem),
    /// Nothing is to be written any more.
    Stopped(Stop),
}

impl<'a> Running<'a> {
    /// Begins one.
    pub fn new(around: &'a Around<'a>, plan: Plan, shard: Shard, tenants: Vec<String>) -> Running<'a> {
        let mut outcome = UnitOutcome::new(plan.unit.clone());
        outcome.unchanged = plan.unchanged;
        outcome.notes = plan.left.iter().map(|(id, reason)| (id.clone(), reason.to_string())).collect();
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

    /// Writes down what is about to be created, before it is.
    pub async fn announce(&mut self) {
        if self.plan.changed && !self.plan.paused {
            self.shard.entries = self.plan.entries.clone();
            self.store().await;
        }
    }

    /// Writes the inventory as it is.
    async fn store(&mut self) {
        let settings = self.around.settings;
        let mut tenants = self.tenants.iter().map(String::as_str);
        let maps =
            inventory::write(&settings.installation, &settings.namespace, &self.plan.unit, &self.shard, &mut tenants);
        let collection = format!("/api/v1/namespaces/{}/configmaps", settings.namespace);
        let known = std::mem::take(&mut self.shard.versions);
        let mut versions = Vec::with_capacity(maps.len());
        for (part, mut map) in maps.into_iter().enumerate() {
            let ask = match known.get(part) {
                Some(version) => {
                    map["metadata"]["resourceVersion"] = json!(version);
                    let path = format!("{collection}/{}", inventory::name(&self.plan.unit, part));
                    Ask::replace(&path, &map)
                }
                None => Ask::create(&collection, &map, false),
            };
            match self.around.gateway.write(&ask).await {
                Err(stop) => return self.stopped = Some(stop),
                Ok(answer) if answer.meaning() == Meaning::Done => {
                    versions.push(answer.body["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned());
                }
                Ok(answer) => {
                    let (message, passing) = told(&answer);
                    return self.problem(None, format!("the inventory cannot be written: {message}"), true, passing);
                }
            }
        }
        // Parts that are no longer needed: nothing reads beyond the count that the first one holds.
        self.shard.versions = versions;
        self.stored = self.shard.entries.clone();
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
                Came::Ill(problem) => self.outcome.problems.push(problem),
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
                let live = Live::of(&step.id, &object);
                let stage = step.stage;
                if let Some(entry) = self.shard.entries.get_mut(&step.id) {
                    entry.uid = Some(live.uid);
                    entry.want = Some(step.digest);
                    entry.have = live.have;
                    entry.api_version = step.api_version;
                    entry.retired |= step.id.is_namespace() && live.retired;
                }
                self.outcome.taken.extend(taken.into_iter().map(|conflict| (step.id.clone(), conflict)));
                if matches!(stage, Stage::Definitions | Stage::Workloads) {
                    self.applied.push(step.id.clone());
                }
                self.outcome.done.push((step.id, done));
            }
            Came::Ill(problem) => self.outcome.problems.push(problem),
            Came::Stopped(stop) => self.stopped = Some(stop),
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

    /// Applies an object: gently first, to learn whose fields it would take.
    async fn apply(&self, step: &Step, object: Value) -> Came {
        let gateway = self.around.gateway;
        let id = &step.id;
        let Some(resource) = self.resource(id, &step.api_version).await else {
            return Came::Ill(failed(
                id,
                format!("the cluster has no kind `{}` in {}", id.kind, step.api_version),
                true,
            ));
        };
        let path = resource.object(id);
        let mut body = match self.around.source.opened(object) {
            Ok(body) => body,
            Err(error) => return Came::Ill(failed(id, format!("{error:#}"), false)),
        };
        let live = self.around.cluster.objects.get(id);
        let creates = step.action == Action::Create;
        if let Some(live) = live.filter(|_| !creates) {
            // What has been deleted meanwhile is not made anew by a change.
            body["metadata"]["uid"] = json!(live.uid);
        }
        let done = match step.action {
            Action::Create => Done::Created,
            Action::Adopt => Done::Adopted,
            _ => Done::Configured,
        };
        let mut taken: Vec<Conflict> = Vec::new();
        let mut force = false;
        let mut tries = 0;
        // Whether a request went out whose answer never came: then what is there may well be ours.
        let mut unsure = false;
        loop {
            tries += 1;
            let answer = match gateway.write(&Ask::apply(&path, &body, force, false)).await {
                Ok(answer) => answer,
                Err(stop) => return Came::Stopped(stop),
            };
            match answer.meaning() {
                Meaning::Done => {
                    if creates && answer.status == 200 && !unsure && is_foreign(id, &answer.body) {
                        let reason = Reason::Foreign { installation: self.around.settings.installation.clone() };
                        return Came::Ill(held(id, &reason));
                    }
                    return self.strip(id, &path, answer.body, done, taken).await;
                }
                Meaning::Conflicts(conflicts) if !force => {
                    for conflict in conflicts {
                        if !gives_way(&id.group, &id.kind, &conflict.field, &conflict.subresource, &mut body) {
                            taken.push(conflict);
                        }
                    }
                    force = !taken.is_empty();
                }
                Meaning::Unknown(_) | Meaning::Webhook(_) | Meaning::Later { .. } if tries < TRIES => {
                    unsure = true;
                    gateway.moment(tries).await;
                }
                // The rights of a Role reach whoever judges bindings a moment after the Role.
                Meaning::Forbidden(_) if tries < 3 && (grants::is_binding(id) || grants::is_role(id)) => {
                    gateway.moment(tries).await;
                }
                Meaning::Invalid(_) if is_replaceable(id, &body) && live.is_some() => {
                    return self.recreate(step, &resource, body).await;
                }
                _ => return Came::Ill(refused(id, &answer)),
            }
        }
    }

    /// Removes what others added where they may not. What is wanted stands by now: at no moment is less there than that.
    async fn strip(&self, id: &ObjectId, path: &str, object: Value, done: Done, taken: Vec<Conflict>) -> Came {
        let (mut object, mut done) = (object, done);
        for tries in 1..=TRIES {
            let live = Live::of(id, &object);
            if live.additions.is_empty() {
                return Came::Well(Box::new(object), done, taken);
            }
            let answer = match self.around.gateway.write(&Ask::patch(path, &removal(&live), false)).await {
                Ok(answer) => answer,
                Err(stop) => return Came::Stopped(stop),
            };
            if answer.meaning() == Meaning::Done {
                (object, done) = (answer.body, Done::Stripped);
                continue;
            }
            // It changed since, or it is not known whether it was done: what there is now says what is left to do.
            self.around.gateway.moment(tries).await;
            let now = self.around.gateway.read(&Ask::get(path)).await;
            if now.meaning() != Meaning::Done || tries == TRIES {
                let (message, passing) = told(&answer);
                return Came::Ill(failed(id, format!("what others added cannot be removed: {message}"), passing));
            }
            object = now.body;
        }
        Came::Ill(failed(id, "others add to it as fast as it is removed".to_owned(), true))
    }

    /// Replaces an object of a kind that nobody can change, once the API server has taken its successor as a trial.
    async fn recreate(&self, step: &Step, resource: &Resource, mut body: Value) -> Came {
        let (gateway, id) = (self.around.gateway, &step.id);
        if let Some(metadata) = body["metadata"].as_object_mut() {
            metadata.remove("uid");
        }
        let mut trial = body.clone();
        let name: String = id.name.chars().take(200).collect();
        trial["metadata"]["name"] = json!(format!("{name}-{}", step.digest.to_string().get(..8).unwrap_or_default()));
        match gateway.write(&Ask::create(&resource.collection(id.namespace.as_deref()), &trial, true)).await {
            Err(stop) => return Came::Stopped(stop),
            Ok(answer) if answer.meaning() == Meaning::Done => {}
            Ok(answer) => return Came::Ill(refused(id, &answer)),
        }
        let Some(live) = self.around.cluster.objects.get(id) else {
            return Came::Ill(failed(id, "it changed meanwhile".to_owned(), true));
        };
        match self.delete(resource, id, &live.uid, &live.resource_version).await {
            Went::Gone => {}
            Went::Going(waits) => return Came::Ill(held(id, &Reason::Deleting(waits))),
            Went::Refused(problem) => return Came::Ill(problem),
            Went::Stopped(stop) => return Came::Stopped(stop),
        }
        match gateway.write(&Ask::apply(&resource.object(id), &body, false, false)).await {
            Err(stop) => Came::Stopped(stop),
            Ok(answer) if answer.meaning() == Meaning::Done => {
                Came::Well(Box::new(answer.body), Done::Recreated, vec![])
            }
            Ok(answer) => Came::Ill(refused(id, &answer)),
        }
    }

    /// Where objects of a kind are; the cluster is asked again once, since definitions may just have come.
    async fn resource(&self, id: &ObjectId, api_version: &str) -> Option<Resource> {
        for again in [true, false] {
            if let Found::Here(resource) = self.around.kinds.borrow().find(&id.group, &id.kind, api_version, false) {
                return Some(resource.clone());
            }
            if again && let Ok(kinds) = super::reading::kinds(self.around.gateway).await {
                self.around.kinds.replace(kinds);
            }
        }
        None
    }

    /// Policies that let somebody through and are no longer wanted: they go once the others stand.
    async fn close(&mut self) {
        if !self.is_well() {
            return;
        }
        let policies =
            self.plan.removals.iter().filter(|r| r.revokes && !grants::is_binding(&r.id) && !r.with_namespace);
        for removal in policies.cloned().collect::<Vec<_>>() {
            self.remove(&removal, Done::Deleted).await;
        }
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

    /// Removes what git no longer holds, if all else is well.
    pub async fn prune(&mut self) {
        let well = self.is_well();
        for removal in self.plan.removals.clone() {
            if self.stopped.is_some() {
                return;
            }
            if self.revoked.contains(&removal.id) || !self.shard.entries.contains_key(&removal.id) {
                continue;
            }
            let stays =
                removal.stays.as_ref().filter(|reason| **reason != Reason::NamespacesLeft || self.has_namespaces());
            if let Some(reason) = stays {
                self.outcome.problems.push(held(&removal.id, reason));
            } else if self.plan.paused {
                self.outcome.problems.push(held(&removal.id, &Reason::Paused));
            } else if !well {
                self.outcome.problems.push(held(&removal.id, &Reason::Unfinished));
            } else if removal.with_namespace {
                // Its entry goes once the Namespace is gone.
            } else if removal.lent {
                self.release(&removal).await;
            } else {
                self.remove(&removal, Done::Deleted).await;
            }
        }
    }

    /// Whether Namespaces that are to go are still there.
    fn has_namespaces(&self) -> bool {
        self.plan.removals.iter().any(|r| r.id.is_namespace() && self.shard.entries.contains_key(&r.id))
    }

    async fn remove(&mut self, removal: &Removal, done: Done) {
        let id = &removal.id;
        let Some(resource) = self.resource_of(removal) else { return };
        match self.delete(&resource, id, &removal.uid, &removal.resource_version).await {
            Went::Gone => {
                self.forget_object(id);
                self.outcome.done.push((id.clone(), done));
            }
            Went::Going(waits) => {
                self.outcome.done.push((id.clone(), done));
                if !self.is_gone_in_time(&resource, removal).await {
                    self.outcome.problems.push(held(id, &Reason::Deleting(waits)));
                }
            }
            Went::Refused(problem) => self.outcome.problems.push(problem),
            Went::Stopped(stop) => self.stopped = Some(stop),
        }
    }

    /// What is gone leaves the inventory, and a Namespace takes along what was in it.
    fn forget_object(&mut self, id: &ObjectId) {
        self.shard.entries.remove(id);
        if id.is_namespace() {
            self.shard.entries.retain(|inner, _| inner.namespace.as_ref() != Some(&id.name));
        }
    }

    fn resource_of(&self, removal: &Removal) -> Option<Resource> {
        let id = &removal.id;
        match self.around.kinds.borrow().find(&id.group, &id.kind, &removal.api_version, true) {
            Found::Here(resource) => Some(resource.clone()),
            _ => None,
        }
    }

    /// Waits for an object to go; a Namespace takes its time.
    async fn is_gone_in_time(&mut self, resource: &Resource, removal: &Removal) -> bool {
        let deadline = Instant::now() + self.around.settings.wait;
        let mut tries = 0;
        while Instant::now() < deadline && self.around.gateway.stopped().is_none() {
            tries += 1;
            self.around.gateway.moment(tries.min(3)).await;
            let answer = self.around.gateway.read(&Ask::get(&resource.object(&removal.id))).await;
            let gone = match answer.meaning() {
                Meaning::Missing(_) => true,
                Meaning::Done => answer.body["metadata"]["uid"] != removal.uid.as_str(),
                _ => false,
            };
            if gone {
                self.forget_object(&removal.id);
                return true;
            }
            // Something holds it: that is no reason to wait.
            let live = Live::of(&removal.id, &answer.body);
            if tries > 4 && !live.finalizers.is_empty() && !removal.id.is_namespace() {
                return false;
            }
        }
        false
    }

    /// Deletes an object, and nothing that has its name by now.
    async fn delete(&self, resource: &Resource, id: &ObjectId, uid: &str, resource_version: &str) -> Went {
        let gateway = self.around.gateway;
        let path = resource.object(id);
        let mut version = resource_version.to_owned();
        let mut tries = 0;
        loop {
            tries += 1;
            let answer = match gateway.write(&Ask::delete(&path, uid, &version, false)).await {
                Ok(answer) => answer,
                Err(stop) => return Went::Stopped(stop),
            };
            match answer.meaning() {
                Meaning::Missing(_) => return Went::Gone,
                Meaning::Done if answer.body["kind"] == "Status" => return Went::Gone,
                // It is looked at: some kinds answer with what was there.
                Meaning::Done | Meaning::Unknown(_) | Meaning::Stale | Meaning::Webhook(_) => {}
                _ => return Went::Refused(refused(id, &answer)),
            }
            let live = gateway.read(&Ask::get(&path)).await;
            match live.meaning() {
                Meaning::Missing(_) => return Went::Gone,
                Meaning::Done if live.body["metadata"]["uid"] != uid => return Went::Gone,
                Meaning::Done => {
                    let seen = Live::of(id, &live.body);
                    if seen.deleting {
                        return Went::Going(seen.finalizers);
                    }
                    // Whoever took the mark of ownership off it, or made it a child, wants it to stay.
                    if !seen.marked || seen.controlled || tries >= TRIES {
                        return Went::Refused(failed(id, "it changed while it was being deleted".to_owned(), true));
                    }
                    version = seen.resource_version;
                }
                _ if tries >= TRIES => return Went::Refused(refused(id, &live)),
                _ => {}
            }
            gateway.moment(tries).await;
        }
    }

    /// Gives an object back: our fields go, and it stays.
    async fn release(&mut self, removal: &Removal) {
        let id = &removal.id;
        let Some(resource) = self.resource_of(removal) else { return };
        let mut body = json!({
            "apiVersion": resource.api_version, "kind": id.kind, "metadata": {"name": &*id.name, "uid": removal.uid},
        });
        if let Some(namespace) = &id.namespace {
            body["metadata"]["namespace"] = json!(&**namespace);
        }
        match self.around.gateway.write(&Ask::apply(&resource.object(id), &body, false, false)).await {
            Err(stop) => self.stopped = Some(stop),
            Ok(answer) => match answer.meaning() {
                Meaning::Done | Meaning::Missing(_) | Meaning::Stale => {
                    self.shard.entries.remove(id);
                    self.outcome.done.push((id.clone(), Done::Released));
                }
                _ => self.outcome.problems.push(refused(id, &answer)),
            },
        }
    }

    /// Writes down what came of it.
    pub async fn commit(&mut self) {
        if self.plan.paused && self.revoked.is_empty() || self.stopped == Some(Stop::LeaseLost) {
            return;
        }
        if self.is_well() || self.plan.unit == Unit::Platform {
            self.shard.commit = Some(self.around.source.commit().to_owned());
        }
        // That nothing was to be done for another commit is no reason to write.
        if self.shard.entries == self.stored && !self.plan.changed {
            return;
        }
        if self.shard.entries.is_empty() && self.plan.unit != Unit::Platform {
            return self.forget().await;
        }
        self.store().await;
    }

    /// Removes the shard of a tenant of which nothing is left.
    async fn forget(&mut self) {
        let settings = self.around.settings;
        for part in 0..self.shard.versions.len() {
            let path = format!(
                "/api/v1/namespaces/{}/configmaps/{}",
                settings.namespace,
                inventory::name(&self.plan.unit, part)
            );
            let answer = self.around.gateway.read(&Ask::get(&path)).await;
            let text = |field: &str| answer.body["metadata"][field].as_str().unwrap_or_default().to_owned();
            if answer.meaning() == Meaning::Done {
                // Whether it succeeds or not: an empty shard does no harm, and the next pass tries again.
                let ask = Ask::delete(&path, &text("uid"), &text("resourceVersion"), false);
                let _ = self.around.gateway.write(&ask).await;
            }
        }
    }
}

/// What became of an object that was to be deleted.
enum Went {
    Gone,
    Going(Vec<String>),
    Refused(Problem),
    Stopped(Stop),
}

/// Whether an object that was to be created had been there: somebody else owns fields of it.
fn is_foreign(id: &ObjectId, object: &Value) -> bool {
    let lent = id.is("", "ServiceAccount") && &*id.name == "default";
    !lent && owners(object).any(|owner| !owner.is_ours() && owner.subresource.is_empty())
}

/// Kinds whose objects nobody can change and that hold nothing of anybody else's.
fn is_replaceable(id: &ObjectId, object: &Value) -> bool {
    match (&*id.group, &*id.kind) {
        ("batch", "Job") => true,
        ("", "ConfigMap" | "Secret") => object["immutable"] == true,
        _ => false,
    }
}

fn held(id: &ObjectId, reason: &Reason) -> Problem {
    let passing =
        matches!(reason, Reason::Deleting(_) | Reason::Unread(_) | Reason::NamespacesLeft | Reason::Rebuilding);
    Problem { id: Some(id.clone()), message: reason.to_string(), failed: false, passing }
}

fn failed(id: &ObjectId, message: String, passing: bool) -> Problem {
    Problem { id: Some(id.clone()), message, failed: true, passing }
}

fn refused(id: &ObjectId, answer: &Answer) -> Problem {
    let (message, passing) = told(answer);
    // A server repeats the values that it does not like.
    let hidden = id.is("", "Secret")
        && matches!(answer.meaning(), Meaning::Invalid(_) | Meaning::Refused(_) | Meaning::Denied(_));
    let message =
        if hidden { format!("the API server refuses its content (HTTP status {})", answer.status) } else { message };
    failed(id, message, passing)
}

/// What an answer that says no tells people, and whether it may say something else in a moment.
fn told(answer: &Answer) -> (String, bool) {
    match answer.meaning() {
        Meaning::Forbidden(why) => (format!("a right is missing: {why}"), false),
        Meaning::OverQuota(why) | Meaning::Invalid(why) | Meaning::Denied(why) => (why, false),
        Meaning::Terminating => ("its Namespace is being deleted".to_owned(), true),
        Meaning::Stale => (format!("it changed meanwhile: {}", answer.message()), true),
        Meaning::Unknown(why) => (format!("it is not known whether it was done: {why}"), true),
        Meaning::Webhook(why) => (why, true),
        Meaning::Missing(why) => (why, true),
        _ => (answer.message_or_loss(), false),
    }
}
