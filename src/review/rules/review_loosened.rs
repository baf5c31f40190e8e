//! R801: less is refused than before.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::Change;
use crate::review::finding::{Findings, Severity, Told};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R801",
    name: "review-loosened",
    title: "review loosened",
    class: Class::Review,
    severity: Severity::Error,
    why: "Whoever may take a class out of `review.deny` could let anything pass. No approval in the same change lifts it: it is merged by whoever may merge against the review.",
    example: "`review.deny` without `network`.",
    approvable: false,
    check: Check::Change(check),
};

fn check(change: &Change<'_>, found: &mut Findings) {
    let [Some(before), Some(after)] = change.plans else { return };
    let [before, after] = [before, after].map(|plan| &plan.platform.review);
    let lost: Vec<&str> = before.deny.difference(&after.deny).map(|class| class.as_str()).collect();
    if lost.is_empty() {
        return;
    }
    let list = |classes: &std::collections::BTreeSet<Class>| classes.iter().map(|c| c.as_str().to_owned()).collect();
    let told = Told::new(&RULE, format!("review.deny does not hold {} any more", lost.join(", ")));
    let at = change.edits.nearest(&after.deny_at).unwrap_or_else(|| after.deny_at.clone());
    found.add(told.sides(list(&before.deny), list(&after.deny)).at(at));
}
