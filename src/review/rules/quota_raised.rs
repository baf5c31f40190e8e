//! R402: a ceiling is higher.

use super::quota_dropped::ceilings;
use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::Change;
use crate::review::finding::{Findings, Severity};
use crate::review::moves::{Move, sides, summed};
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
    let moved = ceilings.before.iter().filter_map(|(key, was)| {
        let is = ceilings.after.get(key)?;
        let tells = if up { is > was } else { is < was };
        tells.then(|| Move::new(key, was, is))
    });
    let moves: Vec<Move> = moved.collect();
    let Some(first) = moves.first() else { return };
    let pointer = format!("/spec/hard/{}", crate::objects::step(&first.name));
    let (before, after) = sides(&moves);
    found.add(unit.tell_of(rule, summed(&moves), ceilings.pair, &pointer, change).sides(before, after));
}
