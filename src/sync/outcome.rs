//! What came of a pass.

use std::collections::BTreeMap;

use super::Unit;
use super::answer::Conflict;
use crate::rendered::ObjectId;

/// How a unit is after a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// All of it is as git has it.
    Applied,
    /// Somebody paused it.
    Paused,
    /// Something of it has to be seen to by somebody; all else of it that may be done is done.
    Held,
    /// Something of it failed.
    Degraded,
}

impl State {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Applied => "applied",
            State::Paused => "paused",
            State::Held => "held",
            State::Degraded => "degraded",
        }
    }
}

/// What was done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Done {
    /// It was not there.
    Created,
    /// It was changed to what git has.
    Configured,
    /// It was there already and is ours now.
    Adopted,
    /// Rights of it were taken away before all else.
    Revoked,
    /// What others had added was removed.
    Stripped,
    /// It was deleted.
    Deleted,
    /// It was given back.
    Released,
    /// It was replaced, since nobody can change it.
    Recreated,
}

impl Done {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Done::Created => "created",
            Done::Configured => "configured",
            Done::Adopted => "adopted",
            Done::Revoked => "revoked",
            Done::Stripped => "stripped",
            Done::Deleted => "deleted",
            Done::Released => "released",
            Done::Recreated => "recreated",
        }
    }
}

/// Something that somebody has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which object; `None`: the unit as a whole.
    pub id: Option<ObjectId>,
    /// What is the matter.
    pub message: String,
    /// Whether it failed, rather than being held for somebody.
    pub failed: bool,
    /// Whether it may be better in a moment, by itself.
    pub passing: bool,
}

/// What came of a unit.
#[derive(Debug, Clone)]
pub struct UnitOutcome {
    /// Which one.
    pub unit: Unit,
    /// How it is.
    pub state: State,
    /// What was done, in order.
    pub done: Vec<(ObjectId, Done)>,
    /// What others had set and was taken back, by object.
    pub taken: Vec<(ObjectId, Conflict)>,
    /// What is the matter.
    pub problems: Vec<Problem>,
    /// What people may want to know, and nobody has to see to.
    pub notes: Vec<(ObjectId, String)>,
    /// How many objects were as they should be.
    pub unchanged: usize,
}

impl UnitOutcome {
    /// Of a unit of which nothing was done yet.
    pub fn new(unit: Unit) -> UnitOutcome {
        UnitOutcome {
            unit,
            state: State::Applied,
            done: Vec::new(),
            taken: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
            unchanged: 0,
        }
    }

    /// How it is, out of its problems.
    pub fn judge(&mut self, paused: bool) {
        self.state = if self.problems.iter().any(|problem| problem.failed) {
            State::Degraded
        } else if !self.problems.is_empty() {
            State::Held
        } else if paused {
            State::Paused
        } else {
            State::Applied
        };
    }
}

/// What came of a pass.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The commit that it was about.
    pub commit: String,
    /// What came of each unit, the platform first.
    pub units: Vec<UnitOutcome>,
    /// Why deletions were held back.
    pub refused: Option<String>,
    /// Whether it stopped half-way because there was something newer to apply.
    pub superseded: bool,
}

impl Outcome {
    /// Whether everything is as git has it.
    pub fn is_clean(&self) -> bool {
        !self.superseded && self.units.iter().all(|unit| unit.state == State::Applied)
    }

    /// How often each thing was done.
    pub fn counts(&self) -> BTreeMap<Done, usize> {
        let mut counts = BTreeMap::new();
        for (_, done) in self.units.iter().flat_map(|unit| &unit.done) {
            *counts.entry(*done).or_default() += 1;
        }
        counts
    }
}
