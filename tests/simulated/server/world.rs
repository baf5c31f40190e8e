//! The whole server behind its lock: storage, clock, settings, and what is due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::access::Grant;
use super::answer::Answer;
use super::controllers::Task;
use super::faults::Hook;
use super::kinds::{Kind, built_in, defined};
use super::read::Form;
use super::state::{Key, State};
use super::trace::Exchange;
use super::webhooks::Backend;

/// When the world begins: 2026-01-01T00:00:00Z.
const BEGINNING: i64 = 1_767_225_600;

/// What tests set. Delays are of the server's own clock; nothing happens before it is due.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a definition takes until it is established.
    pub establish_after: Duration,
    /// For how long requests for a new kind get "storage is (re)initializing" then.
    pub initialise_for: Duration,
    /// How long a namespace that is deleted keeps what is in it.
    pub terminate_after: Duration,
    /// When a new namespace gets its ServiceAccount `default`; never, if nothing.
    pub account_after: Option<Duration>,
    /// How long a Deployment takes until it is available; for ever, if nothing.
    pub available_after: Option<Duration>,
    /// When quotas are counted after something changed; never, if nothing. Until the first time, what they bound is refused.
    pub count_after: Option<Duration>,
    /// How the servers of webhooks are, by the webhook's name.
    pub backends: BTreeMap<String, Backend>,
    /// How the others are.
    pub other_backends: Backend,
    /// What users may do. One without an entry may do everything.
    pub grants: BTreeMap<String, Vec<Grant>>,
    /// Groups whose discovery is out of date, or cannot be had.
    pub stale_groups: BTreeSet<String>,
    /// Groups that neither discovery nor requests find: their server is down.
    pub lost_groups: BTreeSet<String>,
    /// How much the clock moves with each request.
    pub request_takes: Duration,
    /// Whether watches get nothing for now; what happens meanwhile they get later.
    pub watches_held: bool,
    /// Whether watches miss what happens now.
    pub watches_lossy: bool,
    /// What `/version` says.
    pub version: String,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            establish_after: Duration::ZERO,
            initialise_for: Duration::ZERO,
            terminate_after: Duration::ZERO,
            account_after: Some(Duration::ZERO),
            available_after: Some(Duration::ZERO),
            count_after: Some(Duration::ZERO),
            backends: BTreeMap::new(),
            other_backends: Backend::Up,
            grants: BTreeMap::new(),
            stale_groups: BTreeSet::new(),
            lost_groups: BTreeSet::new(),
            request_takes: Duration::ZERO,
            watches_held: false,
            watches_lossy: false,
            version: "v1.37.2".to_owned(),
        }
    }
}

/// The server.
#[derive(Default)]
pub struct World {
    /// What is stored.
    pub state: State,
    /// What tests set.
    pub settings: Settings,
    /// How long the world has existed, by its own clock.
    pub clock: Duration,
    /// The kinds that are served.
    pub kinds: Vec<Arc<Kind>>,
    /// When kinds that definitions made became usable, by resource.
    pub initialised: BTreeMap<String, Duration>,
    /// What controllers do later.
    pub due: BTreeMap<(Duration, u64), Task>,
    /// All requests so far.
    pub trace: Vec<Exchange>,
    /// What decides about faults.
    pub hook: Option<Hook>,
    /// Answers 429 for so many requests, each with that Retry-After.
    pub busy: Vec<u64>,
    /// Objects as text, by resource version.
    pub texts: BTreeMap<(u64, Form), Arc<[u8]>>,
    /// Who waits for changes.
    pub wakers: Vec<Waker>,
    /// How many changes those who wait were told of; nothing where something else than a change concerns them.
    pub told: Option<usize>,
    /// Which watches are still open; a higher number closes all that are older.
    pub watches_cut: u64,
    /// Whether the clock is tokio's, and since when.
    pub tokio_since: Option<tokio::time::Instant>,
    /// How many changes the controllers have looked at.
    pub seen: usize,
    counter: u64,
}

