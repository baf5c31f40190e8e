//! What stands between a mistake and a deletion.

use super::actions::Plan;
use super::inventory::Entry;
use super::live::Live;
use super::reason::Reason;
use crate::rendered::ObjectId;

/// Kinds that take with them what cannot be brought back.
const NEVER: &[(&str, &str)] = &[
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("", "PersistentVolumeClaim"),
    ("", "PersistentVolume"),
    ("apps", "StatefulSet"),
];

/// Why an object is let go of instead of deleted, whatever git holds; `None`: it may be deleted.
pub fn never_deleted(id: &ObjectId, entry: &Entry, live: &Live) -> Option<Reason> {
    if live.controlled {
        return Some(Reason::Controlled);
    }
    if NEVER.contains(&(&*id.group, &*id.kind)) {
        return Some(Reason::NeverDeleted);
    }
    // One that was handed over leaves in two steps as well, and stays then.
    (id.is_namespace() && entry.adopted && entry.retired && live.retired).then_some(Reason::Adopted)
}

/// How many deletions of one pass are plausible: few, or a small part of what there is.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Always plausible.
    pub few: usize,
    /// Never plausible.
    pub many: usize,
    /// Between the two: at most this part of a hundred.
    pub percent: usize,
    /// What somebody allows this once.
    pub allowed: Option<usize>,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { few: 10, many: 100, percent: 10, allowed: None }
    }
}

impl Budget {
    /// Why that many deletions, out of `tracked` objects, are not plausible.
    pub fn refuses(&self, deletions: usize, tracked: usize) -> Option<String> {
        let limit = match self.allowed {
            Some(allowed) => allowed,
            None => (tracked * self.percent / 100).clamp(self.few, self.many),
        };
        (deletions > limit).then(|| {
            format!(
                "this pass would delete {deletions} of {tracked} objects, expected at most {limit}; to go on: --allow-deletions={deletions}"
            )
        })
    }
}

/// Holds back the deletions of all plans if there are too many of them. What takes rights or reach away, and what a
/// Namespace that was retired takes with it, is not counted and not held back.
pub fn budget(budget: &Budget, plans: &mut [Plan], tracked: usize) -> Option<String> {
    let counts =
        |r: &super::actions::Removal| r.stays.is_none() && !r.revokes && !r.with_namespace && !r.id.is_namespace();
    let deletions = plans.iter().flat_map(|plan| &plan.removals).filter(|r| counts(r)).count();
    // A Namespace has said so in an earlier commit; many of them at once are still not plausible.
    let namespaces = plans.iter().flat_map(|plan| &plan.removals).filter(|r| r.stays.is_none() && r.id.is_namespace());
    let why = budget.refuses(deletions + namespaces.count(), tracked)?;
    for removal in plans.iter_mut().flat_map(|plan| &mut plan.removals) {
        if removal.stays.is_none() && !removal.revokes {
            removal.stays = Some(Reason::Budget(why.clone()));
        }
    }
    Some(why)
}
