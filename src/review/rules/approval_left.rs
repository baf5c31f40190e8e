//! R804: an approval of an earlier change.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::Severity;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R804",
    name: "approval-left",
    title: "approval of an earlier change",
    class: Class::Review,
    severity: Severity::Notice,
    why: "An approval lets pass what comes in the same change, once; afterwards the entry may go.",
    example: "The entry that let last week's change pass is still there.",
    approvable: false,
    check: Check::Gate,
};
