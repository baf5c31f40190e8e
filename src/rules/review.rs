//! Rules about what was let pass in a review.

use super::{Check, Rule};
use crate::diagnostic::Findings;
use crate::names::{is_dns_label, is_email};
use crate::plan::Plan;
use crate::plan::review::EVERY_TENANT;
use crate::rules::admission::last_day;

/// The rows.
pub const RULES: &[Rule] = &[Rule {
    id: "T606",
    title: "an approval that nobody answers for",
    why: "An approval without a person, a reason and an end lets pass what nobody remembers having looked at.",
    fix: "State an e-mail address as `who`, a `reason`, a day of the calendar as `until`, and names of tenants.",
    check: Check::Plan(answered),
}];

fn answered(plan: &Plan, findings: &mut Findings) {
    let doc = &plan.platform.doc;
    for approval in &doc.content.spec.review.approvals {
        if !is_email(&approval.who) {
            let about = format!("expected an e-mail address as `who`, found `{}`", approval.who);
            findings.error("T606", doc.at(approval.who.span), about);
        }
        if approval.reason.trim().is_empty() {
            findings.error("T606", doc.at(approval.reason.span), "expected a reason, found nothing");
        }
        if last_day(&approval.until).is_none() {
            let about = format!("expected a day of the calendar as `until`, found `{}`", approval.until);
            findings.error("T606", doc.at(approval.until.span), about);
        }
        for tenant in approval.tenants.iter().filter(|t| t.value != EVERY_TENANT && !is_dns_label(t)) {
            let about = format!("expected the name of a tenant, or `\"*\"`, found `{tenant}`");
            findings.error("T606", doc.at(tenant.span), about);
        }
    }
}
