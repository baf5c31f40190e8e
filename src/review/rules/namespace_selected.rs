//! R105: a label makes a namespace one that others let in, or let out to.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
use crate::review::manifest::labels;
use crate::review::reach::selector::Labels;
use crate::review::reach::{Direction, Peer, Policy};
use crate::review::unit::{NETWORKING, Unit};
use crate::review::{Change, Pair};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R105",
    name: "namespace-selected",
    title: "namespace selected",
    class: Class::Network,
    severity: Severity::Error,
    why: "A policy that selects namespaces by a label opens to whoever gets that label.",
    example: "`team: trusted` on a Namespace, where another one lets in pods of namespaces with that label.",
    approvable: true,
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    // Policies that we render select by labels that only we write.
    if !pair.id.is_namespace() || change.plans[1].is_some() {
        return;
    }
    let Some(after) = &pair.after else { return };
    let is = labels(&after.value);
    let was = pair.before.as_ref().map(|before| labels(&before.value));
    if was.as_ref() == Some(&is) {
        return;
    }
    let changed = change.pairs.iter().filter_map(|pair| pair.after.as_ref());
    let policies = changed.chain(&change.same).filter(|m| m.id.is(NETWORKING, "NetworkPolicy"));
    for manifest in policies.filter(|m| m.id.namespace.as_ref() != Some(&pair.id.name)) {
        let Some(policy) = Policy::read(&manifest.value) else { continue };
        let openings = [Direction::Ingress, Direction::Egress].map(|d| policy.openings(d).unwrap_or_default());
        let peers = openings.into_iter().flatten().filter_map(|opening| opening.peers.as_ref()).flatten();
        for peer in peers {
            let Peer::Pods(Some(selector), _) = peer else { continue };
            let selected = |labels: &Labels| selector.selects(labels);
            // Who selects every namespace selects it whatever its labels are.
            if selected(&is) && !was.as_ref().is_some_and(selected) && !selector.is_everything() {
                let message =
                    format!("the namespace is among those that {} opens to: {}", manifest.id, selector.text());
                found.add(unit.tell_of(&RULE, message, pair, "/metadata/labels", change));
            }
        }
    }
}
