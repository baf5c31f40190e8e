//! The shelf of review rules: what a change may do to tenants' isolation, rights and budgets, one file a rule.
//!
//! A row is a rule; `mtp explain ID` prints it, and each has a case under `tests/review/`.

mod admission_loosened;
mod approval_left;
mod approval_over;
mod approval_unused;
mod capacity_exceeded;
mod certificate_changed;
mod changed_by_tool;
mod deleted_with_content;
mod deployed_from;
mod egress_opened;
mod engine_dropped;
mod exemption_added;
mod ingress_opened;
mod isolation_dropped;
mod leeway_widened;
mod limit_dropped;
mod limits_changed;
mod list_widened;
mod namespace_added;
mod namespace_deleted;
mod namespace_handed_over;
mod namespace_selected;
mod namespace_unprotected;
mod network_closed;
mod not_compared;
mod opening;
mod pod_security_lowered;
mod pod_security_raised;
mod quota_dropped;
mod quota_lowered;
mod quota_raised;
mod replaced;
mod review_loosened;
mod rights_gained;
mod rights_lost;
mod role_widened;
mod service_exposed;
mod state_changed;
mod subject_added;
mod tenant_added;
mod tenant_removed;
mod tier_changed;
mod tier_edited;
mod token_mounted;
mod webhook_replaced;
mod webhook_weakened;

pub use approval_left::RULE as APPROVAL_LEFT;
pub use approval_over::RULE as APPROVAL_OVER;
pub use approval_unused::RULE as APPROVAL_UNUSED;
pub use review_loosened::RULE as REVIEW_LOOSENED;
pub use tenant_added::tenant as tenant_of;

use super::finding::{Findings, Severity};
use super::unit::Unit;
use super::{Change, Pair};
use crate::contract::review::Class;

/// One rule. Its id and name stand in reports and approvals and never change their meaning.
#[derive(Debug)]
pub struct Rule {
    /// `R` and three digits.
    pub id: &'static str,
    /// Its name, with which the ids of its findings begin.
    pub name: &'static str,
    /// What it finds, in a few words: `egress opened`.
    pub title: &'static str,
    /// What it is refused with.
    pub class: Class,
    /// How much its findings matter, where the rule does not say otherwise.
    pub severity: Severity,
    /// Why it matters; one or more sentences.
    pub why: &'static str,
    /// A change that it finds.
    pub example: &'static str,
    /// Whether an approval in the same change lifts it.
    pub approvable: bool,
    /// What finds it.
    pub check: Check,
}

/// What finds what a rule is about.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// A look at each namespace, and at what stands in none.
    Unit(fn(&Unit<'_>, &Change<'_>, &mut Findings)),
    /// A look at each object that differs.
    Pair(fn(&Pair, &Unit<'_>, &Change<'_>, &mut Findings)),
    /// A look at the change as a whole.
    Change(fn(&Change<'_>, &mut Findings)),
    /// The gate, which holds findings against approvals.
    Gate,
}

/// All rules, by id.
pub const RULES: &[&Rule] = &[
    &egress_opened::RULE,
    &ingress_opened::RULE,
    &isolation_dropped::RULE,
    &network_closed::RULE,
    &namespace_selected::RULE,
    &service_exposed::RULE,
    &rights_gained::RULE,
    &role_widened::RULE,
    &subject_added::RULE,
    &rights_lost::RULE,
    &token_mounted::RULE,
    &deployed_from::RULE,
    &pod_security_lowered::RULE,
    &pod_security_raised::RULE,
    &quota_dropped::RULE,
    &quota_raised::RULE,
    &quota_lowered::RULE,
    &limit_dropped::RULE,
    &limits_changed::RULE,
    &capacity_exceeded::RULE,
    &admission_loosened::RULE,
    &exemption_added::RULE,
    &webhook_weakened::RULE,
    &engine_dropped::RULE,
    &certificate_changed::RULE,
    &webhook_replaced::RULE,
    &list_widened::RULE,
    &namespace_deleted::RULE,
    &namespace_unprotected::RULE,
    &deleted_with_content::RULE,
    &replaced::RULE,
    &namespace_handed_over::RULE,
    &tenant_added::RULE,
    &namespace_added::RULE,
    &state_changed::RULE,
    &tenant_removed::RULE,
    &tier_changed::RULE,
    &tier_edited::RULE,
    &review_loosened::RULE,
    &approval_unused::RULE,
    &approval_over::RULE,
    &approval_left::RULE,
    &leeway_widened::RULE,
    &changed_by_tool::RULE,
    &not_compared::RULE,
];

/// The rule of that id or name.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id.eq_ignore_ascii_case(id) || rule.name == id)
}

/// Looks at a namespace with every rule.
pub fn of_unit(unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    for rule in RULES {
        match rule.check {
            Check::Unit(check) => check(unit, change, found),
            Check::Pair(check) => unit.pairs.iter().for_each(|pair| check(pair, unit, change, found)),
            Check::Change(_) | Check::Gate => {}
        }
    }
}

/// Looks at the whole.
pub fn of_change(change: &Change<'_>, found: &mut Findings) {
    for rule in RULES {
        if let Check::Change(check) = rule.check {
            check(change, found);
        }
    }
}
