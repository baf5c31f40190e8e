//! What follows for a unit from what git holds, what the cluster has and what of it is ours.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Unit;
use super::discovery::{Found, Kinds, Resource};
use super::gates;
use super::grants;
use super::inventory::{Entries, Entry, Shard};
use super::live::Live;
use super::reason::Reason;
use super::want::{Stage, Wanted};
use crate::rendered::ObjectId;

/// What everything is called that `mtp sync` runs as in a cluster.
pub const OWN: &str = crate::objects::sync::NAME;

/// What the cluster has, as far as it was asked.
#[derive(Debug, Default)]
pub struct Cluster {
    /// The objects, by what they are.
    pub objects: BTreeMap<ObjectId, Live>,
    /// Kinds that could not be read, and why: of these nothing is known, not even that they are gone.
    pub unread: BTreeMap<(String, String), String>,
    /// What grants or opens something in a Namespace that is wanted, says that it is rendered, and is neither wanted nor ours:
    /// by the Namespace.
    pub strays: BTreeMap<Arc<str>, Vec<ObjectId>>,
}

/// What holds for every unit.
pub struct Context<'c> {
    /// The installation: the Platform's `metadata.name`.
    pub installation: &'c str,
    /// Whether anything is deleted at all.
    pub deletes: bool,
    /// The platform's namespace, while there is no inventory in it: it is made before there can be one.
    pub ground: Option<&'c str>,
    /// Whether this is the Deployment that the platform renders, which lives from its own objects.
    pub inside: bool,
    /// Whether the unit's inventory is lost: what says that it is ours is believed, and nothing is removed.
    pub rebuilding: bool,
}

/// What happens to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It is not there.
    Create,
    /// It is ours, and not as it should be.
    Apply,
    /// It is there and becomes ours.
    Adopt,
    /// Nothing, because of something that somebody has to see to.
    Hold(Reason),
}

/// One thing to do for an object that is wanted.
#[derive(Debug, Clone)]
pub struct Step {
    /// Which object.
    pub id: ObjectId,
    /// Its version of the API.
    pub api_version: Arc<str>,
    /// When.
    pub stage: Stage,
    /// What.
    pub action: Action,
    /// What git holds.
    pub digest: super::digest::Digest,
}

/// An object of ours that git no longer holds.
#[derive(Debug, Clone)]
pub struct Removal {
    /// Which object.
    pub id: ObjectId,
    /// Its version of the API.
    pub api_version: Arc<str>,
    /// What is removed, and nothing that has its name by now.
    pub uid: String,
    /// The version of it that was looked at.
    pub resource_version: String,
    /// Why it stays; `None`: it goes.
    pub stays: Option<Reason>,
    /// Whether it is given back instead.
    pub lent: bool,
    /// Whether it takes rights or reach away, which nothing holds up.
    pub revokes: bool,
    /// Whether it goes with its Namespace.
    pub with_namespace: bool,
}

impl Removal {
    /// How the API server serves it, in whichever version there is; `None`: it does not.
    pub fn resource<'k>(&self, kinds: &'k Kinds) -> Option<&'k Resource> {
        match kinds.find(&self.id.group, &self.id.kind, &self.api_version, true) {
            Found::Here(resource) => Some(resource),
            _ => None,
        }
    }

    /// What rights to it are about: its group, and its resource.
    pub fn right(&self, kinds: &Kinds) -> Option<(String, String)> {
        self.resource(kinds).map(|resource| (self.id.group.to_string(), resource.plural.clone()))
    }
}

/// What is to be done for a unit.
#[derive(Debug)]
pub struct Plan {
    /// Which one.
    pub unit: Unit,
    /// What is done for objects that are wanted, in the order of their stages.
    pub steps: Vec<Step>,
    /// What goes, in the order in which it goes.
    pub removals: Vec<Removal>,
    /// The inventory before the first write: what there was, and what is about to be.
    pub entries: Entries,
    /// Whether that differs from what is stored.
    pub changed: bool,
    /// How many objects are as they should be.
    pub unchanged: usize,
    /// Whether somebody paused it.
    pub paused: bool,
    /// What is let go of without being deleted, or never was ours and seems to be: for people to know.
    pub left: Vec<(ObjectId, Reason)>,
}

impl Plan {
    /// Whether nothing is to be done, and nothing stands in the way of anything.
    pub fn is_idle(&self) -> bool {
        self.steps.is_empty() && self.removals.is_empty() && !self.changed
    }

    /// What people may want to know.
    pub fn notes(&self) -> Vec<(ObjectId, String)> {
        self.left.iter().map(|(id, reason)| (id.clone(), reason.to_string())).collect()
    }

