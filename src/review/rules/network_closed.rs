//! R104: connections that were possible are not any more.

use super::opening::{moved_lines, summed, with_objects};
use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::Change;
use crate::review::finding::{Findings, Severity};
use crate::review::reach::Direction;
use crate::review::unit::Unit;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R104",
    name: "network-closed",
    title: "network closed",
    class: Class::Network,
    severity: Severity::Notice,
    why: "Nothing is weakened, and something that works today may stop to.",
    example: "A peer is taken out of `egress.allow`.",
    approvable: true,
    check: Check::Unit(check),
};

fn check(unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if unit.is_new() || unit.is_gone() {
        return;
    }
    for (direction, verb) in
        [(Direction::Ingress, "are not reached any more by"), (Direction::Egress, "do not connect any more to")]
    {
        let shift = unit.shift(direction);
        if shift.lost.is_empty() {
            continue;
        }
        let [before, after] = moved_lines(unit, direction);
        let told =
            unit.tell(&RULE, format!("pods {verb} {}", summed(&shift.lost, shift.addresses[1]))).sides(before, after);
        found.add(with_objects(told, unit, direction, change));
    }
}
