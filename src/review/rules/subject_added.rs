//! R203: somebody gets rights that others had already.

use super::{Check, Rule, rights_gained};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
use crate::review::rights;
use crate::review::unit::Unit;
use crate::review::{Change, Side};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R203",
    name: "subject-added",
    title: "person added",
    class: Class::People,
    severity: Severity::Warning,
    why: "Who comes to a role gets all that it gives; whether the person is right only people can say.",
    example: "One more address below `admins`.",
    approvable: true,
    check: Check::Unit(check),
};

fn check(unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if unit.is_gone() || unit.is_new() {
        return;
    }
    for (subject, gained) in rights_gained::gains(unit) {
        let (_, known) = rights_gained::split(unit, &subject, &gained, change);
        if known.is_empty() {
            continue;
        }
        let [before, after] = [Side::Before, Side::After].map(|side| unit.grants(side));
        let roles = after.roles_gained(before, &subject);
        let told = unit.tell(&RULE, format!("{} gets what others had: {}", subject.text(), roles.join(", ")));
        let told = told.sides(Vec::new(), rights::lines(&known));
        found.add(rights_gained::with_bindings(told, &subject, unit, change));
    }
}
