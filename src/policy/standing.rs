//! How each policy stands for the pods of a namespace: refused, warned of, noted, or nothing at all.

use std::collections::{BTreeMap, BTreeSet};

use super::POLICIES;
use super::pod::List;
use super::restrictions::{Lists, NONE};
use super::review::Breach;
use crate::contract::admission::Mode;

/// What a breach of each policy leads to, in the order of [`POLICIES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modes([Mode; POLICIES.len()]);

/// How the policies stand for one namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing<'a> {
    /// By policy.
    pub modes: Modes,
    /// What may be named.
    pub lists: &'a Lists,
    /// What the tenant may name within that, with what naming something else leads to.
    pub own_lists: &'a Lists,
    /// Who is let off what: by policy, who answers for it and why.
    pub exempt: &'a BTreeMap<String, String>,
}

/// Where a policy stands in [`POLICIES`].
pub fn index(id: &str) -> Option<usize> {
    POLICIES.iter().position(|policy| policy.id == id)
}

impl Modes {
    /// What holds unless somebody says otherwise.
    pub const UNLESS_SAID: Modes = {
        let mut modes = [Mode::Deny; POLICIES.len()];
        let mut index = 0;
        while index < modes.len() {
            modes[index] = POLICIES[index].unless_said;
            index += 1;
        }
        Modes(modes)
    };

    /// Of each policy the strictest of all these, and of what holds unless somebody says otherwise: for whoever is not known.
    pub fn strictest<'a>(all: impl Iterator<Item = &'a Modes>) -> Modes {
        all.fold(Modes::UNLESS_SAID, |a, b| Modes(std::array::from_fn(|index| a.0[index].max(b.0[index]))))
    }

    /// The mode of a policy.
    pub fn get(&self, index: usize) -> Mode {
        self.0[index]
    }

    /// The same with another mode for one policy; a policy that this version does not have is left out.
    pub fn with(mut self, id: &str, mode: Mode) -> Modes {
        if let Some(index) = index(id) {
            self.0[index] = mode;
        }
        self
    }

    /// Id and mode of each policy.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Mode)> {
        POLICIES.iter().map(|policy| policy.id).zip(self.0)
    }
}

impl Standing<'_> {
    /// Where nothing else was said, and nobody is let off.
    pub const UNLESS_SAID: Standing<'static> =
        Standing { modes: Modes::UNLESS_SAID, lists: &NONE, own_lists: &NONE, exempt: &NOBODY };

    /// What a breach of the policy at `index` leads to. Whoever is let off is noted all the same.
    pub fn mode(&self, index: usize) -> Mode {
        match self.modes.get(index) {
            Mode::Off => Mode::Off,
            _ if self.exempt.contains_key(POLICIES[index].id) => Mode::Audit,
            mode => mode,
        }
    }
}

/// Breaches with what each leads to; without those that lead to nothing, and those that another one of the same container
/// says already, at least as strictly.
pub fn told<'a>(breaches: &'a [Breach], standing: &Standing<'_>) -> Vec<(&'a Breach, Mode)> {
    let mut said: BTreeSet<(&str, List, &str)> = BTreeSet::new();
    let mut told = Vec::new();
    for breach in breaches {
        let mode = standing.mode(breach.index);
        let by = breach.policy.within.and_then(|id| Some((id, index(id)?)));
        let is_said = by.is_some_and(|(id, other)| {
            standing.mode(other) >= mode && said.contains(&(id, breach.list, breach.container.as_str()))
        });
        if mode == Mode::Off || is_said {
            continue;
        }
        // Only what another policy stands within has to be remembered.
        if POLICIES.iter().any(|policy| policy.within == Some(breach.policy.id)) {
            said.insert((breach.policy.id, breach.list, &breach.container));
        }
        told.push((breach, mode));
    }
    told
}

/// Nobody is let off.
pub static NOBODY: BTreeMap<String, String> = BTreeMap::new();
