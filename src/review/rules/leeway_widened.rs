//! R805: tenants may ask for more than before, in files that only they are asked about.

use std::collections::BTreeSet;

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::plan::Plan;
use crate::review::Change;
use crate::review::finding::{Findings, Severity, Told};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R805",
    name: "leeway-widened",
    title: "leeway widened",
    class: Class::Review,
    severity: Severity::Warning,
    why: "Nothing is opened by it today; a later change of a tenant's own file may use it.",
    example: "One more range in `network.allowedCidrs`, a higher `quotaMax` of a tier, one more kind in `templates.kinds`.",
    approvable: true,
    check: Check::Change(check),
};

fn check(change: &Change<'_>, found: &mut Findings) {
    let [Some(before), Some(after)] = change.plans else { return };
    let (was, is) = (leeway(before), leeway(after));
    let new: Vec<String> = is.difference(&was).cloned().collect();
    if new.is_empty() {
        return;
    }
    let platform = &after.platform.doc;
    let tiers = after.tiers.values().map(|tier| tier.doc.at(tier.doc.content.metadata.name.span));
    let places: Vec<_> = std::iter::once(platform.at(platform.content.metadata.name.span)).chain(tiers).collect();
    let told =
        Told::new(&RULE, format!("tenants may ask for more: {}", new.join("; "))).at(change.edits.first(&places));
    let old: Vec<String> = was.difference(&is).cloned().collect();
    found.add(told.sides(old, new));
}

/// What tenants may ask for, a line each.
fn leeway(plan: &Plan) -> BTreeSet<String> {
    let spec = &plan.platform.doc.content.spec;
    let mut all: BTreeSet<String> = spec.network.allowed_cidrs.iter().map(|net| format!("addresses {net}")).collect();
    all.extend(spec.templates.kinds.iter().map(|kind| format!("objects of kind {}.{}", kind.kind, kind.group)));
    all.extend(spec.tenant_metadata.labels.iter().map(|label| format!("label {label}")));
    for (name, tier) in &plan.tiers {
        all.extend(tier.max.iter().map(|(key, (limit, _))| format!("tier `{name}` up to {key} {limit}")));
        all.insert(format!("tier `{name}` up to {} namespaces", tier.namespaces));
    }
    all
}
