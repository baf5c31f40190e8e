//! T1: a crash before, during and after every request; the next pass ends as one that nothing happened to.

use std::cmp::Ordering;
use std::sync::Arc;

use k8s_mtp::engine::Fresh;
use tokio::sync::Notify;

use crate::installation::{Git, clean, inventory, ours, pass_of, picture, settings, two};
use crate::order::Order;
use crate::server::{Failure, Fault, Server};

/// A change of git, and what is in the cluster before it.
struct Scenario {
    name: &'static str,
    /// Commits that were applied before, one after the other.
    before: Vec<Git>,
    /// The commit that is applied when the crash comes.
    then: Git,
}

fn scenarios() -> Vec<Scenario> {
    let first = two();
    let retired = first.tenant("b", "  tier: pro\n  state: retired\n");
    let people = first.tenant("a", "  tier: free\n  admins: [carol@example.org]\n  operators: [vera@example.org]\n");
    let tier = first.tenant("a", "  tier: pro\n  admins: [alice@example.org]\n  viewers: [vera@example.org]\n");
    let more = first.tenant("c", "  tier: pro\n  namespaces: [{name: extra}]\n");
    vec![
        Scenario { name: "install", before: vec![], then: first.clone() },
        Scenario { name: "tenant added", before: vec![first.clone()], then: more },
        Scenario { name: "people changed", before: vec![first.clone()], then: people },
        Scenario { name: "tier changed", before: vec![first.clone()], then: tier },
        Scenario { name: "tenant retired", before: vec![first.clone()], then: retired.clone() },
        Scenario { name: "tenant removed", before: vec![first, retired.clone()], then: retired.without("b") },
    ]
}

/// A cluster to which commits were applied.
async fn prepared(before: &[Fresh]) -> Server {
    let server = Server::new();
    server.follow_tokio();
    for fresh in before {
        clean(pass_of(&server, fresh, &settings("earlier")).await);
    }
    server.forget_trace();
    server
}

/// Where the crash comes.
#[derive(Debug, Clone, Copy)]
pub enum Crash {
    BeforeSending,
    BeforeTheAnswer,
    AfterTheAnswer,
}

/// By themselves, tests try some requests; with `MTP_ALL`, as `ci/test` does, all of them.
pub fn all_or_some(requests: usize) -> impl Iterator<Item = usize> {
    (0..requests).step_by(if std::env::var_os("MTP_ALL").is_some() { 1 } else { 11 })
}

macro_rules! scenarios {
    ($($name:ident: $index:literal,)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            a_crash_at_any_request_leaves_nothing_behind(scenarios().swap_remove($index)).await;
        }
    )*};
}

scenarios! {
    install: 0,
    tenant_added: 1,
    people_changed: 2,
    tier_changed: 3,
    tenant_retired: 4,
    tenant_removed: 5,
}

async fn a_crash_at_any_request_leaves_nothing_behind(scenario: Scenario) {
    {
        let before: Vec<Fresh> = scenario.before.iter().map(Git::fresh).collect();
        let then = scenario.then.fresh();
        let server = prepared(&before).await;
        clean(pass_of(&server, &then, &settings("one")).await);
        let (expected, requests) = (picture(&server), server.trace().len());
        assert!(requests > 20, "{}: {requests} requests", scenario.name);

        for at in all_or_some(requests) {
            for crash in [Crash::BeforeSending, Crash::BeforeTheAnswer, Crash::AfterTheAnswer] {
                let what = format!("{}, request {at}, crash {crash:?}", scenario.name);
                let server = prepared(&before).await;
                crashed(&server, &then, at, crash).await;
                let order = Order::of(&server);
                // Whoever comes next does not know the process that crashed, and waits for its Lease.
                let passed = pass_of(&server, &then, &settings("two")).await;
                let outcome = passed.outcome.unwrap_or_else(|error| panic!("{what}: {error:#}"));
                assert!(outcome.is_clean(), "{what}: {}", crate::installation::told(&outcome));
                order.check(&server, &what);
                assert_eq!(picture(&server), expected, "{what}");
                assert_eq!(inventory(&server), ours(&server), "{what}");
                let idle = pass_of(&server, &then, &settings("three")).await;
                assert_eq!(idle.counts.writes, 0, "{what}: the next pass writes");
            }
        }
    }
}

/// Runs a pass that ends at a request: from then on, nothing reaches the server.
pub async fn crashed(server: &Server, fresh: &Fresh, at: usize, crash: Crash) {
    let first = server.trace().len();
    let dead = Arc::new(Notify::new());
    let noticed = Arc::clone(&dead);
    server.on_request(move |index, _| {
        let gone = Fault::FailBefore(Failure::Connection);
        match (crash, (index - first).cmp(&at)) {
            (Crash::BeforeTheAnswer, Ordering::Equal) => {
                noticed.notify_one();
                Fault::FailAfter(Failure::Connection)
            }
            (Crash::BeforeSending, Ordering::Equal) | (_, Ordering::Greater) => {
                noticed.notify_one();
                gone
            }
            _ => Fault::Proceed,
        }
    });
    let settings = settings("one");
    // A process that crashed does nothing more: it is dropped where it stands.
    tokio::select! {
        biased;
        () = dead.notified() => {}
        _ = pass_of(server, fresh, &settings) => {}
    }
    server.without_faults();
}
