//! R803: an approval whose last day is over.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::Severity;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R803",
    name: "approval-over",
    title: "approval is over",
    class: Class::Review,
    severity: Severity::Warning,
    why: "After its last day an approval lets nothing pass; whoever answers for it says so again.",
    example: "`until: \"2026-01-31\"`, reviewed in March.",
    approvable: false,
    check: Check::Gate,
};
