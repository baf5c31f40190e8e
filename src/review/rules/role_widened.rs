//! R202: a role gives more, and nobody has it yet.

use super::{Check, Rule, rights_gained};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
use crate::review::rights;
use crate::review::unit::{RBAC, Unit};
use crate::review::{Change, Side};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R202",
    name: "role-widened",
    title: "role widened",
    class: Class::Rights,
    severity: Severity::Error,
    why: "Whoever is bound to it with a later change gets rights that no review has seen come.",
    example: "`secrets` among the resources of the viewers' `extraRules`, for a tenant that has no viewers.",
    approvable: true,
    check: Check::Unit(check),
};

fn check(unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if unit.is_gone() || unit.is_new() {
        return;
    }
    let [before, after] = [Side::Before, Side::After].map(|side| unit.grants(side));
    let known = before.known();
    let told_of: Vec<_> = rights_gained::gains(unit).into_iter().map(|(_, gained)| gained).collect();
    let told_of: Vec<&rights::Rights> = told_of.iter().collect();
    for pair in unit.pairs.iter().filter(|pair| pair.id.group == RBAC) {
        let Some(role) = after.roles.get(&*pair.id.name).filter(|_| pair.id.kind.ends_with("Role")) else { continue };
        if known.iter().any(|rights| std::ptr::eq(*rights, &raw const **role)) {
            continue;
        }
        let new = rights::beyond(&rights::beyond(role, &known), &told_of);
        if new.is_empty() {
            continue;
        }
        let lines = rights::lines(&new);
        let what = lines.first().cloned().unwrap_or_default();
        let more = if lines.len() > 1 { format!(" and {} more", lines.len() - 1) } else { String::new() };
        let told = unit.tell_of(&RULE, format!("a role that nobody has may now: {what}{more}"), pair, "/rules", change);
        found.add(told.sides(Vec::new(), lines));
    }
}
