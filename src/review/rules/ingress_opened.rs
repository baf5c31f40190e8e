//! R102: pods may be reached by more than before.

use super::opening::opened;
use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::Severity;
use crate::review::reach::Direction;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R102",
    name: "ingress-opened",
    title: "ingress opened",
    class: Class::Network,
    severity: Severity::Error,
    why: "Whoever may open a connection to a tenant's pods may attack what listens there.",
    example: "`ingress.allow` with another tenant, or a further namespace in the Platform's `network.ingressFrom`.",
    approvable: true,
    check: Check::Unit(|unit, change, found| opened(&RULE, Direction::Ingress, unit, change, found)),
};
