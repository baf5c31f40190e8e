//! T5: random commits, random hands of others in the cluster, and crashes at random requests. Once what blocks is seen
//! to, the cluster is what a fresh one would be.
//!
//! A seed makes the same run each time: `MTP_SEED=7 cargo test --test simulated random` plays one again. `MTP_SEEDS=5000-10000`
//! plays those from the first up to the second, `MTP_SEEDS=5000` from 0 on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_mtp::engine::{Outcome, Unit};
use serde_json::{Value, json};

use super::crashes::{Crash, crashed};
use super::others::{ADOPT, MARK};
use super::tenants::{Random, Tenants};
use crate::installation::{Git, Passed, clean, inventory, ours, pass_of, picture, settings, told};
use crate::order::Order;
use crate::server::Server;

/// How many commits a run has.
const COMMITS: usize = 6;

/// How many passes may be needed once nothing blocks any more.
const ENOUGH: usize = 6;

#[tokio::test(start_paused = true)]
async fn whatever_happens_ends_as_a_fresh_install() {
    let number = |text: &str| text.parse::<u64>().expect("a number");
    let said = |name: &str| std::env::var(name).ok();
    let seeds = match (said("MTP_SEED"), said("MTP_SEEDS")) {
        (Some(seed), _) => number(&seed)..number(&seed) + 1,
        (None, Some(seeds)) => match seeds.split_once('-') {
            Some((first, end)) => number(first)..number(end),
            None => 0..number(&seeds),
        },
        (None, None) => 0..60,
    };
    for seed in seeds {
        // Whatever fails below says which seed it was.
        let replay = Replay(seed);
        Run::new(seed).run().await;
        std::mem::forget(replay);
    }
}

struct Replay(u64);

impl Drop for Replay {
    fn drop(&mut self) {
        eprintln!("to play it again: MTP_SEED={} cargo test --test simulated random", self.0);
    }
}

/// A run of a seed.
pub struct Run {
    seed: u64,
    pub random: Random,
    pub server: Server,
    pub tenants: Tenants,
    git: Git,
    passes: usize,
    /// Objects that others made, by their UIDs.
    pub foreign: BTreeSet<String>,
    /// What happened, for people.
    pub story: Vec<String>,
}

impl Run {
    fn new(seed: u64) -> Run {
        let server = Server::new();
        server.follow_tokio();
        let mut random = Random::new(seed);
        let tenants = Tenants::new(&mut random);
        Run { seed, random, server, tenants, git: Git::new(), passes: 0, foreign: BTreeSet::new(), story: Vec::new() }
    }

    async fn run(mut self) {
        for _ in 0..COMMITS {
            for _ in 0..=self.random.below(2) {
                let what = self.tenants.change(&mut self.random);
                self.story.push(format!("git: {what}"));
            }
            self.git = self.tenants.commit(&self.git);
            for _ in 0..=self.random.below(2) {
                for _ in 0..self.random.below(4) {
                    self.drift();
                }
                self.pass().await;
            }
        }
        self.repair();
        self.settle().await;
        self.compare().await;
    }

    fn what(&self) -> String {
        format!("seed {}\n{}", self.seed, self.story.join("\n"))
    }

