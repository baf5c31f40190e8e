//! R404: a bound of single containers, pods or claims is gone.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::quantity::Quantity;
use crate::review::compare::quantity;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;
use crate::review::{Change, Side};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R404",
    name: "limit-dropped",
    title: "limit dropped",
    class: Class::Unbounded,
    severity: Severity::Error,
    why: "Without a bound, one container may take all of its namespace's quota, and one without limits all of a node.",
    example: "`limitRange.container.max.memory` is taken out of a tier.",
    approvable: true,
    check: Check::Unit(check),
};

/// The type, the field and the resource of a bound: `Container`, `max`, `memory`.
type Bound = (String, String, String);

fn check(unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    let Some(pair) = unit.pairs_of("", "LimitRange").next().filter(|_| !unit.is_gone()) else { return };
    let [before, after] = [Side::Before, Side::After].map(|side| bounds(unit, side));
    let gone: Vec<String> = before
        .iter()
        .filter(|(bound, _)| !after.contains_key(*bound))
        .map(|((of, field, resource), value)| format!("{field} {resource} of a {of}: {value}"))
        .collect();
    if gone.is_empty() {
        return;
    }
    let names: Vec<&str> = gone.iter().filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
    let message = format!("there is no {} any more", names.join(", "));
    found.add(unit.tell_of(&RULE, message, pair, "/spec/limits", change).sides(gone, Vec::new()));
}

/// The bounds and defaults of a namespace, of all its LimitRanges together.
pub fn bounds(unit: &Unit<'_>, side: Side) -> BTreeMap<Bound, Quantity> {
    let mut all = BTreeMap::new();
    for manifest in unit.all(side, "", "LimitRange") {
        let limits = manifest.value.pointer("/spec/limits").and_then(Value::as_array);
        for limit in limits.into_iter().flatten() {
            let of = limit.get("type").and_then(Value::as_str).unwrap_or_default();
            for (field, values) in limit.as_object().into_iter().flatten() {
                for (resource, value) in values.as_object().into_iter().flatten() {
                    if let Some(value) = quantity(value) {
                        all.insert((of.to_owned(), field.clone(), resource.clone()), value);
                    }
                }
            }
        }
    }
    all
}
