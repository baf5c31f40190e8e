//! `ReviewPlan`: what a change may not do unless somebody answers for it, resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::contract::At;
use crate::contract::review::{Class, Resource, Review};
use crate::diagnostic::Findings;
use crate::place::{Place, Span};
use crate::plan::{Placed, quantity};

/// What is refused, and what was let pass.
#[derive(Debug)]
pub struct ReviewPlan {
    /// Classes of findings that are refused.
    pub deny: BTreeSet<Class>,
    /// Where that is written; the review as a whole where it is not.
    pub deny_at: Place,
    /// Findings that are let pass.
    pub approvals: Vec<ApprovalPlan>,
    /// What the cluster has to give.
    pub capacity: BTreeMap<Resource, Placed>,
}

/// A finding that is let pass.
#[derive(Debug, Clone)]
pub struct ApprovalPlan {
    /// The finding's id.
    pub finding: String,
    /// Names of tenants.
    pub tenants: BTreeSet<String>,
    /// Why it is right.
    pub reason: String,
    /// Who answers for it.
    pub who: String,
    /// The last day.
    pub until: At<String>,
    /// Where it is written.
    pub at: Place,
}

/// Stands for all tenants that a finding concerns.
pub const EVERY_TENANT: &str = "*";

impl ApprovalPlan {
    /// Whether both let the same pass, whoever wrote them where.
    pub fn is_same(&self, other: &ApprovalPlan) -> bool {
        let key = |a: &ApprovalPlan| (a.finding.clone(), a.tenants.clone(), a.reason.clone(), a.who.clone());
        key(self) == key(other) && self.until.value == other.until.value
    }

    /// Whether it is for that tenant.
    pub fn holds_for(&self, tenant: &str) -> bool {
        self.tenants.contains(EVERY_TENANT) || self.tenants.contains(tenant)
    }
}

/// Resolves the section of the Platform; `spec` is where the Platform stands.
pub fn resolve(review: &Review, file: &Arc<str>, spec: Span, findings: &mut Findings) -> ReviewPlan {
    let stated = review.deny.as_ref();
    let deny = stated.map_or_else(|| Class::DENIED.into(), |classes| classes.iter().map(|c| c.value).collect());
    let first = stated.and_then(|classes| classes.first()).map_or(spec, |class| class.span);
    let approvals = review.approvals.iter().map(|approval| ApprovalPlan {
        finding: approval.finding.value.clone(),
        tenants: approval.tenants.iter().map(|t| t.value.clone()).collect(),
        reason: approval.reason.value.clone(),
        who: approval.who.value.clone(),
        until: approval.until.clone(),
        at: Place::new(file, approval.span),
    });
    let approvals = approvals.collect();
    let capacity = review
        .capacity
        .iter()
        .filter_map(|(resource, amount)| Some((resource.value, quantity(resource.keys().0, amount, file, findings)?)));
    ReviewPlan { deny, deny_at: Place::new(file, first), approvals, capacity: capacity.collect() }
}