    /// Whether it needs the objects themselves to know what it takes away.
    pub fn touches_grants(&self) -> bool {
        self.steps.iter().any(|step| grants::is_binding(&step.id) || grants::is_role(&step.id))
            || self.removals.iter().any(|removal| grants::is_binding(&removal.id))
    }
}

/// Plans a unit.
pub fn plan(unit: &Unit, wanted: &[Wanted], shard: &Shard, cluster: &Cluster, context: &Context<'_>) -> Plan {
    let mut planned = Plan {
        unit: unit.clone(),
        steps: Vec::new(),
        removals: Vec::new(),
        entries: shard.entries.clone(),
        changed: false,
        unchanged: 0,
        paused: false,
        left: Vec::new(),
    };
    let mut blocked: BTreeSet<Arc<str>> = BTreeSet::new();
    // Namespaces first: what they hold depends on them.
    let (namespaces, others): (Vec<&Wanted>, Vec<&Wanted>) = wanted.iter().partition(|w| w.id.is_namespace());
    for one in namespaces.into_iter().chain(others) {
        let live = cluster.objects.get(&one.id);
        if one.id.kind == "Tenant" && live.is_some_and(|live| live.paused) {
            planned.paused = true;
        }
        if let Some(strays) = cluster.strays.get(&one.id.name).filter(|_| one.id.is_namespace()) {
            planned.left.extend(strays.iter().map(|id| (id.clone(), Reason::Stray)));
        }
        let held = one.id.namespace.as_ref().filter(|namespace| blocked.contains(*namespace));
        let action = match held {
            Some(namespace) => Some(Action::Hold(Reason::Namespace(Arc::clone(namespace)))),
            None => decide(one, live, &mut planned, cluster, context),
        };
        match action {
            None => planned.unchanged += 1,
            Some(action) => {
                if matches!(action, Action::Hold(_)) && one.id.is_namespace() {
                    blocked.insert(Arc::clone(&one.id.name));
                }
                planned.steps.push(Step {
                    id: one.id.clone(),
                    api_version: Arc::clone(&one.api_version),
                    stage: one.stage,
                    action,
                    digest: one.digest,
                });
            }
        }
    }
    planned.steps.sort_by(|a, b| (a.stage, &a.id).cmp(&(b.stage, &b.id)));
    removals(wanted, shard, cluster, context, &mut planned);
    planned.changed = planned.entries != shard.entries;
    planned
}

/// What happens to a wanted object; `None`: it is as it should be.
fn decide(
    one: &Wanted,
    live: Option<&Live>,
    planned: &mut Plan,
    cluster: &Cluster,
    context: &Context<'_>,
) -> Option<Action> {
    if let Some(why) = unread(&one.id, cluster) {
        return Some(Action::Hold(Reason::Unread(why.to_owned())));
    }
    let stored = planned.entries.get(&one.id).cloned();
    let pending = || Entry::pending(Arc::clone(&one.api_version));
    let Some(live) = live else {
        // It may have been ours: then somebody deleted it, and its successor has another UID.
        // What Kubernetes makes may come before our write does: it is lent all the same.
        let entry = Entry { lent: is_made_by_kubernetes(&one.id), ..pending() };
        planned.entries.insert(one.id.clone(), entry);
        return Some(Action::Create);
    };
    if live.deleting {
        return Some(Action::Hold(Reason::Deleting(live.finalizers.clone())));
    }
    let known = stored.as_ref().is_some_and(|entry| entry.is_of(live));
    let ground = one.id.is_namespace() && context.ground == Some(&*one.id.name);
    if known || (ground || context.rebuilding) && live.is_applied() {
        let mut entry = stored.unwrap_or_else(pending);
        let stands = entry.stands(one.digest, live);
        entry.uid = Some(live.uid.clone());
        entry.api_version = Arc::clone(&one.api_version);
        entry.retired = one.id.is_namespace() && live.retired && entry.retired;
        planned.entries.insert(one.id.clone(), entry);
        return (!stands).then_some(Action::Apply);
    }
    let lent = is_made_by_kubernetes(&one.id) && is_in_ours(&one.id, planned, cluster);
    if !lent && live.adopt.as_deref() != Some(context.installation) {
        return Some(Action::Hold(Reason::Foreign { installation: context.installation.to_owned() }));
    }
    let entry = Entry { uid: Some(live.uid.clone()), adopted: !lent, lent, ..pending() };
    planned.entries.insert(one.id.clone(), entry);
    Some(Action::Adopt)
}

fn unread<'c>(id: &ObjectId, cluster: &'c Cluster) -> Option<&'c str> {
    cluster.unread.get(&(id.group.to_string(), id.kind.to_string())).map(String::as_str)
}

