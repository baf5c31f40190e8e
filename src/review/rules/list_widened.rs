//! R507: tenants may name more than before.

use std::collections::BTreeMap;

use super::admission_loosened::{candidates, each_namespace};
use super::{Check, Rule};
use crate::contract::admission::Mode;
use crate::contract::review::Class;
use crate::plan::TenantPlan;
use crate::policy::restrictions::{Allowed, RESTRICTIONS, Restriction};
use crate::review::Change;
use crate::review::finding::{Findings, Severity, Told};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R507",
    name: "list-widened",
    title: "list widened",
    class: Class::Admission,
    severity: Severity::Error,
    why: "Images of another registry run, names of other people are claimed, or whatever else the list kept out.",
    example: "`docker.io` in `admission.restrict.registries`, or the list gone.",
    approvable: true,
    check: Check::Change(check),
};

fn check(change: &Change<'_>, found: &mut Findings) {
    let [Some(before), Some(after)] = change.plans else { return };
    let old: BTreeMap<&str, &TenantPlan> = before.tenants.iter().map(|tenant| (&*tenant.name, tenant)).collect();
    each_namespace(before, after, |tenant, (was, is)| {
        let former = old.get(&*tenant.name).map(|former| was.tier.own_lists(&former.lists)).unwrap_or_default();
        let own = is.tier.own_lists(&tenant.lists);
        let [at_tenant, at_tier, at_platform] = candidates(after, tenant, is);
        let both = [(&was.tier.lists, &is.tier.lists, vec![at_tier, at_platform]), (&former, &own, vec![at_tenant])];
        for (restriction, (was, now, places)) in
            RESTRICTIONS.into_iter().flat_map(|r| both.iter().map(move |both| (r, both)))
        {
            let Some(old) = was.get(restriction.id) else { continue };
            let new = now.get(restriction.id);
            let Some(message) = widened(restriction, old, new) else { continue };
            let told = Told::new(&RULE, message).sides(sides(Some(old)), sides(new));
            let told = told.tenant(Some(&tenant.name)).namespace(&is.name);
            found.add(told.at(change.edits.first(places)));
        }
    });
}

/// What is wider, if anything is.
fn widened(restriction: &Restriction, old: &Allowed, new: Option<&Allowed>) -> Option<String> {
    let field = restriction.field;
    let Some(new) = new else { return Some(format!("`{field}` is no longer restricted")) };
    let more: Vec<String> = new
        .list
        .iter()
        .filter(|e| !old.list.contains(e) && !restriction.is_covered(&old.list, e))
        .map(|e| format!("`{e}`"))
        .collect();
    if !more.is_empty() {
        return Some(format!("`{field}` lets {}", more.join(", ")));
    }
    let lower = |mode: Mode| format!("`{field}` stands at {} instead of {}", mode.as_str(), old.mode.as_str());
    (new.mode < old.mode).then(|| lower(new.mode))
}

fn sides(allowed: Option<&Allowed>) -> Vec<String> {
    allowed.map(|allowed| format!("{} {:?}", allowed.mode.as_str(), allowed.list)).into_iter().collect()
}
