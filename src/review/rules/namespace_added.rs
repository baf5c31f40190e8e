//! R702: a namespace comes.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::Change;
use crate::review::Pair;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R702",
    name: "namespace-added",
    title: "namespace added",
    class: Class::Lifecycle,
    severity: Severity::Notice,
    why: "Quotas are per namespace: one more of them is one more budget.",
    example: "One more entry below a tenant's `namespaces`.",
    approvable: true,
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if pair.before.is_none() && pair.id.kind == "Namespace" && pair.id.group.is_empty() {
        found.add(unit.tell_of(&RULE, "a namespace comes", pair, "", change));
    }
}
