//! R506: another program decides on pods.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::Change;
use crate::review::finding::{Findings, Severity, Told};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R506",
    name: "webhook-replaced",
    title: "webhook replaced",
    class: Class::Admission,
    severity: Severity::Error,
    why: "The webhook admits or refuses every pod of every tenant, and changes them: whoever makes its image decides.",
    example: "Another digest in `admission.webhook.image`.",
    approvable: true,
    check: Check::Change(check),
};

fn check(change: &Change<'_>, found: &mut Findings) {
    let [Some(before), Some(after)] = change.plans else { return };
    let [before, after] = [before, after].map(|plan| plan.platform.admission.webhook.as_ref());
    let (Some(before), Some(after)) = (before, after) else { return };
    if before.image != after.image {
        let at = change.edits.nearest(&after.at).unwrap_or_else(|| after.at.clone());
        let told = Told::new(&RULE, "the webhook runs another image").at(at);
        found.add(told.sides(vec![before.image.clone()], vec![after.image.clone()]));
    }
}
