//! R705: a namespace has another tier.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::objects::meta;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;
use crate::review::{Change, Pair};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R705",
    name: "tier-changed",
    title: "tier changed",
    class: Class::Tier,
    severity: Severity::Warning,
    why: "With the tier, quotas, defaults, policies and the level of Pod Security change together.",
    example: "`tier: pro` instead of `free` in a tenant.",
    approvable: true,
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    let (Some(before), Some(after)) = (&pair.before, &pair.after) else { return };
    if !pair.id.is_namespace() {
        return;
    }
    if let (Some(was), Some(is)) = (before.label(meta::TIER), after.label(meta::TIER))
        && was != is
    {
        let told = unit.tell_of(&RULE, format!("tier `{is}` instead of `{was}`"), pair, "", change);
        found.add(told.sides(vec![was.to_owned()], vec![is.to_owned()]));
    }
}
