//! R201: somebody may do what nobody could before.

use std::collections::BTreeSet;

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::objects::role::is_guarded;
use crate::review::finding::{Findings, Severity, Told};
use crate::review::rights::{self, Right, Rights, Subject};
use crate::review::unit::{RBAC, Unit};
use crate::review::{Change, Manifest, Side};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R201",
    name: "rights-gained",
    title: "rights gained",
    class: Class::Rights,
    severity: Severity::Error,
    why: "A right that nobody had in a namespace is a new way through it; computed on what bindings give, not on their text.",
    example: "One more custom resource in `roles.viewer.extraRules`, or `secrets` in a Role of other people's manifests.",
    approvable: true,
    check: Check::Unit(check),
};

fn check(unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if unit.is_gone() {
        return;
    }
    for (subject, gained) in gains(unit) {
        let (new, _) = split(unit, &subject, &gained, change);
        if new.is_empty() {
            continue;
        }
        let lines = rights::lines(&new);
        let what = rights::summed(&lines);
        let scope = if unit.name.is_empty() { " in the whole cluster" } else { "" };
        // Everybody of a cluster is no person of a tenant: it is said in the message, so that an approval names it.
        let whom = if subject.is_everybody() || unit.name.is_empty() {
            subject.text()
        } else {
            "somebody who could not".to_owned()
        };
        let told = unit.tell(&RULE, format!("{whom} may{scope}: {what}")).sides(Vec::new(), lines);
        found.add(with_bindings(told, &subject, unit, change));
    }
}

/// What each subject gains here.
pub fn gains(unit: &Unit<'_>) -> Vec<(Subject, Rights)> {
    let [before, after] = [Side::Before, Side::After].map(|side| unit.grants(side));
    let each = after.bound.keys().map(|subject| (subject.clone(), after.gained(before, subject)));
    each.filter(|(_, gained)| !gained.is_empty()).collect()
}

/// What of it is new here, and what a role gave already to whoever had it. In a namespace that is new, everything is new;
/// there only what is dangerous counts.
pub fn split(unit: &Unit<'_>, subject: &Subject, gained: &Rights, change: &Change<'_>) -> (Rights, Rights) {
    if unit.is_new() {
        // Of a tenant, the roles are those that all tenants have.
        let has_policies = change.plans[1].is_some_and(|plan| plan.platform.admission.policies.is_some());
        let is_guarded = |right: &Right| match right {
            Right::Resource { group, resource, verb, .. } => has_policies && is_guarded(group, resource, verb),
            _ => false,
        };
        let counts = |right: &&Right| {
            right.is_dangerous() && !is_guarded(right)
                || (change.plans[1].is_none() && (subject.is_everybody() || right.reads_secrets()))
        };
        return (gained.iter().filter(counts).cloned().collect(), Rights::new());
    }
    // Whom nobody has named one by one, and a program, is not one more of the people who were there.
    let is_foreign = subject.is_everybody() || subject.kind == "ServiceAccount";
    if is_foreign || unit.name.is_empty() {
        return (gained.clone(), Rights::new());
    }
    let [before, after] = [Side::Before, Side::After].map(|side| unit.grants(side));
    let had = before.of(subject);
    let (mut new, mut known) = (Rights::new(), Rights::new());
    for given in after.given(&had, subject) {
        let gained = rights::beyond(&given.rights, &had);
        let gave: Vec<&Rights> = before.gave(&given.role).into_iter().collect();
        let beyond = rights::beyond(&gained, &gave);
        known.extend(gained.difference(&beyond).cloned());
        new.extend(beyond);
    }
    known.retain(|right| !new.contains(right));
    (new, known)
}

/// The bindings and roles that differ, and the lines that brought that about.
pub fn with_bindings(mut told: Told, subject: &Subject, unit: &Unit<'_>, change: &Change<'_>) -> Told {
    told =
        told.who(subject.text()).cause(unit.cause(RBAC, &["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"]));
    if !unit.pairs.iter().any(|pair| pair.id.group == RBAC) {
        told = unit.cluster.changed.iter().fold(told, |told, id| told.object(id));
    }
    // The bindings that name the subject, and the roles that they give.
    let given = [Side::Before, Side::After].map(|side| unit.grants(side).bound.get(subject));
    let roles: BTreeSet<&str> = given.into_iter().flatten().flatten().map(|given| &*given.role).collect();
    for pair in unit.pairs.iter().filter(|pair| pair.id.group == RBAC) {
        let Some(manifest) = pair.last() else { continue };
        let pointer = if pair.id.kind.ends_with("Binding") {
            let Some(index) = [Side::After, Side::Before].into_iter().find_map(|side| named(pair.side(side)?, subject))
            else {
                continue;
            };
            format!("/subjects/{index}")
        } else if roles.contains(&*format!("{} `{}`", pair.id.kind, pair.id.name)) {
            "/rules".to_owned()
        } else {
            continue;
        };
        told = told.object(&pair.id).at(change.edits.cause(manifest, &pointer, change.plans[1]));
    }
    told
}

/// Where a binding names a subject.
fn named(manifest: &Manifest, subject: &Subject) -> Option<usize> {
    let subjects = manifest.value.get("subjects")?.as_array()?;
    let text = |value: &serde_json::Value, field: &str| {
        value.get(field).and_then(serde_json::Value::as_str)
            == Some(match field {
                "kind" => &subject.kind,
                _ => &subject.name,
            })
    };
    subjects.iter().position(|s| text(s, "name") && text(s, "kind"))
}
