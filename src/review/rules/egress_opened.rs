//! R101: pods may connect to more than before.

use super::opening::opened;
use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::Severity;
use crate::review::reach::Direction;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R101",
    name: "egress-opened",
    title: "egress opened",
    class: Class::Network,
    severity: Severity::Error,
    why: "What a pod may connect to is where data leaves to, and where a stolen pod goes next.",
    example: "`egress.internet: true` in a tenant whose tier has none.",
    approvable: true,
    check: Check::Unit(|unit, change, found| opened(&RULE, Direction::Egress, unit, change, found)),
};
