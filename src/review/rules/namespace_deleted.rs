//! R601: a Namespace goes, with everything in it.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::objects::meta;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;
use crate::review::{Change, Pair};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R601",
    name: "namespace-deleted",
    title: "namespace deleted",
    class: Class::Deletion,
    severity: Severity::Error,
    why: "Deleting a Namespace deletes all in it, volumes too. One that was retired with an earlier change may go; a new name is a deletion as well.",
    example: "Another `metadata.name` of a tenant, or its file is deleted while it is active.",
    approvable: true,
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    let (Some(before), None) = (&pair.before, &pair.after) else { return };
    if !pair.id.is_namespace() {
        return;
    }
    // The gate looks at what the base has: to retire and to remove in one change is one step.
    if before.label(meta::STATE) == Some("retired") {
        let told =
            unit.tell_of(&RULE, format!("the retired Namespace `{}` is deleted", pair.id.name), pair, "", change);
        found.add(told.severity(Severity::Notice));
    } else {
        let message = format!("Namespace `{}` is deleted with everything in it", pair.id.name);
        found.add(unit.tell_of(&RULE, message, pair, "", change));
    }
}
