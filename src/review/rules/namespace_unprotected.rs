//! R602: nothing keeps a Namespace from being pruned any more.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::objects::meta;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;
use crate::review::{Change, Pair, Side};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R602",
    name: "namespace-unprotected",
    title: "namespace unprotected",
    class: Class::Deletion,
    severity: Severity::Error,
    why: "Argo CD and Flux delete what is not in git any more, unless the object says that somebody is to be asked.",
    example: "`kustomize.toolkit.fluxcd.io/prune: disabled` is taken off a Namespace that is not retired.",
    approvable: true,
    check: Check::Pair(check),
};

/// What keeps an object from being pruned, by annotation; see `objects/namespace.rs`.
const PROTECTION: [&str; 2] = ["kustomize.toolkit.fluxcd.io/prune", "argocd.argoproj.io/sync-options"];

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    let (Some(before), Some(after)) = (pair.side(Side::Before), pair.side(Side::After)) else { return };
    if pair.id.kind != "Namespace" || after.label(meta::STATE) == Some("retired") {
        return;
    }
    for key in PROTECTION {
        let Some(was) = before.annotation(key) else { continue };
        if after.annotation(key) != Some(was) {
            let is = after.annotation(key).unwrap_or("nothing").to_owned();
            let told = unit.tell_of(&RULE, format!("annotation {key} does not hold any more"), pair, "", change);
            found.add(told.sides(vec![was.to_owned()], vec![is]));
        }
    }
}
