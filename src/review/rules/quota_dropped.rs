//! R401: a ceiling is gone.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::quantity::Quantity;
use crate::review::compare::quantity;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;
use crate::review::{Change, Pair, Side};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R401",
    name: "quota-dropped",
    title: "quota dropped",
    class: Class::Unbounded,
    severity: Severity::Error,
    why: "Without a ceiling, one tenant may take all that the nodes have.",
    example: "`pods` is taken out of a tier's `quota`.",
    approvable: true,
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if !is_quota(pair) || unit.is_gone() {
        return;
    }
    let [before, after] = [Side::Before, Side::After].map(|side| hard(pair, side));
    let elsewhere: Vec<_> = unit.pairs_of("", "ResourceQuota").map(|other| hard(other, Side::After)).collect();
    let gone: Vec<String> = before
        .iter()
        .filter(|(key, _)| !after.contains_key(*key) && !elsewhere.iter().any(|hard| hard.contains_key(*key)))
        .map(|(key, limit)| format!("{key}: {limit}"))
        .collect();
    if !gone.is_empty() {
        let keys: Vec<&str> = gone.iter().filter_map(|line| line.split_once(':')).map(|(key, _)| key).collect();
        let message = format!("nothing limits {} any more", keys.join(", "));
        found.add(unit.tell_of(&RULE, message, pair, "/spec/hard", change).sides(gone, Vec::new()));
    }
    let scope =
        |side| pair.side(side).map(|m| ["/spec/scopes", "/spec/scopeSelector"].map(|p| m.value.pointer(p).cloned()));
    if let (Some(was), Some(is)) = (scope(Side::Before), scope(Side::After))
        && was != is
    {
        let lines = |scope: &[Option<Value>]| scope.iter().flatten().map(ToString::to_string).collect();
        let told = unit.tell_of(&RULE, "the quota counts other objects than before", pair, "/spec", change);
        found.add(told.sides(lines(&was), lines(&is)));
    }
}

/// Whether it is a ResourceQuota.
pub fn is_quota(pair: &Pair) -> bool {
    pair.id.kind == "ResourceQuota" && pair.id.group.is_empty()
}

/// The ceilings of a ResourceQuota on one side.
pub fn hard(pair: &Pair, side: Side) -> BTreeMap<String, Quantity> {
    let hard = pair.side(side).and_then(|m| m.value.pointer("/spec/hard")).and_then(Value::as_object);
    let each = hard.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), quantity(value)?)));
    each.collect()
}

/// `4 → 8 (+100 %)`.
pub fn moved(before: &Quantity, after: &Quantity) -> String {
    let (was, is) = (before.nanos(), after.nanos());
    if was == 0 {
        return format!("{before} → {after}");
    }
    let percent = (is - was).saturating_mul(100) / was;
    let sign = if percent > 0 { "+" } else { "" };
    if percent == 0 { format!("{before} → {after}") } else { format!("{before} → {after} ({sign}{percent} %)") }
}

/// The ceilings that moved up, or down: the key and how far.
pub fn moves(pair: &Pair, up: bool) -> Vec<(String, String)> {
    let [before, after] = [Side::Before, Side::After].map(|side| hard(pair, side));
    let each = before.iter().filter_map(|(key, was)| {
        let is = after.get(key)?;
        let tells = if up { is > was } else { is < was };
        tells.then(|| (key.clone(), moved(was, is)))
    });
    each.collect()
}

/// `limits.cpu 4 → 8 (+100 %), pods 20 → 40 (+100 %), and 3 more`.
pub fn summed(moves: &[(String, String)]) -> String {
    let mut parts: Vec<String> = moves.iter().take(3).map(|(key, how)| format!("{key} {how}")).collect();
    if moves.len() > 3 {
        parts.push(format!("and {} more", moves.len() - 3));
    }
    parts.join(", ")
}
