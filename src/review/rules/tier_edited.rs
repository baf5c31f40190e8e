//! R706: a tier changes for all who have it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::plan::TierPlan;
use crate::report::count;
use crate::review::Change;
use crate::review::finding::{Findings, Severity, Told};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R706",
    name: "tier-edited",
    title: "tier edited",
    class: Class::Tier,
    severity: Severity::Notice,
    why: "A line of a tier is a line of each of its tenants.",
    example: "Another `quota` in tenants/tiers/free.yaml.",
    approvable: true,
    check: Check::Change(check),
};

fn check(change: &Change<'_>, found: &mut Findings) {
    let [Some(_), Some(after)] = change.plans else { return };
    // How many have it: tenants, and namespaces.
    let mut fans: BTreeMap<&str, (usize, usize, &Arc<TierPlan>)> = BTreeMap::new();
    for tenant in &after.tenants {
        let mut seen: Vec<&str> = Vec::new();
        for namespace in &tenant.namespaces {
            let name = &*namespace.tier.name;
            let fan = fans.entry(name).or_insert((0, 0, &namespace.tier));
            fan.0 += usize::from(!seen.contains(&name));
            fan.1 += 1;
            seen.push(name);
        }
    }
    for (name, (tenants, namespaces, tier)) in fans {
        let at = tier.doc.at(tier.doc.content.metadata.name.span);
        let Some(at) = change.edits.nearest(&at) else { continue };
        let whom = format!("{}, {}", count(tenants, "tenant"), count(namespaces, "namespace"));
        found.add(Told::new(&RULE, format!("the file of tier `{name}` changes: {whom}")).at(at));
    }
}
