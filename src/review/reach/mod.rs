//! Who reaches whom: what NetworkPolicies let through before and after a change, computed and not guessed from their text.
//!
//! Addresses, ports, pods and namespaces are cut into pieces that no selector, range or port of either side tells apart, so
//! that looking at each piece once is looking at everything. A pod is looked at by its labels, an address by its number:
//! that a pod has an address too is no matter of the policies.
//!
//! Source: <https://kubernetes.io/docs/concepts/services-networking/network-policies/>

pub mod policy;
pub mod selector;
#[cfg(test)]
mod tests;
mod universe;

use std::collections::{BTreeMap, BTreeSet};

pub use policy::{Direction, Peer, Policy, ports_text};
use selector::Labels;
use universe::{Allowed, Universe};

/// The policies of a namespace, on one side of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Side {
    /// The policies.
    pub policies: Vec<Policy>,
    /// The labels of the namespace itself.
    pub labels: Labels,
}

/// What a change does to the connections of a namespace's pods, in one direction.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Shift {
    /// What is allowed now and was not.
    pub gained: Vec<Change>,
    /// What was allowed and is not now.
    pub lost: Vec<Change>,
    /// How many IPv4 addresses are gained, and lost.
    pub addresses: [u64; 2],
    /// Pods that were isolated are not any more: everything is allowed.
    pub dropped: bool,
    /// There were more selectors than can be looked at; what is said is about the text of the policies alone.
    pub is_guess: bool,
}

/// A piece of what was gained or lost.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The other end and the ports, in words.
    pub text: String,
    /// How many IPv4 addresses, where it is about addresses.
    pub addresses: u64,
}

/// What changes between two sides.
pub fn shift(before: &Side, after: &Side, direction: Direction) -> Shift {
    if before.policies == after.policies && (before.labels == after.labels || !selects_itself(before, after)) {
        return Shift::default();
    }
    let Some(universe) = Universe::of([before, after], direction) else { return guess(before, after, direction) };
    let (mut gained, mut lost) = (universe.nothing(), universe.nothing());
    let mut dropped = false;
    for local in &universe.pods {
        let sides = [before, after].map(|side| universe.allowed(side, direction, local));
        let [was, is] = &sides;
        dropped |= was.isolated && !is.isolated;
        gained.add_difference(is, was);
        lost.add_difference(was, is);
    }
    Shift {
        gained: told(&universe, &gained, after, direction, dropped),
        lost: told(&universe, &lost, before, direction, false),
        addresses: [&gained, &lost].map(|changed| universe.addresses(changed)),
        dropped,
        is_guess: false,
    }
}

/// Whether a policy selects namespaces in a way that makes a difference between the labels of both sides.
fn selects_itself(before: &Side, after: &Side) -> bool {
    let openings = before.policies.iter().flat_map(|p| [&p.ingress, &p.egress]).flatten().flatten();
    let mut peers = openings.filter_map(|opening| opening.peers.as_ref()).flatten();
    peers.any(|peer| match peer {
        Peer::Pods(Some(namespace), _) => namespace.selects(&before.labels) != namespace.selects(&after.labels),
        Peer::Pods(None, _) | Peer::Block(..) => false,
    })
}

/// Whether some pod of the namespace is isolated by no policy in that direction.
pub fn is_open(side: &Side, direction: Direction) -> bool {
    let speaking = || side.policies.iter().filter(|policy| policy.openings(direction).is_some());
    if speaking().any(|policy| policy.pods.is_everything()) {
        return false;
    }
    let Some(pods) = selector::representatives(speaking().map(|policy| &policy.pods)) else { return true };
    pods.iter().any(|pod| !speaking().any(|policy| policy.pods.selects(pod)))
}

/// Whether some pod of the namespace takes, or opens, connections with every address or everybody.
pub fn is_open_to_everybody(side: &Side, direction: Direction) -> bool {
    let everybody = |peer: &Peer| matches!(peer, Peer::Block(net, _) if net.prefix_len() == 0);
    let mut openings = side.policies.iter().filter_map(|policy| policy.openings(direction)).flatten();
    is_open(side, direction)
        || openings.any(|opening| opening.peers.as_ref().is_none_or(|peers| peers.iter().any(everybody)))
}

/// What [`lines`] says where nothing is let through.
pub const NOBODY: &str = "nobody";

/// What is let through, in words, a line a peer; sorted, each once.
pub fn lines(side: &Side, direction: Direction) -> Vec<String> {
    let mut lines = BTreeSet::new();
    for policy in &side.policies {
        let whose =
            if policy.pods.is_everything() { String::new() } else { format!("pods with {}: ", policy.pods.text()) };
        for opening in policy.openings(direction).into_iter().flatten() {
            lines.extend(opening.lines().into_iter().map(|line| format!("{whose}{line}")));
        }
    }
    if is_open(side, direction) {
        return vec!["everybody, every port: no policy isolates all pods".to_owned()];
    }
    if lines.is_empty() { vec![NOBODY.to_owned()] } else { lines.into_iter().collect() }
}

/// The pieces of `changed` in words: those that an opening of `side` covers, by opening.
fn told(universe: &Universe, changed: &Allowed, side: &Side, direction: Direction, dropped: bool) -> Vec<Change> {
    if changed.is_nothing() {
        return Vec::new();
    }
    if dropped {
        return vec![Change { text: "everybody, every port".to_owned(), addresses: 1 << 32 }];
    }
    let mut all: BTreeMap<String, u64> = BTreeMap::new();
    let everybody = [None];
    for opening in side.policies.iter().filter_map(|policy| policy.openings(direction)).flatten() {
        let peers: Vec<Option<&Peer>> = match &opening.peers {
            None => everybody.to_vec(),
            Some(peers) => peers.iter().map(Some).collect(),
        };
        for peer in peers {
            if let Some((text, addresses)) = universe.told(changed, &side.labels, peer, opening) {
                all.insert(text, addresses);
            }
        }
    }
    // No opening says it: somebody is not isolated any more, or not yet.
    if all.is_empty() {
        all.insert("everybody, every port, for pods that no policy isolates".to_owned(), 1 << 32);
    }
    let mut all: Vec<Change> = all.into_iter().map(|(text, addresses)| Change { text, addresses }).collect();
    all.sort_by(|a, b| (b.addresses, &a.text).cmp(&(a.addresses, &b.text)));
    all
}

/// With more selectors than can be looked at, nobody can say what a change of the policies means: it is taken for a gain of
/// all that any policy lets through now.
fn guess(before: &Side, after: &Side, direction: Direction) -> Shift {
    let speaking = |side: &Side| -> Vec<Policy> {
        side.policies.iter().filter(|policy| policy.openings(direction).is_some()).cloned().collect()
    };
    if speaking(before) == speaking(after) && before.labels == after.labels {
        return Shift::default();
    }
    let text = "whomever its policies let through: they have more selectors than can be told apart";
    let change = Change { text: text.to_owned(), addresses: 0 };
    let dropped = !is_open(before, direction) && is_open(after, direction);
    Shift { gained: vec![change.clone()], lost: vec![change], addresses: [0; 2], dropped, is_guess: true }
}
