//! T3: reads from an earlier state. Nothing that git holds is deleted, and no grant comes back.

use crate::installation::{Git, clean, inventory, ours, pass_of, picture, settings, two};
use crate::order::{Order, deletions};
use crate::server::{Fault, Server};

#[tokio::test(start_paused = true)]
async fn what_is_read_too_late_deletes_nothing_and_grants_nothing() {
    let commits: Vec<_> = [
        two(),
        two().tenant("a", "  tier: free\n  admins: [carol@example.org]\n"),
        two().tenant("a", "  tier: free\n  admins: [carol@example.org]\n").tenant("c", "  tier: free\n"),
    ]
    .iter()
    .map(Git::fresh)
    .collect();
    let last = commits.last().expect("one");
    let reference = Server::new();
    reference.follow_tokio();
    for commit in &commits {
        clean(pass_of(&reference, commit, &settings("one")).await);
    }
    let expected = picture(&reference);
    reference.forget_trace();
    for lag in [1, 2, 3, 5, 8, 13, 21, 34, 55] {
        let server = Server::new();
        server.follow_tokio();
        for commit in &commits {
            clean(pass_of(&server, commit, &settings("one")).await);
        }
        server.forget_trace();
        let revision = server.revision();
        server.on_request(move |_, asked| {
            // The Lease is the one thing that everybody reads from the leader.
            if asked.path.contains("/leases/") { Fault::Proceed } else { Fault::StaleRead(lag) }
        });
        let _ = pass_of(&server, last, &settings("one")).await.outcome;
        server.without_faults();
        let wanted: Vec<String> = deletions(&server);
        assert_eq!(wanted, Vec::<String>::new(), "lag {lag}: something was deleted");
        for change in server.changes().iter().filter(|change| change.revision > revision) {
            let granted = change.after.as_ref().is_some_and(|object| object.to_string().contains("alice@example.org"));
            assert!(!granted, "lag {lag}: a grant came back: {:?}", change.key);
        }
        clean(pass_of(&server, last, &settings("two")).await);
        Order::of_all().check(&server, &format!("lag {lag}"));
        assert_eq!(picture(&server), expected, "lag {lag}");
        assert_eq!(inventory(&server), ours(&server), "lag {lag}");
    }
}
