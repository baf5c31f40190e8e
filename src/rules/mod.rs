//! The shelf of input rules: what an author may not write, why, and how to put it right; one file a subject.
//!
//! A row is a rule. Its `check` looks at the plan; rules that are about reading or resolving a value are found by the
//! stage that does so, under the row's id. `mtp explain ID` prints a row, and each has a case under `tests/cases/`.

pub mod admission;
pub mod gitops;
pub mod lifecycle;
pub mod limits;
pub mod metadata;
pub mod names;
pub mod network;
pub mod people;
pub mod platform;
pub mod quota;
pub mod reading;
pub mod repositories;
pub mod review;
pub mod roles;
pub mod sync;
pub mod templates;

use rayon::prelude::*;

use crate::diagnostic::Findings;
use crate::plan::{Plan, TenantPlan, TierPlan};

/// One rule. Its id stands in every report and never changes its meaning; `mtp explain ID` prints the rest.
pub struct Rule {
    /// `T` and three digits.
    pub id: &'static str,
    /// What is refused, in a few words: `duplicate key`.
    pub title: &'static str,
    /// What would happen otherwise; one or more sentences.
    pub why: &'static str,
    /// How to put it right; one or more sentences.
    pub fix: &'static str,
    /// What finds it.
    pub check: Check,
}

/// What finds the breach of a rule.
#[derive(Clone, Copy)]
pub enum Check {
    /// The stage that reads, resolves or writes the value.
    Stage,
    /// A look at the whole plan.
    Plan(fn(&Plan, &mut Findings)),
    /// A look at each tier.
    Tier(fn(&Plan, &TierPlan, &mut Findings)),
    /// A look at each tenant.
    Tenant(fn(&Plan, &TenantPlan, &mut Findings)),
}

/// All rules, by id.
pub const RULES: &[&[Rule]] = &[
    reading::RULES,
    names::RULES,
    people::RULES,
    quota::RULES,
    network::RULES,
    metadata::RULES,
    platform::RULES,
    roles::RULES,
    review::RULES,
    gitops::RULES,
    sync::RULES,
    templates::RULES,
    lifecycle::RULES,
    admission::RULES,
];

/// Every rule.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().copied().flatten()
}

/// The rule of that id.
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id.eq_ignore_ascii_case(id))
}

/// Looks at a plan with every rule.
pub fn check(plan: &Plan, findings: &mut Findings) {
    for rule in all() {
        match rule.check {
            Check::Stage | Check::Tenant(_) => {}
            Check::Plan(check) => check(plan, findings),
            Check::Tier(check) => plan.tiers.values().for_each(|tier| check(plan, tier, findings)),
        }
    }
    let found: Vec<Findings> = plan
        .tenants
        .par_iter()
        .map(|tenant| {
            let mut findings = Findings::default();
            for rule in all() {
                if let Check::Tenant(check) = rule.check {
                    check(plan, tenant, &mut findings);
                }
            }
            findings
        })
        .collect();
    found.into_iter().for_each(|found| findings.merge(found));
}