    /// A pass that may crash, and after which nobody has what git does not give him.
    async fn pass(&mut self) {
        self.passes += 1;
        let fresh = self.git.fresh();
        let order = Order::of(&self.server);
        self.server.forget_trace();
        if self.random.below(10) < 4 {
            let at = self.random.below(90);
            let crash = [Crash::BeforeSending, Crash::BeforeTheAnswer, Crash::AfterTheAnswer][self.random.below(3)];
            self.story.push(format!("crash {crash:?} at request {at}"));
            crashed(&self.server, &fresh, at, crash).await;
        } else {
            let passed = pass_of(&self.server, &fresh, &settings(&format!("pass-{}", self.passes))).await;
            match passed.outcome {
                Ok(outcome) => {
                    self.story.push(format!("pass: {}", told(&outcome).replace('\n', " | ")));
                    self.check_grants(&outcome);
                }
                Err(error) => self.story.push(format!("pass: {error:#}")),
            }
        }
        order.check(&self.server, &self.what());
        self.check_namespaces();
        // Of what somebody does in the same second nobody could tell whether he was there first: then it would be his.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    /// Whoever lost a right in git has it no longer, whatever else could not be done.
    fn check_grants(&self, outcome: &Outcome) {
        for binding in self.server.list("rolebindings.rbac.authorization.k8s.io", None) {
            let text = |field: &str| binding["metadata"][field].as_str().unwrap_or_default();
            let tenant = binding["metadata"]["labels"]["tenant.k8s-mtp.io/name"].as_str().unwrap_or_default();
            let failed = outcome
                .units
                .iter()
                .any(|u| u.unit == Unit::Tenant(tenant.into()) && u.problems.iter().any(|p| p.failed));
            if self.foreign.contains(text("uid")) || failed || !binding["metadata"]["deletionTimestamp"].is_null() {
                continue;
            }
            for subject in binding["subjects"].as_array().into_iter().flatten() {
                let person = subject["name"].as_str().unwrap_or_default();
                let given = self.tenants.gives(text("namespace"), text("name"), person);
                assert!(given, "{}\n{person} has {}/{}", self.what(), text("namespace"), text("name"));
            }
        }
    }

    /// A Namespace that we deleted had been retired by a commit before.
    fn check_namespaces(&self) {
        for exchange in
            self.server.trace().iter().filter(|e| e.method == "DELETE" && e.path.contains("/namespaces/tenant-"))
        {
            let Some(name) = exchange.path.strip_prefix("/api/v1/namespaces/") else { continue };
            if !name.contains('/') && !exchange.effects.is_empty() {
                assert!(self.tenants.was_retired(name), "{}\n{name} was deleted", self.what());
            }
        }
    }

    /// Passes until nothing is left to be done.
    async fn settle(&mut self) {
        let fresh = self.git.fresh();
        let mut settings = settings("last");
        settings.budget.allowed = Some(1000);
        for _ in 0..ENOUGH {
            let order = Order::of(&self.server);
            self.server.forget_trace();
            let Passed { outcome, counts } = pass_of(&self.server, &fresh, &settings).await;
            order.check(&self.server, &self.what());
            let outcome = outcome.unwrap_or_else(|error| panic!("{}\n{error:#}", self.what()));
            self.story.push(format!("last: {}", told(&outcome).replace('\n', " | ")));
            if outcome.is_clean() && counts.writes == 0 {
                return;
            }
        }
        let writes: Vec<String> =
            self.server.trace().iter().filter(|e| e.is_write()).map(ToString::to_string).collect();
        panic!("{}\nit is not done after {ENOUGH} passes: {writes:#?}", self.what());
    }

    async fn compare(&self) {
        let reference = Server::new();
        reference.follow_tokio();
        clean(pass_of(&reference, &self.git.fresh(), &settings("one")).await);
        let expected = told_apart(&reference);
        let mut now = told_apart(&self.server);
        now.retain(|key, _| expected.contains_key(key) || !self.is_foreign(key));
        let keys = |all: &BTreeMap<_, _>| all.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&now), keys(&expected), "{}", self.what());
        for (key, object) in &expected {
            assert_eq!(&now[key], object, "{}\n{key:?}", self.what());
        }
        assert_eq!(inventory(&self.server), ours(&self.server), "{}", self.what());
    }

    fn is_foreign(&self, (resource, namespace, name): &(String, String, String)) -> bool {
        let object = self.server.get(resource, namespace, name);
        object.is_some_and(|object| self.foreign.contains(object["metadata"]["uid"].as_str().unwrap_or_default()))
    }
}

/// The picture of a cluster without what others own outside of closed parts, which they may keep.
fn told_apart(server: &Server) -> BTreeMap<(String, String, String), Value> {
    let mut all = picture(server);
    for object in all.values_mut() {
        let Some(metadata) = object["metadata"].as_object_mut() else { continue };
        for field in ["labels", "annotations"] {
            if let Some(map) = metadata.get_mut(field).and_then(Value::as_object_mut) {
                map.remove(MARK);
                map.remove(ADOPT);
            }
        }
        metadata.retain(|_, value| !value.as_object().is_some_and(serde_json::Map::is_empty) && *value != json!([]));
        if let Some(managers) = metadata.get_mut("managedFields").and_then(Value::as_array_mut) {
            managers.retain(|manager| manager["manager"] == "k8s-mtp" && manager["subresource"].is_null());
        }
        if object["kind"] == "Tenant" {
            object["status"] = Value::Null;
        }
    }
    all
}
