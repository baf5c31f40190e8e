//! R403: a ceiling is lower.

use super::{Check, Rule, quota_raised};
use crate::contract::review::Class;
use crate::review::finding::Severity;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R403",
    name: "quota-lowered",
    title: "quota lowered",
    class: Class::Quota,
    severity: Severity::Notice,
    why: "What runs goes on; what is above the ceiling may not start again.",
    example: "A tenant moves to a smaller tier.",
    approvable: true,
    check: Check::Unit(|unit, change, found| quota_raised::tell(&RULE, false, unit, change, found)),
};
