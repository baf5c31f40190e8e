//! R402: a ceiling is higher.

use super::quota_dropped::{ceilings, moves, summed};
use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::Change;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R402",
    name: "quota-raised",
    title: "quota raised",
    class: Class::Quota,
    severity: Severity::Warning,
    why: "What one tenant may take, no other one gets; with the Platform's `review.capacity`, the sum is told too.",
    example: "`cpu: \"8\"` instead of `\"4\"` in a tier.",
    approvable: true,
    check: Check::Unit(check),
};

fn check(unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    tell(&RULE, true, unit, change, found);
}

/// Tells of ceilings that moved in one direction.
pub fn tell(rule: &'static Rule, up: bool, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if unit.is_gone() || unit.is_new() {
        return;
    }
    let Some(ceilings) = ceilings(unit) else { return };
    let (moves, pair) = (moves(&ceilings, up), ceilings.pair);
    let Some((first, _)) = moves.first() else { return };
    let pointer = format!("/spec/hard/{}", crate::objects::step(first));
    let split = |(key, how): &(String, String)| {
        let (was, is) = how.split_once(" → ").unwrap_or((how, ""));
        (format!("{key}: {was}"), format!("{key}: {is}"))
    };
    let (before, after) = moves.iter().map(split).unzip();
    found.add(unit.tell_of(rule, summed(&moves), pair, &pointer, change).sides(before, after));
}
