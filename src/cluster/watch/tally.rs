//! What a watching process counts, in the text format of Prometheus, and whether it is well.

use std::cell::Cell;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use crate::cluster::gateway::Counts;
use crate::sync::Unit;
use crate::sync::outcome::{Done, Outcome, State};

/// After how long without a pass a process that leads is not well.
const SILENCE: Duration = Duration::from_secs(1800);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// What is counted.
pub struct Tally {
    registry: Registry,
    passes: Counter,
    failures: Counter,
    objects: Family<Kind, Counter>,
    tenants: Family<Kind, Gauge>,
    requests: Family<Kind, Gauge>,
    seconds: Gauge<f64, AtomicU64>,
    leads: Gauge,
    /// Whether it has something to apply and an API server that answers.
    ready: Cell<bool>,
    since: Cell<Instant>,
}

const STATES: [State; 4] = [State::Applied, State::Paused, State::Held, State::Degraded];

const DONE: [Done; 8] = [
    Done::Created,
    Done::Configured,
    Done::Adopted,
    Done::Revoked,
    Done::Stripped,
    Done::Deleted,
    Done::Released,
    Done::Recreated,
];

impl Tally {
    /// All at zero; each name is there from the beginning, so that a query never meets a gap.
    pub fn new() -> Tally {
        let mut all = Registry::with_prefix("mtp_sync");
        let (passes, failures) = (Counter::default(), Counter::default());
        all.register("passes", "Passes that came to an end", passes.clone());
        all.register("failures", "Passes that did not, and folders that could not be read", failures.clone());
        let objects: Family<Kind, Counter> = Family::default();
        all.register("objects", "Objects by what was done to them", objects.clone());
        let tenants: Family<Kind, Gauge> = Family::default();
        all.register("tenants", "Tenants by state after the last pass", tenants.clone());
        let requests: Family<Kind, Gauge> = Family::default();
        all.register("requests", "Requests to the API server since this process began", requests.clone());
        let seconds = Gauge::default();
        all.register("pass_duration_seconds", "How long the last pass took", seconds.clone());
        let leads = Gauge::default();
        all.register("leader", "Whether this process holds the Lease", leads.clone());
        STATES.iter().for_each(|state| drop(tenants.get_or_create(&Kind { kind: state.as_str() })));
        DONE.iter().for_each(|done| drop(objects.get_or_create(&Kind { kind: done.as_str() })));
        Tally {
            registry: all,
            passes,
            failures,
            objects,
            tenants,
            requests,
            seconds,
            leads,
            ready: Cell::new(false),
            since: Cell::new(Instant::now()),
        }
    }

    /// It waits for the Lease.
    pub fn stands_by(&self) {
        self.ready.set(true);
        self.since.set(Instant::now());
    }

    /// Whether it holds the Lease.
    pub fn leads(&self, leads: bool) {
        self.leads.set(i64::from(leads));
        self.since.set(Instant::now());
    }

    /// Something could not be read.
    pub fn fails(&self) {
        self.failures.inc();
    }

    /// A pass came to an end.
    pub fn passed(&self, outcome: &Outcome, took: Duration, counts: Counts) {
        self.passes.inc();
        self.ready.set(true);
        self.since.set(Instant::now());
        self.seconds.set(took.as_secs_f64());
        for (done, many) in outcome.counts() {
            self.objects.get_or_create(&Kind { kind: done.as_str() }).inc_by(many as u64);
        }
        for state in STATES {
            let units = outcome.units.iter().filter(|unit| unit.unit != Unit::Platform && unit.state == state);
            let many = i64::try_from(units.count()).unwrap_or(i64::MAX);
            self.tenants.get_or_create(&Kind { kind: state.as_str() }).set(many);
        }
        for (kind, many) in [("list", counts.lists), ("get", counts.gets), ("write", counts.writes)] {
            self.requests.get_or_create(&Kind { kind }).set(i64::try_from(many).unwrap_or(i64::MAX));
        }
    }

    /// Whether it has something to apply and reached the API server.
    pub fn is_ready(&self) -> bool {
        self.ready.get()
    }

    /// Whether it does what it is there for: who leads passes now and then.
    pub fn is_alive(&self) -> bool {
        self.leads.get() == 0 || self.since.get().elapsed() < SILENCE
    }

    /// All of it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Memory takes whatever is written.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
