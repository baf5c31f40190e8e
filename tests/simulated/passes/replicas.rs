//! T6: two processes at once. One of them writes at a time, and where a Lease is lost at the worst moment no harm is done.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_mtp::engine::{Fresh, Gateway};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::crashes::all_or_some;
use crate::installation::{Git, clean, fleet, inventory, ours, pass_of, picture, run, settings, told, two};
use crate::order::Order;
use crate::server::{Effect, Fault, Key, Server};

const LEASES: &str = "leases.coordination.k8s.io";

/// Commits with something of everything: what comes, what changes, and what goes.
fn commits() -> Vec<Fresh> {
    let first =
        two().tenant("d", "  tier: pro\n  viewers: [vera@example.org]\n  egress: {allow: [{cidr: 203.0.113.0/24}]}\n");
    let retired = first.tenant("b", "  tier: pro\n  state: retired\n");
    let last = retired
        .without("b")
        .tenant("a", "  tier: pro\n  admins: [carol@example.org]\n")
        .tenant("c", "  tier: free\n")
        .tenant("d", "  tier: free\n");
    [first, retired, last].iter().map(Git::fresh).collect()
}

async fn prepared(commits: &[Fresh]) -> Server {
    let server = Server::new();
    server.follow_tokio();
    for fresh in commits {
        clean(pass_of(&server, fresh, &settings("earlier")).await);
    }
    server.forget_trace();
    server
}

/// Removes what a process removed from what others may still remove; a second removal is a mistake.
fn removed_once(server: &Server, expected: &BTreeMap<(String, String, String), Value>, what: &str) {
    let mut removed: BTreeMap<Key, usize> = BTreeMap::new();
    for effect in server.trace().iter().flat_map(|exchange| &exchange.effects) {
        if let Effect::Removed(key) = effect {
            *removed.entry(key.clone()).or_default() += 1;
            let wanted = expected.contains_key(&(key.resource.clone(), key.namespace.clone(), key.name.clone()));
            assert!(!wanted, "{what}: {key:?} is wanted and was deleted");
        }
    }
    removed.retain(|_, times| *times > 1);
    assert!(removed.is_empty(), "{what}: deleted again: {removed:?}");
}

#[tokio::test(start_paused = true)]
async fn two_at_once_do_what_one_does() {
    let commits = commits();
    let (last, before) = commits.split_last().expect("some");
    let reference = prepared(&commits).await;
    let expected = picture(&reference);
    let server = prepared(before).await;
    let order = Order::of(&server);
    let gateways = ["one", "two"].map(|user| Gateway::new(server.client_of(user), 7));
    let (settings_one, settings_two) = (settings("one"), settings("two"));
    let (one, two) = tokio::join!(run(&gateways[0], last, &settings_one), run(&gateways[1], last, &settings_two));
    clean(one);
    clean(two);
    order.check(&server, "two at once");
    removed_once(&server, &expected, "two at once");
    assert_eq!(picture(&server), expected);
    assert_eq!(inventory(&server), ours(&server));
    // All writes of one stand before all of the other: there is a Lease.
    let users: Vec<String> = server
        .trace()
        .into_iter()
        .filter(|e| e.is_write() && !e.effects.is_empty() && !e.path.contains("/leases"))
        .map(|e| e.user)
        .collect();
    let changes = users.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(changes <= 1, "{users:?}");
}

/// From some request on, the network of one holds everything back for longer than its Lease, and delivers it then.
#[tokio::test(start_paused = true)]
async fn a_lease_that_is_lost_at_any_request_does_no_harm() {
    let commits = commits();
    let (last, before) = commits.split_last().expect("some");
    let reference = prepared(before).await;
    clean(pass_of(&reference, last, &settings("one")).await);
    let (expected, requests) = (picture(&reference), reference.trace().len());
    for delay in [12, 25, 40] {
        for at in all_or_some(requests) {
            let what = format!("request {at} of {requests}, {delay} s");
            let server = prepared(before).await;
            let order = Order::of(&server);
            let mut asked_by_one = 0;
            server.on_request(move |_, asked| {
                if asked.user != "one" {
                    return Fault::Proceed;
                }
                asked_by_one += 1;
                // What is held back comes when the other is in the midst of it, or done.
                if asked_by_one > at && asked_by_one <= at + 20 {
                    Fault::Delay(Duration::from_secs(delay))
                } else {
                    Fault::Proceed
                }
            });
            let gateways = ["one", "two"].map(|user| Gateway::new(server.client_of(user), 7));
            let (settings_one, settings_two) = (settings("one"), settings("two"));
            let later = async {
                sleep(Duration::from_millis(1)).await;
                run(&gateways[1], last, &settings_two).await
            };
            // Whether they end well or not is the next pass's to see.
            let _ = tokio::join!(run(&gateways[0], last, &settings_one), later);
            // What the network still holds arrives.
            sleep(Duration::from_secs(60)).await;
            server.without_faults();
            order.check(&server, &what);
            removed_once(&server, &expected, &what);
            let third = pass_of(&server, last, &settings("three")).await;
            let outcome = third.outcome.unwrap_or_else(|error| panic!("{what}: {error:#}"));
            assert!(outcome.is_clean(), "{what}: {}", told(&outcome));
            order.check(&server, &what);
            assert_eq!(picture(&server), expected, "{what}");
            assert_eq!(inventory(&server), ours(&server), "{what}");
            server.forget_trace();
            let idle = pass_of(&server, last, &settings("four")).await;
            let writes: Vec<_> = server.trace().into_iter().filter(|e| e.is_write()).map(|e| e.to_string()).collect();
            assert_eq!(idle.counts.writes, 0, "{what}: {writes:#?}");
        }
    }
}

