//! R504: what judged requests is deleted.

use super::webhook_weakened::GROUP;
use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;
use crate::review::{Change, Pair};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R504",
    name: "engine-dropped",
    title: "admission dropped",
    class: Class::Admission,
    severity: Severity::Error,
    why: "Nobody is asked any more about what it looked at.",
    example: "`admission.engines: []` in a Platform that had a webhook.",
    approvable: true,
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if pair.id.group == GROUP && pair.before.is_some() && pair.after.is_none() {
        let message = format!("{} `{}` is deleted", pair.id.kind, pair.id.name);
        found.add(unit.tell_of(&RULE, message, pair, "", change));
    }
}
