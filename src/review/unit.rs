//! `Unit`: a namespace and all in it that differs, or what stands in none; computed once, looked at by many rules.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::finding::Told;
use super::manifest::{self, Manifest};
use super::reach::{self, Direction, Policy, Shift};
use super::rights::{self, Bound, Rights, Subject};
use super::rules::Rule;
use super::{Cause, Change, Pair, Side};
use crate::objects::meta;
use crate::rendered::ObjectId;

/// A namespace, or with an empty name all that stands in none.
pub struct Unit<'c> {
    /// Its name.
    pub name: Arc<str>,
    /// What differs.
    pub pairs: Vec<&'c Pair>,
    same: Vec<&'c Manifest>,
    /// What holds everywhere.
    pub cluster: &'c ClusterRights,
    shifts: OnceCell<[Shift; 2]>,
    grants: OnceCell<[Grants; 2]>,
}

/// The groups of the kinds that rules look at.
pub const NETWORKING: &str = "networking.k8s.io";
/// Roles and bindings.
pub const RBAC: &str = "rbac.authorization.k8s.io";

impl<'c> Unit<'c> {
    /// A namespace with what differs in it, and what is the same and has a part in it.
    pub fn new(name: Arc<str>, pairs: Vec<&'c Pair>, same: Vec<&'c Manifest>, cluster: &'c ClusterRights) -> Self {
        Unit { name, pairs, same, cluster, shifts: OnceCell::new(), grants: OnceCell::new() }
    }

