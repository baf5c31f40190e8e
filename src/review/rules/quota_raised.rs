//! R402: a ceiling is higher.

use super::quota_dropped::{is_quota, moves, summed};
use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;
use crate::review::{Change, Pair};

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
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    tell(&RULE, true, pair, unit, change, found);
}

/// Tells of ceilings that moved in one direction.
pub fn tell(rule: &'static Rule, up: bool, pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if !is_quota(pair) || unit.is_gone() {
        return;
    }
    let moves = moves(pair, up);
    let Some((first, _)) = moves.first() else { return };
    let pointer = format!("/spec/hard/{}", crate::objects::step(first));
    let split = |(key, how): &(String, String)| {
        let (was, is) = how.split_once(" → ").unwrap_or((how, ""));
        (format!("{key}: {was}"), format!("{key}: {is}"))
    };
    let (before, after) = moves.iter().map(split).unzip();
    found.add(unit.tell_of(rule, summed(&moves), pair, &pointer, change).sides(before, after));
}
