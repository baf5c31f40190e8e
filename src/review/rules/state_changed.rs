//! R703: a namespace stops, leaves, or goes on.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::objects::meta;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;
use crate::review::{Change, Pair};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R703",
    name: "state-changed",
    title: "state changed",
    class: Class::Lifecycle,
    severity: Severity::Warning,
    why: "A namespace that is suspended or retired has its network closed; one that is retired may be deleted with the next change.",
    example: "`state: retired` in a tenant.",
    approvable: true,
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    let (Some(before), Some(after)) = (&pair.before, &pair.after) else { return };
    if !pair.id.is_namespace() {
        return;
    }
    let [was, is] = [before, after].map(|m| m.label(meta::STATE).unwrap_or("active").to_owned());
    if was != is {
        let severity = if is == "active" { Severity::Notice } else { RULE.severity };
        let told = unit.tell_of(&RULE, format!("a namespace is {is} instead of {was}"), pair, "", change);
        found.add(told.severity(severity).sides(vec![was], vec![is]));
    }
}