impl World {
    /// A cluster as it is after its start: the namespaces that always exist.
    pub fn new() -> World {
        let mut world = World { kinds: built_in(), ..World::default() };
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            let object = json!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {
                    "name": name,
                    "uid": world.uid(),
                    "creationTimestamp": world.now(),
                    "labels": {"kubernetes.io/metadata.name": name},
                },
                "spec": {"finalizers": ["kubernetes"]},
                "status": {"phase": "Active"},
            });
            world.state.put(&Key::new("namespaces", "", name), object);
        }
        world.tick();
        world.state.compact(0);
        world
    }

    /// The time, as objects have it.
    pub fn now(&self) -> String {
        self.time_after(Duration::ZERO)
    }

    fn time_after(&self, more: Duration) -> String {
        let seconds = BEGINNING + (self.clock + more).as_secs().cast_signed();
        let time = OffsetDateTime::from_unix_timestamp(seconds).expect("a time within reason");
        time.format(&Rfc3339).expect("a format that exists")
    }

    /// An id that nothing else has.
    pub fn uid(&mut self) -> String {
        self.counter += 1;
        format!("00000000-0000-4000-8000-{:012x}", self.counter)
    }

    /// The end of a generated name.
    pub fn suffix(&mut self) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        self.counter += 1;
        let mut left = self.counter;
        let mut suffix = String::new();
        for _ in 0..5 {
            let index = usize::try_from(left).unwrap_or_default() % LETTERS.len();
            suffix.push(char::from(LETTERS[index]));
            left /= LETTERS.len() as u64;
        }
        suffix
    }

    /// Has something done after a while.
    pub fn later(&mut self, after: Duration, task: Task) {
        self.counter += 1;
        self.due.insert((self.clock + after, self.counter), task);
    }

    /// Lets the clock follow tokio's, if it is to.
    pub fn read_clock(&mut self) {
        if let Some(since) = self.tokio_since {
            self.clock = self.clock.max(since.elapsed());
        }
    }

    /// The kind of a resource, in any version.
    pub fn kind(&self, resource: &str) -> Option<Arc<Kind>> {
        self.kinds.iter().find(|kind| kind.resource() == resource).cloned()
    }

    /// The kind of an object.
    pub fn kind_of(&self, object: &Value) -> Option<Arc<Kind>> {
        let is = |kind: &&Arc<Kind>| object["kind"] == kind.kind.as_str() && object["apiVersion"] == kind.api_version();
        self.kinds.iter().find(is).cloned()
    }

    /// Learns which kinds definitions make.
    pub fn read_definitions(&mut self) {
        let mut kinds = built_in();
        for (_, definition) in self.state.list("customresourcedefinitions.apiextensions.k8s.io", None) {
            let conditions = definition.pointer("/status/conditions").and_then(Value::as_array);
            let is_established = |c: &Value| c["type"] == "Established" && c["status"] == "True";
            if conditions.is_some_and(|all| all.iter().any(is_established)) {
                kinds.extend(defined(definition).into_iter().map(Arc::new));
            }
        }
        let names: BTreeSet<String> = kinds.iter().filter(|kind| kind.custom).map(|kind| kind.resource()).collect();
        self.initialised.retain(|resource, _| names.contains(resource));
        for name in names {
            self.initialised.entry(name).or_insert(self.clock + self.settings.initialise_for);
        }
        self.kinds = kinds;
    }

    /// Refuses what a new kind is not ready for.
    pub fn is_initialising(&self, kind: &Kind) -> Option<Answer> {
        let until = self.initialised.get(&kind.resource())?;
        (self.clock < *until).then(|| Answer::too_many("storage is (re)initializing", 1))
    }
}

impl Key {
    /// The key of a stored object of a kind.
    pub fn of(kind: &Kind, object: &Value) -> Key {
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
        let namespace = if kind.namespaced { text("namespace") } else { "" };
        Key::new(&kind.resource(), namespace, text("name"))
    }
}
