//! R902: something could not be compared.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::Change;
use crate::review::finding::{Findings, Severity, Told};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R902",
    name: "not-compared",
    title: "not compared",
    class: Class::Unknown,
    severity: Severity::Error,
    why: "What could not be read on one side may hide anything.",
    example: "The base's tenants/ does not render with this mtp, so that policies and exemptions cannot be compared.",
    approvable: true,
    check: Check::Change(check),
};

fn check(change: &Change<'_>, found: &mut Findings) {
    for why in &change.unknown {
        found.add(Told::new(&RULE, why.as_str()));
    }
}
