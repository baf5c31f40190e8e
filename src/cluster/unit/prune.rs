//! What git no longer holds, removed: by UID and version, and only once all else is well.

use tokio::time::Instant;

use super::apply::bare;
use super::problem::{failed, held, refused};
use super::{Running, TRIES};
use crate::cluster::ask::Ask;
use crate::cluster::gateway::Stop;
use crate::rendered::ObjectId;
use crate::sync::actions::Removal;
use crate::sync::answer::Meaning;
use crate::sync::discovery::Resource;
use crate::sync::grants;
use crate::sync::live::Live;
use crate::sync::outcome::{Done, Problem};
use crate::sync::reason::Reason;

/// What became of an object that was to be deleted.
pub enum Went {
    Gone,
    Going(Vec<String>),
    Refused(Problem),
    Stopped(Stop),
}

impl Running<'_> {
    /// Policies that let somebody through and are no longer wanted: they go once the others stand.
    pub(super) async fn close(&mut self) {
        if !self.is_well() {
            return;
        }
        let free = |r: &&Removal| r.stays.is_none() && !r.with_namespace;
        let policies = self.plan.removals.iter().filter(free).filter(|r| r.revokes && !grants::is_binding(&r.id));
        for removal in policies.cloned().collect::<Vec<_>>() {
            self.remove(&removal, Done::Deleted).await;
        }
    }

    /// Removes what git no longer holds, if all else is well.
    pub async fn prune(&mut self) {
        self.prune_all().await;
        self.leave();
    }

    async fn prune_all(&mut self) {
        // What goes waits, and that is no problem: somebody asked for it.
        if self.plan.paused {
            return;
        }
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
    pub(super) fn has_namespaces(&self) -> bool {
        self.plan.removals.iter().any(|r| r.id.is_namespace() && self.shard.entries.contains_key(&r.id))
    }

    pub(super) async fn remove(&mut self, removal: &Removal, done: Done) {
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
    pub(super) fn forget_object(&mut self, id: &ObjectId) {
        self.shard.entries.remove(id);
        if id.is_namespace() {
            self.shard.entries.retain(|inner, _| inner.namespace.as_ref() != Some(&id.name));
        }
    }

    pub(super) fn resource_of(&self, removal: &Removal) -> Option<Resource> {
        removal.resource(&self.around.kinds.borrow()).cloned()
    }

    /// Waits for an object to go; a Namespace takes its time.
    pub(super) async fn is_gone_in_time(&mut self, resource: &Resource, removal: &Removal) -> bool {
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
    pub(super) async fn delete(&self, resource: &Resource, id: &ObjectId, uid: &str, resource_version: &str) -> Went {
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
    pub(super) async fn release(&mut self, removal: &Removal) {
        let id = &removal.id;
        let Some(resource) = self.resource_of(removal) else { return };
        let body = bare(&resource, id, &removal.uid);
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
}
