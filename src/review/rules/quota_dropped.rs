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
    check: Check::Unit(check),
};

fn check(unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if unit.is_gone() || unit.is_new() {
        return;
    }
    let Some(Ceilings { before, after, pair }) = ceilings(unit) else { return };
    let gone: Vec<String> = before
        .iter()
        .filter(|(key, _)| !after.contains_key(*key))
        .map(|(key, limit)| format!("{key}: {limit}"))
        .collect();
    if !gone.is_empty() {
        let keys: Vec<&str> = gone.iter().filter_map(|line| line.split_once(": ")).map(|(key, _)| key).collect();
        let message = format!("nothing limits {} any more", keys.join(", "));
        found.add(unit.tell_of(&RULE, message, pair, "/spec/hard", change).sides(gone, Vec::new()));
    }
}

/// What holds in a namespace, of all its ResourceQuotas together.
pub struct Ceilings<'c> {
    /// Before: by key, and what it counts where that is not everything.
    pub before: BTreeMap<String, Quantity>,
    /// After.
    pub after: BTreeMap<String, Quantity>,
    /// One of the objects that differ.
    pub pair: &'c Pair,
}

/// Which objects a quota is about, in the words of its scopes: `CrossNamespacePodAffinity`, `PriorityClass high, low`. None: all.
fn scopes(quota: &Value) -> Vec<String> {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut all: Vec<String> = list(quota.pointer("/spec/scopes")).iter().map(text).collect();
    for requirement in list(quota.pointer("/spec/scopeSelector/matchExpressions")) {
        let name = text(&requirement["scopeName"]);
        let mut values: Vec<String> = list(requirement.get("values")).iter().map(text).collect();
        values.sort();
        all.push(match requirement["operator"].as_str() {
            Some("Exists") => name,
            Some("DoesNotExist") => format!("no {name}"),
            Some("In") => format!("{name} {}", values.join(", ")),
            Some("NotIn") => format!("{name} other than {}", values.join(", ")),
            // Whatever the future brings: two that differ are two.
            _ => requirement.to_string(),
        });
    }
    all.sort();
    all
}

/// The ceilings of a namespace; `None` where no ResourceQuota of it differs. Of several, the lowest holds.
pub fn ceilings<'c>(unit: &Unit<'c>) -> Option<Ceilings<'c>> {
    let pair = unit.pairs_of("", "ResourceQuota").next()?;
    let [before, after] = [Side::Before, Side::After].map(|side| {
        let mut all: BTreeMap<String, Quantity> = BTreeMap::new();
        for quota in unit.all(side, "", "ResourceQuota") {
            let scopes = scopes(&quota.value);
            let whose = if scopes.is_empty() { String::new() } else { format!(" of {}", scopes.join(" and ")) };
            let hard = quota.value.pointer("/spec/hard").and_then(Value::as_object);
            for (key, value) in hard.into_iter().flatten() {
                let Some(value) = quantity(value) else { continue };
                let key = match key.as_str() {
                    // Two names of one ceiling.
                    "cpu" | "memory" | "ephemeral-storage" => format!("requests.{key}"),
                    key => key.to_owned(),
                };
                all.entry(format!("{key}{whose}")).and_modify(|own| *own = value.min(*own)).or_insert(value);
            }
        }
        all
    });
    Some(Ceilings { before, after, pair })
}
