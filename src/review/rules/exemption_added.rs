//! R502: somebody is let off a policy.

use super::admission_loosened::each_namespace;
use super::{Check, Rule};
use crate::contract::review::Class;
use crate::plan::Plan;
use crate::plan::admission::exempt;
use crate::review::Change;
use crate::review::finding::{Findings, Severity, Told};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R502",
    name: "exemption-added",
    title: "exemption added",
    class: Class::Admission,
    severity: Severity::Error,
    why: "Breaches of whoever is let off are noted in the audit log, and nobody is stopped.",
    example: "One more entry below `admission.exemptions`, or one with another tenant.",
    approvable: true,
    check: Check::Change(check),
};

fn check(change: &Change<'_>, found: &mut Findings) {
    let [Some(before), Some(after)] = change.plans else { return };
    let any = |plan: &Plan| {
        !plan.platform.admission.exemptions.is_empty() || plan.tiers.values().any(|tier| !tier.exemptions.is_empty())
    };
    if !any(after) {
        return;
    }
    each_namespace(before, after, |tenant, (was, is)| {
        let all = exempt(&after.platform.admission, &is.tier, &tenant.name, &is.name);
        if all.is_empty() {
            return;
        }
        let old = exempt(&before.platform.admission, &was.tier, &tenant.name, &was.name);
        for (policy, why) in all.iter().filter(|(policy, _)| !old.contains_key(*policy)) {
            let entries = after.platform.admission.exemptions.iter().chain(&is.tier.exemptions);
            let entry = entries.filter(|e| e.policies.contains(policy)).find(|e| e.holds_for(&tenant.name, &is.name));
            let told = Told::new(&RULE, format!("pods are let off policy `{policy}`"));
            let told = told.sides(Vec::new(), vec![why.clone()]).tenant(Some(&tenant.name)).namespace(&is.name);
            found.add(match entry {
                Some(entry) => told.at(entry.at.clone()),
                None => told,
            });
        }
    });
}
