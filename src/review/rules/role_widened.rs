//! R202: a role gives more, and nobody has it yet.

use super::{Check, Rule, rights_gained};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
use crate::review::rights;
use crate::review::unit::{RBAC, Unit};
use crate::review::{Change, Side};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R202",
    name: "role-widened",
    title: "role widened",
    class: Class::Rights,
    severity: Severity::Error,
    why: "Whoever is bound to it with a later change gets rights that no review has seen come.",
    example: "One more custom resource in `roles.viewer.extraRules`, for a tenant that has no viewers.",
    approvable: true,
    check: Check::Unit(check),
};

fn check(unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if unit.is_gone() || unit.is_new() {
        return;
    }
    let [before, after] = [Side::Before, Side::After].map(|side| unit.grants(side));
    if unit.name.is_empty() {
        aggregated(unit, change, found);
    }
    let told_of: Vec<_> = rights_gained::gains(unit).into_iter().map(|(_, gained)| gained).collect();
    let told_of: Vec<&rights::Rights> = told_of.iter().collect();
    for pair in unit.pairs.iter().filter(|pair| pair.id.group == RBAC) {
        let Some(role) = after.roles.get(&*pair.id.name).filter(|_| pair.id.kind.ends_with("Role")) else { continue };
        let gave: Vec<&rights::Rights> = before.roles.get(&*pair.id.name).map(|rights| &**rights).into_iter().collect();
        let new = rights::beyond(&rights::beyond(role, &gave), &told_of);
        if new.is_empty() {
            continue;
        }
        let lines = rights::lines(&new);
        let what = rights::summed(&lines);
        let told = unit.tell_of(&RULE, format!("a role that nobody has may now: {what}"), pair, "/rules", change);
        found.add(told.sides(Vec::new(), lines));
    }
}

/// Kubernetes' own ClusterRoles collect the rules of others that carry a label, and are bound in many namespaces.
///
/// Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles>
const AGGREGATES: &str = "rbac.authorization.k8s.io/aggregate-to-";

fn aggregated(unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    for pair in unit.pairs.iter().filter(|pair| pair.id.is(RBAC, "ClusterRole")) {
        let given = |side| -> std::collections::BTreeMap<String, rights::Rights> {
            let Some(manifest) = pair.side(side) else { return std::collections::BTreeMap::new() };
            let labels = manifest.value.pointer("/metadata/labels").and_then(serde_json::Value::as_object);
            let on = labels.into_iter().flatten().filter(|(_, value)| *value == "true");
            let targets = on.filter_map(|(key, _)| key.strip_prefix(AGGREGATES));
            targets.map(|target| (target.to_owned(), rights::of_role(&manifest.value))).collect()
        };
        let before = given(Side::Before);
        for (target, rights) in given(Side::After) {
            let had: Vec<&rights::Rights> = before.get(&target).into_iter().collect();
            let new = rights::beyond(&rights, &had);
            if !new.is_empty() {
                let message = format!("whoever has ClusterRole `{target}` gets what `{}` gives", pair.id.name);
                let told = unit.tell_of(&RULE, message, pair, "/metadata/labels", change);
                found.add(told.sides(Vec::new(), rights::lines(&new)));
            }
        }
    }
}
