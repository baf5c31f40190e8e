//! R701: a tenant comes.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::contract::{GROUP, tenant::State};
use crate::plan::{Plan, TenantPlan, folder_order};
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;
use crate::review::{Change, Pair};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R701",
    name: "tenant-added",
    title: "tenant added",
    class: Class::Lifecycle,
    severity: Severity::Notice,
    why: "All that it gets is new; what its tier gives was reviewed with the tier.",
    example: "A new file below tenants/.",
    approvable: true,
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if pair.before.is_some() || !pair.id.is(GROUP, "Tenant") {
        return;
    }
    let plan = change.plans[1].and_then(|plan| tenant(plan, &pair.id.name));
    let tier = plan.map(|tenant| format!(" of tier `{}`", tenant.tier.name)).unwrap_or_default();
    let told = unit.tell_of(&RULE, format!("a tenant{tier} comes"), pair, "", change);
    found.add(told.sides(Vec::new(), plan.map(gets).unwrap_or_default()).tenant(Some(&pair.id.name)));
}

/// The tenant of that name.
pub fn tenant<'p>(plan: &'p Plan, name: &str) -> Option<&'p TenantPlan> {
    let index = plan.tenants.binary_search_by(|tenant| folder_order(&tenant.name, name)).ok()?;
    plan.tenants.get(index)
}

/// What a new tenant gets that a reviewer asks for first.
fn gets(tenant: &TenantPlan) -> Vec<String> {
    let living = tenant.namespaces.iter().filter(|n| n.state == State::Active);
    let mut lines = vec![format!("namespaces: {}", tenant.namespaces.len())];
    lines.push(format!("pod security: {}", tenant.tier.pod_security.level.as_str()));
    let internet = living.clone().filter(|n| n.internet).count();
    if internet > 0 {
        lines.push(format!("reaches the internet from {internet} of them"));
    }
    lines.extend((!tenant.egress.is_empty()).then(|| format!("egress.allow: {} entries", tenant.egress.len())));
    lines.extend((!tenant.ingress.is_empty()).then(|| format!("ingress.allow: {} entries", tenant.ingress.len())));
    lines.extend(tenant.api_server.then(|| "reaches the API server".to_owned()));
    lines
}
