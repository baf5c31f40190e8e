//! `mtp sync --watch`: passes for as long as the process lives, one process at a time.
//!
//! Whoever holds the Lease works; others wait for it. A pass begins with a new commit, with a change of something of
//! ours in the cluster, and at the latest after a while.

mod drift;
mod events;
mod pages;
mod tally;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use futures::future::{Either, select};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use self::drift::Drift;
use self::events::Reporter;
pub use self::pages::serve;
pub use self::tally::Tally;
use super::Settings;
use super::gateway::{Gateway, Stop};
use super::lease;
use super::pass::{Held, Progress, ground_if_missing, pass_as_holder};
use super::reading::Watched;
use crate::report::causes;
use crate::sync::heat::Heat;
use crate::sync::outcome::{Done, Outcome};
use crate::sync::want::Source;

/// How often it is looked whether there is something newer.
const POLL: Duration = Duration::from_secs(5);

/// How long a pass waits after the change that wakes it, since changes come together.
const TOGETHER: Duration = Duration::from_secs(1);

/// When there is a pass although nothing is known to have changed.
const AT_LATEST: Duration = Duration::from_secs(600);

/// The same, where something is held or failed that may be better by then.
const AT_LATEST_HELD: Duration = Duration::from_secs(60);

/// Why a process leads no longer.
enum Ended {
    /// It was told to end.
    Told,
    /// It lost the Lease.
    Lost,
}

/// Something to apply.
pub struct Revision {
    /// What git holds.
    pub source: Box<dyn Source>,
    /// The same, told apart by content.
    pub held: Held,
    /// What a pass of it is about.
    pub settings: Settings,
}

/// A folder whose content changes.
pub trait Revisions {
    /// What differs once there is something newer; cheap to ask.
    fn key(&self) -> String;

    /// Reads what is there.
    fn read(&self) -> Result<Revision>;
}

/// Hears what happens: how bad it is, and what.
pub type Say<'s> = &'s dyn Fn(&str, &str);

/// Whether the process is to end. Unlike a notification, being told so is not used up by hearing it.
#[derive(Default)]
pub struct End {
    told: Cell<bool>,
    bell: Notify,
}

impl End {
    /// Tells everybody.
    pub fn tell(&self) {
        self.told.set(true);
        self.bell.notify_waiters();
    }

    async fn told(&self) {
        while !self.told.get() {
            self.bell.notified().await;
        }
    }
}

/// What a watching process works with.
pub struct Watcher<'w> {
    /// The way to the API server.
    pub gateway: &'w Gateway,
    /// Where revisions come from.
    pub revisions: &'w dyn Revisions,
    /// What is counted.
    pub tally: &'w Tally,
    /// Who hears of it.
    pub say: Say<'w>,
    /// Tells it to end.
    pub end: &'w End,
}

