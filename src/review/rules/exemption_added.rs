//! R502: somebody is let off a policy.

use std::collections::BTreeMap;

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::plan::admission::ExemptionPlan;
use crate::plan::{NamespacePlan, Plan, TenantPlan};
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
    let old = before.tenants.iter().flat_map(|tenant| tenant.namespaces.iter().map(move |n| (&*n.name, (tenant, n))));
    let old: BTreeMap<&str, (&TenantPlan, &NamespacePlan)> = old.collect();
    for tenant in &after.tenants {
        for namespace in &tenant.namespaces {
            let was = old.get(&*namespace.name);
            let had = was.map(|(tenant, namespace)| let_off(before, tenant, namespace)).unwrap_or_default();
            for (policy, entry) in let_off(after, tenant, namespace) {
                let is_named = !entry.tenants.is_empty() || !entry.namespaces.is_empty();
                let message = match had.get(policy) {
                    Some(old) if old.expires.value >= entry.expires.value => continue,
                    Some(_) => format!("pods are let off policy `{policy}` for longer"),
                    // What all of a tier have was looked at with the tier.
                    None if was.is_none() && !is_named => continue,
                    None => format!("pods are let off policy `{policy}`"),
                };
                let line = |entry: &ExemptionPlan| format!("until {}: {}", entry.expires, entry.why);
                let sides = (had.get(policy).map(|old| line(old)), line(entry));
                let told = Told::new(&RULE, message).sides(sides.0.into_iter().collect(), vec![sides.1]);
                found.add(told.tenant(Some(&tenant.name)).namespace(&namespace.name).at(entry.at.clone()));
            }
        }
    }
}

/// What a namespace is let off: by policy, the entry that holds longest.
fn let_off<'p>(
    plan: &'p Plan,
    tenant: &TenantPlan,
    namespace: &'p NamespacePlan,
) -> BTreeMap<&'p str, &'p ExemptionPlan> {
    let mut all: BTreeMap<&str, &ExemptionPlan> = BTreeMap::new();
    let entries = plan.platform.admission.exemptions.iter().chain(&namespace.tier.exemptions);
    for entry in entries.filter(|entry| entry.holds_for(&tenant.name, &namespace.name)) {
        for policy in &entry.policies {
            let longest = all.entry(policy).or_insert(entry);
            if longest.expires.value < entry.expires.value {
                *longest = entry;
            }
        }
    }
    all
}
