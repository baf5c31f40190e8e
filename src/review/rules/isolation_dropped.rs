//! R103: nothing isolates some pods of a namespace.

use super::opening::with_objects;
use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::Change;
use crate::review::Side;
use crate::review::finding::{Findings, Severity};
use crate::review::reach::{Direction, is_open, lines};
use crate::review::unit::Unit;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R103",
    name: "isolation-dropped",
    title: "isolation dropped",
    class: Class::Network,
    severity: Severity::Error,
    why: "Where no NetworkPolicy selects a pod, everybody reaches it and it reaches everybody.",
    example: "`tenant-isolation` is deleted, or a new namespace comes without a policy.",
    approvable: true,
    check: Check::Unit(check),
};

fn check(unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if unit.name.is_empty() || unit.is_gone() {
        return;
    }
    for (direction, what) in [(Direction::Ingress, "to"), (Direction::Egress, "from")] {
        // Where it is known which namespaces are tenants', the platform's own is not meant.
        let is_meant = change.plans[1].is_none() || unit.tenant().is_some();
        let bare = is_meant && unit.is_new() && is_open(&unit.network(Side::After), direction);
        if !bare && !unit.shift(direction).dropped {
            continue;
        }
        let message = if bare {
            format!("a new namespace isolates no connections {what} its pods")
        } else {
            format!("connections {what} some pods are not restricted any more")
        };
        let before = if bare { Vec::new() } else { lines(&unit.network(Side::Before), direction) };
        let told = unit.tell(&RULE, message).sides(before, lines(&unit.network(Side::After), direction));
        let mut told = with_objects(told, unit, direction, change);
        if let Some(pair) = unit.namespace().filter(|_| bare) {
            told = told.object(&pair.id).cause(pair.cause);
            if let Some(manifest) = pair.last() {
                told = told.at(change.edits.cause(manifest, "", change.plans[1]));
            }
        }
        found.add(told);
    }
}
