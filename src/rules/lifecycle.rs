//! Rules about what leaves: a tenant's Namespace goes in two steps.

use super::{Check, Rule};

/// The rows.
pub const RULES: &[Rule] = &[Rule {
    id: "T801",
    title: "a Namespace would be removed",
    why: "Deleting a Namespace deletes everything in it, volumes too. A renamed tenant, a dropped entry and a lost file all \
              look alike; only what was rendered as retired before may go.",
    fix: "Set `state: retired`, render and merge; then take it out with a later change.",
    check: Check::Stage,
}];