impl Watcher<'_> {
    /// Runs until it is told to end.
    pub async fn run(&self) {
        let first = self.first();
        let end = self.end.told();
        futures::pin_mut!(first, end);
        let Either::Left((mut revision, _)) = select(first, end).await else { return };
        let mut trouble = String::new();
        loop {
            self.tally.leads(false);
            match self.lead(&mut revision).await {
                Ok(Ended::Told) => return,
                Ok(Ended::Lost) => trouble.clear(),
                Err(error) => {
                    // Said once, however often it is tried; and once more when it is over.
                    let told = causes(&error);
                    if told != trouble {
                        (self.say)("error", &told);
                        trouble = told;
                    }
                    self.tally.fails();
                    let (pause, end) = (sleep(POLL), self.end.told());
                    futures::pin_mut!(pause, end);
                    if let Either::Right(_) = select(pause, end).await {
                        return;
                    }
                }
            }
        }
    }

    /// The first revision that can be read.
    async fn first(&self) -> (String, Revision) {
        let mut trouble = String::new();
        loop {
            let key = self.revisions.key();
            match self.revisions.read() {
                Ok(revision) => return (key, revision),
                Err(error) => {
                    let told = causes(&error);
                    if told != trouble {
                        (self.say)("error", &format!("there is nothing to apply: {told}"));
                        trouble = told;
                    }
                    sleep(POLL).await;
                }
            }
        }
    }

    /// Takes the Lease and works until it is lost.
    async fn lead(&self, revision: &mut (String, Revision)) -> Result<Ended> {
        let settings = revision.1.settings.clone();
        self.gateway.go_on();
        ground_if_missing(self.gateway, &settings, &*revision.1.source, &revision.1.held).await?;
        self.tally.stands_by();
        let mut told = |holder: &str| (self.say)("info", &format!("`{holder}` holds the Lease; waiting for it"));
        let take = lease::take(self.gateway, &settings, Duration::MAX, &mut told);
        let end = self.end.told();
        futures::pin_mut!(take, end);
        let mut lease = match select(take, end).await {
            Either::Left((lease, _)) => lease?,
            Either::Right(_) => return Ok(Ended::Told),
        };
        (self.say)("info", &format!("`{}` holds the Lease", settings.identity));
        self.tally.leads(true);
        let told = {
            let work = self.work(revision);
            let keep = lease.keep(self.gateway, &settings);
            let end = self.end.told();
            futures::pin_mut!(work, keep, end);
            // What is cut off half-way is what a crash would cut off: the next pass puts it right.
            matches!(select(select(work, keep), end).await, Either::Right(_))
        };
        if told {
            self.gateway.go_on();
            lease.release(self.gateway, &settings).await;
            return Ok(Ended::Told);
        }
        self.gateway.hold(None);
        let why = self.gateway.why_lost();
        (self.say)("warning", &format!("the Lease was lost{why}; nothing more is written until it is held again"));
        Ok(Ended::Lost)
    }

    /// Ends once the Lease is lost.
    async fn work(&self, revision: &mut (String, Revision)) {
        let start = Instant::now();
        let mut heat = Heat::default();
        let mut reporter = Reporter::default();
        let mut drift = Drift::default();
        let mut lost = false;
        let mut problems: BTreeSet<String> = BTreeSet::new();
        loop {
            self.refresh(revision);
            self.gateway.go_on();
            let (key, current) = &*revision;
            let began = Instant::now();
            let outcome = self.pass(key, current).await;
            let wait = match outcome {
                Ok((outcome, watched)) => {
                    if lost {
                        (self.say)("info", "the API server answers again");
                        lost = false;
                    }
                    self.take_in(&outcome, &mut heat, start.elapsed(), &mut problems);
                    self.tally.passed(&outcome, began.elapsed(), self.gateway.counts());
                    reporter.report(self.gateway, &current.settings, &outcome).await;
                    drift.follow(watched);
                    if outcome.superseded {
                        Duration::ZERO
                    } else if outcome.is_clean() {
                        AT_LATEST
                    } else {
                        AT_LATEST_HELD
                    }
                }
                Err(error) => {
                    self.tally.fails();
                    if !lost {
                        (self.say)("error", &causes(&error));
                        lost = true;
                    }
                    POLL
                }
            };
            if self.gateway.stopped() == Some(Stop::LeaseLost) {
                return;
            }
            heat.cool(start.elapsed());
            self.wait(key, wait, &mut drift, &heat).await;
        }
    }

    /// Takes a newer revision over, if it can be read; else the one before is kept up.
    fn refresh(&self, revision: &mut (String, Revision)) {
        let key = self.revisions.key();
        if key == revision.0 {
            return;
        }
        match self.revisions.read() {
            // Another platform's namespace needs another Lease, and so another beginning.
            Ok(newer) if newer.settings.namespace == revision.1.settings.namespace => *revision = (key, newer),
            Ok(_) => (self.say)("error", "the platform's namespace changed: restart to apply that"),
            Err(error) => {
                (self.say)("error", &format!("what is there now is not applied: {}", causes(&error)));
                self.tally.fails();
                // It is not read again until it changes once more.
                revision.0 = key;
            }
        }
    }

    async fn pass(&self, key: &str, current: &Revision) -> Result<(Outcome, Vec<Watched>)> {
        let silent = RefCell::new(|_: Progress<'_>| {});
        let work = pass_as_holder(self.gateway, &current.settings, &*current.source, &current.held, &silent);
        let newer = async {
            while self.revisions.key() == key {
                sleep(POLL).await;
            }
        };
        futures::pin_mut!(work, newer);
        match select(work, newer).await {
            Either::Left((outcome, _)) => outcome,
            // What is under way ends; nothing of the old revision is begun any more.
            Either::Right(((), work)) => {
                self.gateway.stop(Stop::Superseded);
                work.await
            }
        }
    }

    fn take_in(&self, outcome: &Outcome, heat: &mut Heat, now: Duration, problems: &mut BTreeSet<String>) {
        let before = std::mem::take(problems);
        for unit in &outcome.units {
            for (id, done) in &unit.done {
                if matches!(done, Done::Configured | Done::Stripped | Done::Revoked) && heat.note(id, now) {
                    let who: Vec<&str> =
                        unit.taken.iter().filter(|(taken, _)| taken == id).map(|(_, c)| c.manager.as_str()).collect();
                    let who = if who.is_empty() { "somebody".to_owned() } else { who.join(", ") };
                    (self.say)("warning", &format!("{}: {id} is changed again and again by {who}", unit.unit));
                }
            }
            for problem in &unit.problems {
                let about = problem.id.as_ref().map(|id| format!("{id}: ")).unwrap_or_default();
                problems.insert(format!("{}: {}: {about}{}", unit.unit, unit.state.as_str(), problem.message));
            }
        }
        // What was said before and is still so is not said again.
        for new in problems.difference(&before) {
            (self.say)("warning", new);
        }
        for over in before.difference(problems) {
            (self.say)("info", &format!("no longer: {over}"));
        }
        if outcome.units.iter().any(|unit| !unit.done.is_empty()) || *problems != before {
            (self.say)("info", crate::report::sync::text(outcome, false).lines().last().unwrap_or_default());
        }
    }

    /// Waits for a reason to begin a pass.
    async fn wait(&self, key: &str, at_latest: Duration, drift: &mut Drift, heat: &Heat) {
        if at_latest.is_zero() {
            return;
        }
        let newer = async {
            while self.revisions.key() == key {
                sleep(POLL).await;
            }
        };
        let timer = sleep(at_latest);
        let changed = async {
            drift.changed(self.gateway, heat).await;
            sleep(TOGETHER).await;
        };
        futures::pin_mut!(newer, timer, changed);
        select(select(newer, timer), changed).await;
    }
}
