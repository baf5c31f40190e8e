//! R505: other certificates are trusted or shown.

use std::collections::BTreeSet;

use serde_json::Value;

use super::webhook_weakened::GROUP;
use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
use crate::review::mask::certificates;
use crate::review::unit::Unit;
use crate::review::{Change, Manifest, Pair, Side};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R505",
    name: "certificate-changed",
    title: "certificate step",
    class: Class::Certificate,
    severity: Severity::Warning,
    why: "Whoever has the key of a trusted certificate decides about every pod; a step out of order is an outage.",
    example: "`mtp certs rotate`: the API server trusts one more authority.",
    approvable: true,
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    let (Some(before), Some(after)) = (pair.side(Side::Before), pair.side(Side::After)) else { return };
    let (was, is) = (shown(before), shown(after));
    if was != is {
        let what = if pair.id.group == GROUP { "trusts" } else { "holds" };
        let message = format!("{} `{}` {what} other certificates", pair.id.kind, pair.id.name);
        let told = unit.tell_of(&RULE, message, pair, "", change);
        found.add(told.sides(was.into_iter().collect(), is.into_iter().collect()));
        return;
    }
    let secret = |m: &Manifest| ["data", "stringData"].map(|field| m.value.get(field).cloned());
    let is_tls = |m: &Manifest| m.value.get("type").and_then(Value::as_str) == Some("kubernetes.io/tls");
    if pair.id.kind == "Secret" && is_tls(after) && secret(before) != secret(after) {
        let message = format!("Secret `{}` holds another key or certificate, encrypted", pair.id.name);
        found.add(unit.tell_of(&RULE, message, pair, "", change));
    }
}

/// The certificates of an object, a line each.
fn shown(manifest: &Manifest) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    collect(&manifest.value, &mut lines);
    lines
}

fn collect(value: &Value, lines: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            lines.extend(certificates(text).iter().flat_map(|all| all.split("; ")).map(str::to_owned))
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, lines)),
        Value::Object(map) => map.values().for_each(|value| collect(value, lines)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
