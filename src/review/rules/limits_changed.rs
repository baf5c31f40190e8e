//! R405: a bound or default of single containers, pods or claims is another one.

use super::limit_dropped::bounds;
use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
use crate::review::moves::{Move, sides, summed};
use crate::review::unit::Unit;
use crate::review::{Change, Side};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R405",
    name: "limits-changed",
    title: "limits changed",
    class: Class::Quota,
    severity: Severity::Warning,
    why: "A default is what every container without limits gets at its next start; a bound decides whether it starts.",
    example: "`limitRange.container.default.memory: 256Mi` instead of `128Mi` in a tier.",
    approvable: true,
    check: Check::Unit(check),
};

fn check(unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    let Some(pair) = unit.pairs_of("", "LimitRange").next().filter(|_| !unit.is_gone() && !unit.is_new()) else {
        return;
    };
    let [before, after] = [Side::Before, Side::After].map(|side| bounds(unit, side));
    let mut moves = Vec::new();
    let mut looser = false;
    for ((of, field, resource), is) in &after {
        let name = format!("{field} {resource} of a {of}");
        moves.push(match before.get(&(of.clone(), field.clone(), resource.clone())) {
            Some(was) if was == is => continue,
            Some(was) => {
                // A floor that sinks and a ceiling that rises let more pass.
                looser |= if field == "min" { is < was } else { is > was };
                Move::new(name, was, is)
            }
            None => Move::from_none(name, is),
        });
    }
    if moves.is_empty() {
        return;
    }
    let severity = if looser { RULE.severity } else { Severity::Notice };
    let (was, is) = sides(&moves);
    let told = unit.tell_of(&RULE, summed(&moves), pair, "/spec/limits/0", change);
    found.add(told.severity(severity).sides(was, is));
}
