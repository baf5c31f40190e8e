//! R204: somebody may do less than before.

use super::{Check, Rule, rights_gained};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
use crate::review::rights;
use crate::review::unit::Unit;
use crate::review::{Change, Side};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R204",
    name: "rights-lost",
    title: "rights lost",
    class: Class::People,
    severity: Severity::Notice,
    why: "Nothing is weakened, and somebody may not be able to do his work.",
    example: "An address is taken out of `admins`.",
    approvable: true,
    check: Check::Unit(check),
};

fn check(unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if unit.is_gone() || unit.is_new() {
        return;
    }
    let [before, after] = [Side::Before, Side::After].map(|side| unit.grants(side));
    for subject in before.bound.keys() {
        let lost = before.gained(after, subject);
        if lost.is_empty() {
            continue;
        }
        let told = unit
            .tell(
                &RULE,
                format!("{} loses rights of {}", subject.text(), before.roles_gained(after, subject).join(", ")),
            )
            .sides(rights::lines(&lost), Vec::new());
        found.add(rights_gained::with_bindings(told, subject, unit, change));
    }
}
