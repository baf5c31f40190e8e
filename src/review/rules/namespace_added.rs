//! R702: a namespace comes.

use super::{Check, Rule, tenant_of};
use crate::contract::review::Class;
use crate::plan::NamespacePlan;
use crate::review::Change;
use crate::review::Pair;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R702",
    name: "namespace-added",
    title: "namespace added",
    class: Class::Lifecycle,
    severity: Severity::Notice,
    why: "Quotas are per namespace: one more of them is one more budget.",
    example: "One more entry below a tenant's `namespaces`.",
    approvable: true,
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    // With a tenant that comes, its namespaces do.
    let tenant_comes = change.plans[0].zip(pair.tenant()).is_some_and(|(plan, name)| tenant_of(plan, name).is_none());
    if !tenant_comes && pair.before.is_none() && pair.id.is_namespace() {
        let told = unit.tell_of(&RULE, "a namespace comes", pair, "", change);
        let tenant = change.plans[1].zip(pair.tenant()).and_then(|(plan, name)| tenant_of(plan, name));
        let own = tenant.and_then(|tenant| tenant.namespaces.iter().find(|n| n.name == pair.id.name));
        found.add(told.sides(Vec::new(), own.map(gets).unwrap_or_default()));
    }
}

/// What it gets that a reviewer asks for first.
fn gets(namespace: &NamespacePlan) -> Vec<String> {
    let mut lines = vec![
        format!("tier: {}", namespace.tier.name),
        format!("pod security: {}", namespace.tier.pod_security.level.as_str()),
    ];
    lines.extend(namespace.internet.then(|| "reaches the internet".to_owned()));
    let hard = namespace.hard.iter().filter(|(key, _)| ["limits.cpu", "limits.memory", "pods"].contains(&key.as_str()));
    lines.extend(hard.map(|(key, (limit, _))| format!("{key}: {limit}")));
    lines
}
