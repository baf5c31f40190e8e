//! R802: an approval that lets nothing pass.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::Severity;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R802",
    name: "approval-unused",
    title: "approval of nothing",
    class: Class::Review,
    severity: Severity::Warning,
    why: "It names a finding that this change does not have, or not for these tenants; the change was altered since, or there is a slip.",
    example: "The change that was approved opened one port; now it opens all.",
    approvable: false,
    check: Check::Gate,
};