    /// The pairs of a kind.
    pub fn pairs_of<'u>(&'u self, group: &'u str, kind: &'u str) -> impl Iterator<Item = &'c Pair> + 'u {
        self.pairs.iter().copied().filter(move |pair| pair.id.is(group, kind))
    }

    /// All objects of a kind, on one side.
    pub fn all<'u>(&'u self, side: Side, group: &'u str, kind: &'u str) -> impl Iterator<Item = &'c Manifest> + 'u {
        let same = self.same.iter().copied().filter(move |m| m.id.is(group, kind));
        self.pairs_of(group, kind).filter_map(move |pair| pair.side(side)).chain(same)
    }

    /// The Namespace itself, where it differs.
    pub fn namespace(&self) -> Option<&'c Pair> {
        self.pairs_of("", "Namespace").next()
    }

    /// Whether the namespace came with the change: it is there now, and nothing of it was before. A Namespace that is stated
    /// for the first time may have been there all along, with policies and rights that count.
    pub fn is_new(&self) -> bool {
        let others = || self.pairs.iter().filter(|pair| pair.id.kind != "Namespace");
        self.namespace().is_some_and(|pair| pair.before.is_none())
            && others().all(|pair| pair.before.is_none())
            && self.same.is_empty()
    }

    /// Whether the namespace goes with the change.
    pub fn is_gone(&self) -> bool {
        self.namespace().is_some_and(|pair| pair.after.is_none())
    }

    /// The tenant that it belongs to.
    pub fn tenant(&self) -> Option<&'c str> {
        // What stands in no namespace may be of many.
        if self.name.is_empty() {
            return None;
        }
        self.pairs.iter().find_map(|pair| pair.tenant())
    }

    /// What brought the differences of some kinds about.
    pub fn cause(&self, group: &str, kinds: &[&str]) -> Cause {
        let of = self.pairs.iter().filter(|pair| pair.id.group == group && kinds.contains(&&*pair.id.kind));
        let causes: BTreeSet<Cause> = of.map(|pair| pair.cause).collect();
        match (causes.len(), causes.first()) {
            (1, Some(cause)) => *cause,
            (0, _) => Cause::Author,
            _ => Cause::Both,
        }
    }

    /// What is told of this namespace.
    pub fn tell(&self, rule: &'static Rule, message: impl Into<String>) -> Told {
        Told::new(rule, message).tenant(self.tenant()).namespace(&self.name)
    }

    /// What is told of an object of it, with the place that brought the value at a pointer about.
    pub fn tell_of(
        &self,
        rule: &'static Rule,
        message: impl Into<String>,
        pair: &Pair,
        pointer: &str,
        change: &Change<'_>,
    ) -> Told {
        let told = Told::new(rule, message).tenant(pair.tenant().or(self.tenant())).namespace(&self.name);
        let told = told.object(&pair.id).cause(pair.cause);
        match pair.last() {
            Some(manifest) => told.at(change.edits.cause(manifest, pointer, change.plans[1])),
            None => told,
        }
    }

    /// What changes for connections of its pods: to them, and from them.
    pub fn shift(&self, direction: Direction) -> &Shift {
        let shifts = self.shifts.get_or_init(|| {
            if self.pairs_of(NETWORKING, "NetworkPolicy").next().is_none() && self.namespace().is_none() {
                return <[Shift; 2]>::default();
            }
            let sides = [Side::Before, Side::After].map(|side| self.network(side));
            [Direction::Ingress, Direction::Egress].map(|direction| reach::shift(&sides[0], &sides[1], direction))
        });
        &shifts[direction as usize]
    }

    /// The policies of the namespace, on one side.
    pub fn network(&self, side: Side) -> reach::Side {
        let mut policies: Vec<Policy> =
            self.all(side, NETWORKING, "NetworkPolicy").filter_map(|m| Policy::read(&m.value)).collect();
        policies.sort();
        let mut labels = reach::selector::Labels::new();
        for manifest in self.all(side, "", "Namespace") {
            labels.extend(manifest::labels(&manifest.value));
        }
        labels.insert(meta::NAMESPACE_NAME.to_owned(), self.name.to_string());
        reach::Side { policies, labels }
    }

    /// Who may do what here, on one side.
    pub fn grants(&self, side: Side) -> &Grants {
        let grants = self.grants.get_or_init(|| {
            // A ClusterRole that changes is a change wherever it is bound.
            if self.cluster.changed.is_empty() && !self.pairs.iter().any(|pair| pair.id.group == RBAC) {
                return <[Grants; 2]>::default();
            }
            [Side::Before, Side::After].map(|side| self.read_grants(side))
        });
        &grants[side as usize]
    }

    fn read_grants(&self, side: Side) -> Grants {
        let cluster = &self.cluster.sides[side as usize];
        let mut grants = Grants::default();
        if self.name.is_empty() {
            grants.bound = cluster.bound.clone();
            grants.roles.extend(cluster.roles.iter().map(|(name, rights)| (name.clone(), Arc::clone(rights))));
            return grants;
        }
        let mut roles: BTreeMap<&str, Arc<Rights>> = BTreeMap::new();
        for role in self.all(side, RBAC, "Role") {
            roles.insert(&role.id.name, self.cluster.rights(role));
        }
        for binding in self.all(side, RBAC, "RoleBinding") {
            let Some(Bound { subjects, role: (kind, name) }) = rights::of_binding(&binding.value) else { continue };
            let rights = match kind.as_str() {
                "Role" => roles.get(name.as_str()).cloned(),
                // A ClusterRole that is not among the manifests is taken for what it is called.
                _ => Some(cluster.roles.get(&name).map_or_else(|| opaque(&name), Arc::clone)),
            };
            let Some(rights) = rights else { continue };
            let given = Given { role: format!("{kind} `{name}`").into(), rights };
            for subject in subjects {
                grants.bound.entry(subject).or_default().push(given.clone());
            }
        }
        grants.everywhere = cluster.bound.clone();
        grants.roles = roles.into_iter().map(|(name, rights)| (name.to_owned(), rights)).collect();
        grants
    }
}

fn opaque(name: &str) -> Arc<Rights> {
    Arc::new(Rights::from([rights::Right::Role(name.to_owned())]))
}

/// What a binding gives: the role, in words, and its rights.
#[derive(Debug, Clone)]
pub struct Given {
    /// `Role tenant-acme-admin`.
    pub role: Arc<str>,
    /// The rights.
    pub rights: Arc<Rights>,
}

/// Who may do what in a namespace, on one side.
#[derive(Debug, Default)]
pub struct Grants {
    /// By subject, what bindings give here.
    pub bound: BTreeMap<Subject, Vec<Given>>,
    /// By subject, what holds everywhere.
    pub everywhere: BTreeMap<Subject, Vec<Given>>,
    /// What the roles here would give, bound or not.
    pub roles: BTreeMap<String, Arc<Rights>>,
}

impl Grants {
    /// All that a subject may do here.
    pub fn of(&self, subject: &Subject) -> Vec<&Rights> {
        let here = self.bound.get(subject).into_iter().flatten();
        here.chain(self.everywhere.get(subject).into_iter().flatten()).map(|given| &*given.rights).collect()
    }

