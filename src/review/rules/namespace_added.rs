//! R702: a namespace comes.

use super::{Check, Rule, tenant_of};
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
    // With a tenant that comes, its namespaces do.
    let tenant_comes = change.plans[0].zip(pair.tenant()).is_some_and(|(plan, name)| tenant_of(plan, name).is_none());
    if !tenant_comes && pair.before.is_none() && pair.id.kind == "Namespace" && pair.id.group.is_empty() {
        found.add(unit.tell_of(&RULE, "a namespace comes", pair, "", change));
    }
}
