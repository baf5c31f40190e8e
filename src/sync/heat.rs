//! Fights: objects that somebody else changes as often as we change them back.

use std::collections::{BTreeMap, VecDeque};

use core::time::Duration;

use crate::rendered::ObjectId;

/// Within which time changes count.
const WINDOW: Duration = Duration::from_secs(60);

/// How many changes within it are too many.
const MANY: usize = 5;

/// When which object was last changed back; times are those since any fixed moment.
#[derive(Debug, Default)]
pub struct Heat(BTreeMap<ObjectId, VecDeque<Duration>>);

impl Heat {
    /// Notes that an object was changed back. Whether that makes it a fight, which is said once.
    pub fn note(&mut self, id: &ObjectId, now: Duration) -> bool {
        let times = self.0.entry(id.clone()).or_default();
        let before = times.len();
        times.push_back(now);
        while times.front().is_some_and(|first| *first + WINDOW < now) {
            times.pop_front();
        }
        before <= MANY && times.len() > MANY
    }

    /// Forgets what has cooled down.
    pub fn cool(&mut self, now: Duration) {
        self.0.retain(|_, times| times.back().is_some_and(|last| *last + WINDOW >= now));
    }

    /// Whether an object is fought over. A change of it is no reason to hurry: it is put right by the next pass that has
    /// another one.
    pub fn is_hot(&self, group: &str, kind: &str, namespace: Option<&str>, name: &str) -> bool {
        let mut hot = self.0.iter().filter(|(_, times)| times.len() > MANY);
        hot.any(|(id, _)| id.is(group, kind) && id.namespace.as_deref() == namespace && &*id.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fight_is_noticed_once_and_cools_down() {
        let id = ObjectId { group: "".into(), kind: "Secret".into(), namespace: None, name: "x".into() };
        let mut heat = Heat::default();
        let hot = |heat: &Heat| heat.is_hot("", "Secret", None, "x");
        let said: Vec<bool> = (0..8).map(|second| heat.note(&id, Duration::from_secs(second))).collect();
        assert_eq!(said.iter().filter(|said| **said).count(), 1);
        assert!(hot(&heat));
        heat.cool(Duration::from_secs(60));
        assert!(hot(&heat));
        heat.cool(Duration::from_secs(100));
        assert!(!hot(&heat));
    }
}