    /// What a subject gains here over `before`, by what bindings give here.
    pub fn gained(&self, before: &Grants, subject: &Subject) -> Rights {
        let had = before.of(subject);
        self.given(&had, subject).flat_map(|given| rights::beyond(&given.rights, &had)).collect()
    }

    /// The roles by which a subject gains something over `before`, in words.
    pub fn roles_gained(&self, before: &Grants, subject: &Subject) -> Vec<String> {
        let had = before.of(subject);
        let gaining = self.given(&had, subject).filter(|given| !rights::beyond(&given.rights, &had).is_empty());
        let mut roles: Vec<String> = gaining.map(|given| given.role.to_string()).collect();
        roles.sort();
        roles.dedup();
        roles
    }

    /// What a subject is given here that is not the very same as what it had, which would be covered by itself.
    pub fn given<'g>(&'g self, had: &'g [&Rights], subject: &Subject) -> impl Iterator<Item = &'g Given> {
        let all = self.bound.get(subject).into_iter().flatten();
        all.filter(|given| !had.iter().any(|had| std::ptr::eq(*had, &*given.rights)))
    }

    /// What a role gave here, bound or not; of a ClusterRole, only where it was bound.
    pub fn gave(&self, role: &str) -> Option<&Rights> {
        let own = role.strip_prefix("Role `").and_then(|rest| rest.strip_suffix('`'));
        if let Some(rights) = own.and_then(|name| self.roles.get(name)) {
            return Some(rights);
        }
        let bound = self.bound.values().chain(self.everywhere.values()).flatten();
        bound.filter(|given| *given.role == *role).map(|given| &*given.rights).next()
    }
}

/// What ClusterRoles and their bindings give, on both sides, and the rights of roles that were read already: in a fleet,
/// thousands of roles have the same rules.
pub struct ClusterRights {
    /// ClusterRoles that are not the same on both sides.
    pub changed: Vec<ObjectId>,
    sides: [ClusterSide; 2],
    read: Mutex<BTreeMap<String, Arc<Rights>>>,
}

#[derive(Default)]
struct ClusterSide {
    roles: BTreeMap<String, Arc<Rights>>,
    bound: BTreeMap<Subject, Vec<Given>>,
}

impl ClusterRights {
    /// Reads them.
    pub fn of(change: &Change<'_>) -> ClusterRights {
        let sides = [Side::Before, Side::After].map(|side| {
            let all = || {
                let pairs = change.pairs.iter().filter_map(move |pair| pair.side(side));
                pairs.chain(&change.same).filter(|m| m.id.group == RBAC && m.id.namespace.is_none())
            };
            let roles = all().filter(|m| m.id.kind == "ClusterRole").map(|m| (&*m.id.name, &m.value));
            let roles: BTreeMap<String, Arc<Rights>> =
                rights::cluster_roles(roles).into_iter().map(|(name, rights)| (name, Arc::new(rights))).collect();
            let mut bound: BTreeMap<Subject, Vec<Given>> = BTreeMap::new();
            for binding in all().filter(|m| m.id.kind == "ClusterRoleBinding") {
                let Some(Bound { subjects, role: (_, name) }) = rights::of_binding(&binding.value) else { continue };
                let rights = roles.get(&name).map_or_else(|| opaque(&name), Arc::clone);
                let given = Given { role: format!("ClusterRole `{name}`").into(), rights };
                for subject in subjects {
                    bound.entry(subject).or_default().push(given.clone());
                }
            }
            ClusterSide { roles, bound }
        });
        let changed = change.pairs.iter().map(|pair| &pair.id);
        let changed = changed.filter(|id| id.is(RBAC, "ClusterRole")).cloned().collect();
        ClusterRights { changed, sides, read: Mutex::new(BTreeMap::new()) }
    }

    fn rights(&self, role: &Manifest) -> Arc<Rights> {
        let key = role.value.get("rules").map(ToString::to_string).unwrap_or_default();
        let known = |read: &BTreeMap<String, Arc<Rights>>| read.get(&key).cloned();
        if let Some(rights) = self.read.lock().ok().and_then(|read| known(&read)) {
            return rights;
        }
        let rights = Arc::new(rights::of_role(&role.value));
        match self.read.lock() {
            Ok(mut read) => Arc::clone(read.entry(key).or_insert(rights)),
            // Another thread panicked, which ends the run anyway.
            Err(_) => rights,
        }
    }
}
