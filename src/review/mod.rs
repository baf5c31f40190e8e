//! What a change of manifests means for tenants: `review` takes two sides and gives findings and grouped differences.
//!
//! The sides are values, whoever made them: `rendered/` of a revision, a render, a folder of manifests. Nothing is guessed
//! from text where it can be computed: rights by what bindings give ([`rights`]), openings by what policies let through
//! ([`reach`]), quantities by value.

pub mod compare;
pub mod edits;
pub mod finding;
pub mod gate;
pub mod group;
pub mod lists;
pub mod manifest;
pub mod map;
pub mod mask;
pub mod moves;
pub mod names;
pub mod reach;
pub mod rename;
pub mod rights;
pub mod rules;
pub mod sides;
pub mod unit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use time::OffsetDateTime;

use crate::contract::review::Class;
use crate::plan::Plan;
use crate::plan::review::{ApprovalPlan, ReviewPlan};
use crate::rendered::ObjectId;
use edits::Edits;
pub use finding::{Decision, Severity};
use finding::{Finding, Findings};
use group::Group;
pub use manifest::Manifest;
use unit::{ClusterRights, Unit};

/// What brought a difference about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A change of what people write.
    Author,
    /// What was committed is not what this mtp renders from the same input: another version of it rendered, or a person did.
    Tool,
    /// Both.
    Both,
}

/// An object that is not the same on both sides.
#[derive(Debug)]
pub struct Pair {
    /// Which object.
    pub id: ObjectId,
    /// What it was; `None`: it was not there.
    pub before: Option<Manifest>,
    /// What it is; `None`: it is not there.
    pub after: Option<Manifest>,
    /// What brought it about.
    pub cause: Cause,
}

/// Two sides, as far as they differ and as far as that is needed to tell what it means.
#[derive(Default)]
pub struct Change<'a> {
    /// What differs, in the order of the objects' ids.
    pub pairs: Vec<Pair>,
    /// Objects that are the same on both sides and have a part in what others mean: NetworkPolicies, rights, Namespaces.
    pub same: Vec<Manifest>,
    /// What each side was rendered from, where that is known.
    pub plans: [Option<&'a Plan>; 2],
    /// What was changed in `tenants/`.
    pub edits: Edits,
    /// What could not be compared, and why; each is a finding.
    pub unknown: Vec<String>,
}

/// What is refused, and when it is.
#[derive(Debug, Default)]
pub struct Gate<'a> {
    /// Classes that are refused, where the command line says so instead of the Platform.
    pub deny: Option<BTreeSet<Class>>,
    /// What the Platforms of both sides say.
    pub plans: [Option<&'a ReviewPlan>; 2],
    /// Whether there is an earlier side that could not be read: nobody can tell what it refuses.
    pub is_base_unknown: bool,
    /// Ids of findings that the text of such a side names: an approval of them may have been there.
    pub named_before: BTreeSet<String>,
    /// The time at which approvals are judged.
    pub at: Option<OffsetDateTime>,
}

/// What a change means.
#[derive(Debug)]
pub struct Review {
    /// What was found: denied first, then by severity, rule and how many it concerns.
    pub findings: Vec<Finding>,
    /// What differs, identical changes once.
    pub groups: Vec<Group>,
    /// Classes that are refused.
    pub denies: BTreeSet<Class>,
    /// How many objects are new, changed, gone, and how many differ by the tool alone.
    pub counts: Counts,
}

/// How many.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Objects that are new.
    pub added: usize,
    /// Objects that differ.
    pub changed: usize,
    /// Objects that are gone.
    pub removed: usize,
    /// Of these, objects that no change of an author explains.
    pub by_tool: usize,
    /// Tenants with such objects.
    pub tenants_changed: usize,
    /// Tenants there are, on either side.
    pub tenants: usize,
}

/// The two sides of a change, as an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// What was.
    Before = 0,
    /// What is.
    After = 1,
}

impl Pair {
    /// The object on one side.
    pub fn side(&self, side: Side) -> Option<&Manifest> {
        match side {
            Side::Before => self.before.as_ref(),
            Side::After => self.after.as_ref(),
        }
    }

    /// The object as it is, or as it was last.
    pub fn last(&self) -> Option<&Manifest> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// The tenant that it belongs to.
    pub fn tenant(&self) -> Option<&str> {
        self.last().and_then(Manifest::tenant)
    }
}