/// What Kubernetes makes in each Namespace before anybody can.
fn is_made_by_kubernetes(id: &ObjectId) -> bool {
    id.is("", "ServiceAccount") && &*id.name == "default"
}

/// Whether an object's Namespace is one that we made.
fn is_in_ours(id: &ObjectId, planned: &Plan, cluster: &Cluster) -> bool {
    let Some(namespace) = &id.namespace else { return false };
    let namespace =
        ObjectId { group: "".into(), kind: "Namespace".into(), namespace: None, name: Arc::clone(namespace) };
    let entry = planned.entries.get(&namespace);
    let live = cluster.objects.get(&namespace);
    match (entry, live) {
        (Some(Entry { uid: Some(uid), .. }), Some(live)) => *uid == live.uid,
        (Some(_), None) => true,
        _ => false,
    }
}

/// What of the inventory git no longer holds.
fn removals(wanted: &[Wanted], shard: &Shard, cluster: &Cluster, context: &Context<'_>, planned: &mut Plan) {
    let wants: BTreeSet<&ObjectId> = wanted.iter().map(|one| &one.id).collect();
    let gone: Vec<(&ObjectId, &Entry)> = shard.entries.iter().filter(|(id, _)| !wants.contains(id)).collect();
    // Namespaces that go, so that what they hold goes with them.
    let mut leaving: BTreeSet<Arc<str>> = BTreeSet::new();
    // Namespaces that stay although git does not hold them: what shields what runs in them stays, too.
    let mut staying: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut namespaces_left = false;
    let (namespaces, others): (Vec<_>, Vec<_>) = gone.into_iter().partition(|(id, _)| id.is_namespace());
    for (id, entry) in namespaces.into_iter().chain(others) {
        if unread(id, cluster).is_some() {
            // Unknown is not gone.
            if id.is_namespace() {
                namespaces_left = true;
                staying.insert(Arc::clone(&id.name));
            }
            continue;
        }
        let Some(live) = cluster.objects.get(id) else {
            planned.entries.remove(id);
            continue;
        };
        if !entry.is_of(live) {
            planned.entries.remove(id);
            continue;
        }
        planned.paused |= id.kind == "Tenant" && live.paused;
        if let Some(kept) = planned.entries.get_mut(id) {
            kept.uid = Some(live.uid.clone());
        }
        if let Some(reason) = gates::never_deleted(id, entry, live) {
            planned.left.push((id.clone(), reason));
            planned.entries.remove(id);
            continue;
        }
        let held = id.namespace.as_ref().filter(|name| staying.contains(*name) && !grants::is_binding(id));
        let stays = stays(id, entry, live, context, namespaces_left)
            .or_else(|| held.map(|name| Reason::Namespace(Arc::clone(name))));
        if id.is_namespace() {
            namespaces_left = true;
            let goes = stays.is_none() || live.deleting;
            if goes { &mut leaving } else { &mut staying }.insert(Arc::clone(&id.name));
        }
        planned.removals.push(Removal {
            id: id.clone(),
            api_version: Arc::clone(&entry.api_version),
            uid: live.uid.clone(),
            resource_version: live.resource_version.clone(),
            stays,
            lent: entry.lent,
            revokes: grants::opens(id),
            with_namespace: id.namespace.as_ref().is_some_and(|namespace| leaving.contains(namespace)),
        });
    }
    // Against the order in which they came; a Tenant, which people look at, after its Namespaces.
    let place = |id: &ObjectId| match Stage::of(id) {
        _ if id.kind == "Tenant" => 2,
        Stage::Namespaces => 1,
        _ => 0,
    };
    planned.removals.sort_by(|a, b| {
        let later = |r: &Removal| (place(&r.id), std::cmp::Reverse(Stage::of(&r.id)));
        later(a).cmp(&later(b)).then_with(|| a.id.cmp(&b.id))
    });
}

fn stays(id: &ObjectId, entry: &Entry, live: &Live, context: &Context<'_>, namespaces_left: bool) -> Option<Reason> {
    if live.deleting {
        return Some(Reason::Deleting(live.finalizers.clone()));
    }
    if !context.deletes {
        return Some(Reason::Unpinned);
    }
    if context.rebuilding {
        return Some(Reason::Rebuilding);
    }
    if context.inside && &*id.name == OWN {
        return Some(Reason::Own);
    }
    if id.is_namespace() {
        return (!(entry.retired && live.retired)).then_some(Reason::NotRetired);
    }
    (id.kind == "Tenant" && namespaces_left).then_some(Reason::NamespacesLeft)
}