/// However many requests there are to send, the Lease is renewed in time, and a fleet's first pass comes to its end.
#[tokio::test(start_paused = true)]
async fn a_long_pass_keeps_its_lease() {
    let server = Server::new();
    server.follow_tokio();
    let mut renewals = 0;
    server.on_request(move |_, asked| {
        renewals += usize::from(asked.method == "PUT" && asked.path.contains("/leases/"));
        match renewals {
            // One that never comes, and one whose answer never does.
            3 if asked.path.contains("/leases/") => Fault::Delay(Duration::from_secs(60)),
            6 if asked.path.contains("/leases/") => Fault::DelayAnswer(Duration::from_secs(60)),
            // Longer than the Lease is held without being renewed, in each part of the pass that is one request a tenant.
            _ => Fault::Delay(Duration::from_secs(1)),
        }
    });
    let git = fleet(100).fresh();
    clean(pass_of(&server, &git, &settings("one")).await);
    server.without_faults();
    server.forget_trace();
    assert_eq!(pass_of(&server, &git, &settings("two")).await.counts.writes, 0);
}

/// A process that lost its Lease writes nothing more, whatever it was about to do.
#[tokio::test(start_paused = true)]
async fn who_lost_the_lease_writes_nothing_more() {
    let commits = commits();
    let (last, before) = commits.split_last().expect("some");
    let server = prepared(before).await;
    let stolen = server.clone();
    let mut writes = 0;
    server.on_request(move |_, asked| {
        let is_write = asked.method != "GET" && !asked.path.contains("/leases");
        writes += usize::from(is_write);
        if writes == 3 && is_write {
            // Somebody takes it, and this one does not hear of it before its Lease is over.
            stolen.edit("thief", LEASES, "k8s-mtp", "k8s-mtp-sync", |lease| {
                lease["spec"]["holderIdentity"] = json!("thief");
            });
            return Fault::DelayAnswer(Duration::from_secs(20));
        }
        Fault::Proceed
    });
    let passed = pass_of(&server, last, &settings("one")).await;
    let error = format!("{:#}", passed.outcome.map(|outcome| told(&outcome)).expect_err("it was lost"));
    assert!(error.contains("the Lease was lost"), "{error}");
    let all = server.trace();
    let written = |e: &&crate::server::Exchange| e.is_write() && !e.path.contains("/leases");
    // Those that were under way with the third one had been sent already.
    assert!(all.iter().filter(written).count() <= 3 + 16, "{all:#?}");
    let lease = server.get(LEASES, "k8s-mtp", "k8s-mtp-sync").expect("a Lease");
    assert_eq!(lease["spec"]["holderIdentity"], "thief");
}

fn lease_of(holder: &str) -> Value {
    json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "k8s-mtp-sync", "namespace": "k8s-mtp"},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15, "leaseTransitions": 4,
            "renewTime": "1970-01-01T00:00:00.000000Z"}})
}

/// A server on which somebody else has the Lease.
async fn held(commits: &[Fresh]) -> Server {
    let server = prepared(commits).await;
    server.delete(LEASES, "k8s-mtp", "k8s-mtp-sync");
    server.create("other", &lease_of("the-other-one"));
    server
}

#[tokio::test(start_paused = true)]
async fn whoever_keeps_the_lease_is_named() {
    let commits = commits();
    let (last, before) = commits.split_last().expect("some");
    let server = held(before).await;
    let before = picture(&server);
    let renewing = async {
        for second in 0.. {
            sleep(Duration::from_secs(4)).await;
            server.edit("other", LEASES, "k8s-mtp", "k8s-mtp-sync", |lease| {
                lease["spec"]["renewTime"] = json!(format!("1970-01-01T00:00:00.{second:06}Z"));
            });
        }
    };
    let settings = settings("one");
    let passed = tokio::select! {
        () = renewing => unreachable!("it is renewed for ever"),
        passed = pass_of(&server, last, &settings) => passed,
    };
    let error = format!("{:#}", passed.outcome.map(|outcome| told(&outcome)).expect_err("it is held"));
    assert!(error.contains("`the-other-one` holds Lease `k8s-mtp/k8s-mtp-sync`"), "{error}");
    assert_eq!((picture(&server), passed.counts.writes), (before, 0));
    // Nothing to do needs no Lease.
    let idle = pass_of(&server, &commits[1], &settings).await;
    assert_eq!(idle.counts.writes, 0);
    clean(idle);
}

/// Its time is measured by whoever waits: what the other's clock wrote says nothing.
#[tokio::test(start_paused = true)]
async fn a_lease_that_is_over_is_taken_over() {
    let commits = commits();
    let (last, before) = commits.split_last().expect("some");
    let server = held(before).await;
    let start = Instant::now();
    clean(pass_of(&server, last, &settings("one")).await);
    assert!(start.elapsed() >= Duration::from_secs(15), "{:?}", start.elapsed());
    let first = server.trace().into_iter().find(|e| e.is_write()).expect("a write");
    assert!(first.path.contains("/leases/"), "{first}");
    let lease = server.get(LEASES, "k8s-mtp", "k8s-mtp-sync").expect("a Lease");
    assert_eq!((&lease["spec"]["leaseTransitions"], &lease["spec"]["holderIdentity"]), (&json!(5), &json!("")));
}
