//! R205: pods get a token of their ServiceAccount that they had not.

use serde_json::Value;

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;
use crate::review::{Change, Pair, Side};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R205",
    name: "token-mounted",
    title: "token mounted",
    class: Class::Rights,
    severity: Severity::Warning,
    why: "A token in every pod is what a stolen pod takes first.",
    example: "`automountServiceAccountToken: false` is taken out of the ServiceAccount `default`.",
    approvable: true,
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if !pair.id.is("", "ServiceAccount") || unit.is_gone() {
        return;
    }
    let is_off =
        |side| pair.side(side).and_then(|m| m.value.get("automountServiceAccountToken")) == Some(&Value::Bool(false));
    // Without the object, the cluster makes `default` anew, with a token.
    if is_off(Side::Before) && !is_off(Side::After) && (pair.after.is_some() || &*pair.id.name == "default") {
        let message = format!("pods with ServiceAccount `{}` get its token", pair.id.name);
        found.add(unit.tell_of(&RULE, message, pair, "/automountServiceAccountToken", change));
    }
}
