//! What is refused, and who let what pass.
//!
//! A finding is refused if its class is, unless an approval that came with the same change names it and its tenants. The
//! classes are those of both sides together, so that a change cannot take away what would refuse it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::finding::{Decision, Finding, Findings, Severity, Told};
use super::rules::{APPROVAL_LEFT, APPROVAL_OVER, APPROVAL_UNUSED, REVIEW_LOOSENED};
use super::{Gate, approvals};
use crate::contract::review::Class;
use crate::plan::review::ApprovalPlan;
use crate::rules::admission::last_day;

/// The classes that are refused.
pub fn denies(gate: &Gate<'_>) -> BTreeSet<Class> {
    if let Some(deny) = &gate.deny {
        return deny.clone();
    }
    let stated: Vec<_> = gate.plans.iter().flatten().map(|plan| &plan.deny).collect();
    let usual = stated.is_empty() || gate.is_base_unknown;
    let usual = usual.then_some(Class::DENIED).into_iter().flatten();
    stated.into_iter().flatten().copied().chain(usual).collect()
}

/// Decides on each finding, and adds what is to be said of approvals.
pub fn judge(findings: &mut Vec<Finding>, denies: &BTreeSet<Class>, gate: &Gate<'_>) {
    let [old, all] = gate.plans.map(approvals);
    let is_left = |approval: &ApprovalPlan| {
        old.iter().any(|old| old.is_same(approval)) || gate.named_before.contains(&approval.finding)
    };
    let (left, new): (Vec<&ApprovalPlan>, Vec<&ApprovalPlan>) = all.iter().partition(|approval| is_left(approval));
    let is_over =
        |approval: &ApprovalPlan| gate.at.is_some_and(|at| last_day(&approval.until).is_none_or(|end| at >= end));
    let (over, valid): (Vec<&ApprovalPlan>, Vec<&ApprovalPlan>) = new.into_iter().partition(|a| is_over(a));
    let mut used: BTreeSet<usize> = BTreeSet::new();
    loosened(findings, gate);
    for finding in findings.iter_mut() {
        finding.is_approvable = finding.rule.approvable && gate.plans[1].is_some();
        decide(finding, denies, &valid, &mut used);
    }

    let mut more = Findings::default();
    for (index, approval) in valid.iter().enumerate() {
        if used.contains(&index) {
            continue;
        }
        let known = findings.iter().any(|finding| finding.id == approval.finding);
        let message = match known {
            true => format!("the approval of {} is needed for none of its tenants", approval.finding),
            false => format!("this change has no finding {}", approval.finding),
        };
        more.add(Told::new(&APPROVAL_UNUSED, message).at(approval.at.clone()).who(&approval.who));
    }
    for approval in over {
        let message = format!("the approval of {} was good until {}", approval.finding, approval.until);
        more.add(Told::new(&APPROVAL_OVER, message).at(approval.at.clone()).who(&approval.who));
    }
    for approval in left {
        let message = format!("the approval of {} is of an earlier change and may go", approval.finding);
        more.add(Told::new(&APPROVAL_LEFT, message).at(approval.at.clone()).who(&approval.who));
    }
    let mut more = more.into_findings();
    for finding in &mut more {
        decide(finding, denies, &[], &mut used);
    }
    findings.append(&mut more);
    findings.sort_by(|a, b| {
        let rank = |f: &Finding| match f.decision {
            Decision::Denied(_) => 0,
            Decision::Approved(_) | Decision::Noted => 1,
        };
        (rank(a), b.severity, a.rule.id, b.tenants.len(), &a.message, &a.id).cmp(&(
            rank(b),
            a.severity,
            b.rule.id,
            a.tenants.len(),
            &b.message,
            &b.id,
        ))
    });
}

/// Where nobody can tell what the earlier side refuses, less than the usual is a loosening.
fn loosened(findings: &mut Vec<Finding>, gate: &Gate<'_>) {
    let Some(after) = gate.plans[1].filter(|_| gate.is_base_unknown && gate.plans[0].is_none()) else { return };
    let lost: Vec<&str> =
        Class::DENIED.into_iter().filter(|class| !after.deny.contains(class)).map(Class::as_str).collect();
    if !lost.is_empty() {
        let message =
            format!("review.deny does not hold {}, and what the base's holds cannot be read", lost.join(", "));
        let mut more = Findings::default();
        more.add(Told::new(&REVIEW_LOOSENED, message).at(after.deny_at.clone()));
        findings.append(&mut more.into_findings());
    }
}

fn decide(finding: &mut Finding, denies: &BTreeSet<Class>, approvals: &[&ApprovalPlan], used: &mut BTreeSet<usize>) {
    let always = finding.rule.id == REVIEW_LOOSENED.id;
    if finding.severity == Severity::Notice || !(always || denies.contains(&finding.rule.class)) {
        return;
    }
    let mine = approvals.iter().enumerate().filter(|(_, approval)| approval.finding == finding.id);
    let mine: Vec<(usize, &ApprovalPlan)> = mine.map(|(index, approval)| (index, *approval)).collect();
    let mut missing: BTreeSet<Arc<str>> = finding.tenants.clone();
    let mut by = Vec::new();
    for (index, approval) in mine.iter().filter(|_| finding.is_approvable) {
        missing.retain(|tenant| !approval.holds_for(tenant));
        // A second one for the same tenants is one more who answers for it.
        if finding.tenants.is_empty() || finding.tenants.iter().any(|tenant| approval.holds_for(tenant)) {
            used.insert(*index);
            by.push((*approval).clone());
        }
    }
    finding.decision =
        if by.is_empty() || !missing.is_empty() { Decision::Denied(missing) } else { Decision::Approved(by) };
}
