//! T7: git changes at any moment of a pass. What is under way ends, nothing more is begun, and the newest commit wins.

use k8s_mtp::engine::{Gateway, Stop};
use tokio::sync::Notify;

use std::sync::Arc;

use super::crashes::all_or_some;
use crate::installation::{Git, clean, inventory, ours, pass_of, picture, run, settings, two};
use crate::order::Order;
use crate::server::{Fault, Server};

/// Commits that follow one another: what the first one brought, the second one takes away.
fn commits() -> [Git; 3] {
    let first = two();
    let second = first
        .tenant("a", "  tier: pro\n  operators: [carol@example.org]\n  namespaces: [{name: more}]\n")
        .tenant("c", "  tier: free\n  admins: [dave@example.org]\n");
    let third = second
        .tenant("a", "  tier: free\n  viewers: [vera@example.org]\n  namespaces: [{name: more, state: retired}]\n")
        .tenant("c", "  tier: pro\n  admins: [erin@example.org]\n");
    [first, second, third]
}

#[tokio::test(start_paused = true)]
async fn the_newest_commit_wins_whenever_it_comes() {
    let [first, second, third] = commits().map(|git| git.fresh());
    let reference = Server::new();
    reference.follow_tokio();
    clean(pass_of(&reference, &first, &settings("one")).await);
    reference.forget_trace();
    clean(pass_of(&reference, &second, &settings("one")).await);
    let requests = reference.trace().len();
    // After the last object, a pass only tells what it did, and is not half done any more.
    let told = |path: &str| path.ends_with("/status") || path.contains("/leases/") || path.contains("/configmaps");
    let writes = reference.trace().into_iter().filter(|e| e.is_write() && !told(&e.path));
    let last = writes.map(|e| e.index).max().expect("a write");
    let reference = Server::new();
    reference.follow_tokio();
    clean(pass_of(&reference, &third, &settings("one")).await);
    let fresh = picture(&reference);
    for at in all_or_some(requests) {
        let what = format!("at request {at} of {requests}");
        let server = Server::new();
        server.follow_tokio();
        clean(pass_of(&server, &first, &settings("one")).await);
        server.forget_trace();
        let order = Order::of(&server);
        let newer = Arc::new(Notify::new());
        let noticed = Arc::clone(&newer);
        server.on_request(move |index, _| {
            if index == at {
                noticed.notify_one();
            }
            Fault::Proceed
        });
        let gateway = Gateway::new(server.client(), 7);
        let current = settings("one");
        let told = async {
            newer.notified().await;
            gateway.stop(Stop::Superseded);
            std::future::pending::<()>().await;
        };
        let passed = tokio::select! {
            biased;
            () = told => unreachable!("it is never over"),
            passed = run(&gateway, &second, &current) => passed,
        };
        server.without_faults();
        // One that ends before it has begun says so as an error: nothing was written.
        if let Ok(outcome) = &passed.outcome {
            assert!(outcome.superseded && !outcome.is_clean() || at > last, "{what}: {outcome:?}");
        }
        order.check(&server, &what);
        // No write begins after that.
        let writes = server.trace().into_iter().filter(|e| e.is_write() && e.index > at).collect::<Vec<_>>();
        assert!(writes.len() <= 16, "{what}: {writes:#?}");
        gateway.go_on();
        let second_pass = run(&gateway, &third, &current).await;
        clean(second_pass);
        order.check(&server, &what);
        // Only what a Namespace was before it was retired may tell a cluster with a past from one without.
        assert_eq!(picture(&server).keys().collect::<Vec<_>>(), fresh.keys().collect::<Vec<_>>(), "{what}");
        assert_eq!(picture(&server), fresh, "{what}");
        assert_eq!(inventory(&server), ours(&server), "{what}");
        assert_eq!(pass_of(&server, &third, &settings("two")).await.counts.writes, 0, "{what}");
    }
}