/// The namespace that an object stands in, or that it is; empty for everything else.
pub fn home(id: &ObjectId) -> Arc<str> {
    match &id.namespace {
        Some(namespace) => Arc::clone(namespace),
        None if id.is_namespace() => Arc::clone(&id.name),
        None => Arc::from(""),
    }
}

/// Says what a change means, and what of it is refused. `authored` is the change that authors made, where the earlier side is
/// not what its input renders to: what somebody weakens is told even if the earlier side had it by other ways.
pub fn review(change: &Change<'_>, authored: Option<&Change<'_>>, gate: &Gate<'_>) -> Review {
    let denies = gate::denies(gate);
    let mut findings = found(change);
    let known: BTreeSet<String> = findings.iter().map(|finding| finding.id.clone()).collect();
    let more = authored.map(found).unwrap_or_default();
    findings.extend(more.into_iter().filter(|finding| !known.contains(&finding.id)));
    gate::judge(&mut findings, &denies, gate);
    let groups = group::groups(change);
    // An old approval is no change, and no reason to write a comment on one.
    if groups.is_empty() && findings.iter().all(|finding| finding.rule.id == rules::APPROVAL_LEFT.id) {
        findings.clear();
    }
    Review { groups, counts: counts(change), findings, denies }
}

/// All that the rules find.
fn found(change: &Change<'_>) -> Vec<Finding> {
    let cluster = ClusterRights::of(change);
    let mut units: BTreeMap<Arc<str>, (Vec<&Pair>, Vec<&Manifest>)> = BTreeMap::new();
    for pair in &change.pairs {
        units.entry(home(&pair.id)).or_default().0.push(pair);
    }
    for manifest in &change.same {
        let binds = || manifest.value.pointer("/roleRef/kind").is_some_and(|kind| kind == "ClusterRole");
        if !cluster.changed.is_empty() && manifest.id.kind == "RoleBinding" && binds() {
            units.entry(home(&manifest.id)).or_default();
        }
    }
    for manifest in &change.same {
        if let Some(unit) = units.get_mut(&home(&manifest.id)) {
            unit.1.push(manifest);
        }
    }
    // What is found is merged where it is found, so that memory is what is told and not how many it concerns.
    let mut all = units
        .into_iter()
        .collect::<Vec<_>>()
        .into_par_iter()
        .fold(Findings::default, |mut found, (name, (pairs, same))| {
            rules::of_unit(&Unit::new(name, pairs, same, &cluster), change, &mut found);
            found
        })
        .reduce(Findings::default, |mut all, more| {
            all.merge(more);
            all
        });
    rules::of_change(change, &mut all);
    all.into_findings()
}

fn counts(change: &Change<'_>) -> Counts {
    let mut counts = Counts::default();
    let mut tenants: BTreeSet<&str> = BTreeSet::new();
    let all = change.plans.iter().flatten().flat_map(|plan| &plan.tenants);
    let mut known: BTreeSet<&str> = all.map(|tenant| &*tenant.name).collect();
    for pair in &change.pairs {
        match (&pair.before, &pair.after) {
            (None, _) => counts.added += 1,
            (Some(_), None) => counts.removed += 1,
            (Some(_), Some(_)) => counts.changed += 1,
        }
        counts.by_tool += usize::from(pair.cause == Cause::Tool);
        tenants.extend(pair.tenant());
    }
    counts.tenants_changed = tenants.len();
    known.append(&mut tenants);
    counts.tenants = known.len();
    counts
}

impl Review {
    /// Findings that are refused.
    pub fn denied(&self) -> usize {
        self.findings.iter().filter(|f| matches!(f.decision, Decision::Denied(_))).count()
    }

    /// Findings that would be refused and are let pass.
    pub fn approved(&self) -> usize {
        self.findings.iter().filter(|f| matches!(f.decision, Decision::Approved(_))).count()
    }

    /// Whether nothing differs, and nothing was found either.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.findings.is_empty()
    }
}

/// Approvals of one side.
pub fn approvals(plan: Option<&ReviewPlan>) -> &[ApprovalPlan] {
    plan.map_or(&[], |plan| &plan.approvals)
}
