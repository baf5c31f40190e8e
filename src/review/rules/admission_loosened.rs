//! R501: a policy of pods stands lower.

use std::collections::BTreeMap;

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::place::Place;
use crate::plan::{NamespacePlan, Plan, TenantPlan};
use crate::policy::standing::Modes;
use crate::review::Change;
use crate::review::finding::{Findings, Severity, Told};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R501",
    name: "policy-loosened",
    title: "policy loosened",
    class: Class::Admission,
    severity: Severity::Error,
    why: "Pods that were refused are admitted, or are not even warned of.",
    example: "`admission.policies.read-only-root: warn` in a tier, instead of `deny`.",
    approvable: true,
    check: Check::Change(check),
};

fn check(change: &Change<'_>, found: &mut Findings) {
    let [Some(before), Some(after)] = change.plans else { return };
    let known = |a: &Modes, b: &Modes| a.iter().eq(b.iter());
    each_namespace(before, after, |tenant, (was, is)| {
        if known(&was.tier.modes, &is.tier.modes) {
            return;
        }
        let old: BTreeMap<_, _> = was.tier.modes.iter().collect();
        for (policy, mode) in is.tier.modes.iter() {
            let Some(was) = old.get(policy).filter(|was| **was > mode) else { continue };
            let message = format!("policy `{policy}` stands at {} instead of {}", mode.as_str(), was.as_str());
            let told = Told::new(&RULE, message).sides(vec![was.as_str().to_owned()], vec![mode.as_str().to_owned()]);
            let told = told.tenant(Some(&tenant.name)).namespace(&is.name);
            found.add(told.at(change.edits.first(&candidates(after, tenant, is))));
        }
    });
}

/// Calls `each` with every namespace that is on both sides.
pub fn each_namespace<'p>(
    before: &'p Plan,
    after: &'p Plan,
    mut each: impl FnMut(&'p TenantPlan, (&'p NamespacePlan, &'p NamespacePlan)),
) {
    let old = before.tenants.iter().flat_map(|t| &t.namespaces).map(|n| (&*n.name, n));
    let old: BTreeMap<&str, &NamespacePlan> = old.collect();
    for tenant in &after.tenants {
        for namespace in &tenant.namespaces {
            if let Some(was) = old.get(&*namespace.name) {
                each(tenant, (was, namespace));
            }
        }
    }
}

/// Where a change of what holds in a namespace may be written, the closest first.
pub fn candidates(plan: &Plan, tenant: &TenantPlan, namespace: &NamespacePlan) -> [Place; 3] {
    let tier = &namespace.tier.doc;
    let platform = &plan.platform.doc;
    [tenant.name_at(), tier.at(tier.content.metadata.name.span), platform.at(platform.content.metadata.name.span)]
}
