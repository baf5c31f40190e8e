//! R704: a tenant leaves.

use super::{Check, Rule};
use crate::contract::GROUP;
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;
use crate::review::{Change, Pair};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R704",
    name: "tenant-removed",
    title: "tenant removed",
    class: Class::Lifecycle,
    severity: Severity::Warning,
    why: "Its namespaces go with it: see what is said of each of them.",
    example: "The file of a retired tenant is deleted.",
    approvable: true,
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if pair.after.is_none() && pair.id.is(GROUP, "Tenant") {
        let told = unit.tell_of(&RULE, format!("tenant `{}` leaves", pair.id.name), pair, "", change);
        found.add(told.tenant(Some(&pair.id.name)));
    }
}
