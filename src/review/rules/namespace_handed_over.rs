//! R605: a Namespace becomes somebody else's, or nobody's.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::objects::meta;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;
use crate::review::{Change, Pair};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R605",
    name: "namespace-handed-over",
    title: "namespace handed over",
    class: Class::Deletion,
    severity: Severity::Error,
    why: "All that is in it, Secrets and volumes, is the new tenant's then; without the label, no policy and no webhook takes it for a tenant's.",
    example: "A tenant is replaced by another one whose names make the same Namespace.",
    approvable: true,
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    let (Some(before), Some(after)) = (&pair.before, &pair.after) else { return };
    if !pair.id.is_namespace() {
        return;
    }
    let Some(was) = before.label(meta::TENANT) else { return };
    if after.label(meta::TENANT) == Some(was) {
        return;
    }
    let is = after.label(meta::TENANT).map_or("nobody".to_owned(), |name| format!("tenant `{name}`"));
    let message = format!("Namespace `{}` goes from tenant `{was}` to {is}", pair.id.name);
    let told = unit.tell_of(&RULE, message, pair, "/metadata/labels", change).tenant(Some(was));
    found.add(told.sides(vec![was.to_owned()], after.label(meta::TENANT).map(str::to_owned).into_iter().collect()));
}
