//! R406: what all quotas together promise, against what the cluster has.

use super::{Check, Rule};
use crate::contract::review::{Class, Resource};
use crate::plan::Plan;
use crate::review::Change;
use crate::review::finding::{Findings, Severity, Told};
use crate::review::moves::Move;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R406",
    name: "capacity-exceeded",
    title: "capacity",
    class: Class::Quota,
    severity: Severity::Warning,
    why: "Where quotas promise more than there is, tenants find out on the day on which all of them want it.",
    example: "A tier of 300 tenants gets twice the memory; the Platform states `review.capacity`.",
    approvable: true,
    check: Check::Change(check),
};

fn check(change: &Change<'_>, found: &mut Findings) {
    let [before, Some(after)] = change.plans else { return };
    let review = &after.platform.review;
    for (resource, (capacity, at)) in &review.capacity {
        let is = promised(after, *resource);
        let was = before.map_or(is, |plan| promised(plan, *resource));
        let old = before.and_then(|plan| plan.platform.review.capacity.get(resource)).map(|(capacity, _)| capacity);
        if is == was && old.is_none_or(|old| old == capacity) {
            continue;
        }
        let name = resource.keys().0;
        let percent = if capacity.is_zero() { 0 } else { is.saturating_mul(100) / capacity.nanos() };
        let [was, is] = [was, is].map(|nanos| capacity.with_nanos(nanos));
        let message = format!(
            "all quotas together promise {}, {percent} % of the {capacity} there are",
            Move::new(name, &was, &is)
        );
        // A promise that shrinks is no news to be refused, however large it still is.
        let exceeds = is > *capacity && (is > was || old.is_some_and(|old| capacity < old));
        let severity = if exceeds { RULE.severity } else { Severity::Notice };
        let origin = change.edits.nearest(at).unwrap_or_else(|| at.clone());
        found.add(Told::new(&RULE, message).severity(severity).at(origin));
    }
}

/// The sum over all namespaces, in thousand-millionths. A retired namespace is promised nothing.
fn promised(plan: &Plan, resource: Resource) -> i128 {
    let namespaces = plan.tenants.iter().flat_map(|tenant| &tenant.namespaces);
    let living = namespaces.filter(|namespace| namespace.state != crate::contract::tenant::State::Retired);
    let each = living.filter_map(|namespace| namespace.hard.get(resource.keys().1));
    each.fold(0, |sum: i128, (quantity, _)| sum.saturating_add(quantity.nanos()))
}
