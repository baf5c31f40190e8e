//! R405: a bound or default of single containers, pods or claims is another one.

use super::limit_dropped::bounds;
use super::quota_dropped::{moved, summed};
use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
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
        let was = before.get(&(of.clone(), field.clone(), resource.clone()));
        let how = match was {
            Some(was) if was == is => continue,
            Some(was) => {
                // A floor that sinks and a ceiling that rises let more pass.
                looser |= if field == "min" { is < was } else { is > was };
                moved(was, is)
            }
            None => format!("none → {is}"),
        };
        moves.push((format!("{field} {resource} of a {of}"), how));
    }
    if moves.is_empty() {
        return;
    }
    let severity = if looser { RULE.severity } else { Severity::Notice };
    let split = |(name, how): &(String, String)| {
        let (was, is) = how.split_once(" → ").unwrap_or((how, ""));
        (format!("{name}: {was}"), format!("{name}: {is}"))
    };
    let (was, is) = moves.iter().map(split).unzip();
    let told = unit.tell_of(&RULE, summed(&moves), pair, "/spec/limits/0", change);
    found.add(told.severity(severity).sides(was, is));
}
