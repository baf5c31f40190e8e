//! What a pass does when nothing goes wrong.

use crate::installation::{clean, inventory, ours, pass_of, picture, settings, two};
use crate::order::Order;
use crate::server::Server;

#[tokio::test(start_paused = true)]
async fn a_cluster_becomes_what_git_holds_and_stays_so() {
    let server = Server::new();
    server.follow_tokio();
    let fresh = two().fresh();
    let first = clean(pass_of(&server, &fresh, &settings("one")).await);
    assert!(first.units.len() == 3 && first.units.iter().all(|unit| !unit.done.is_empty()), "{first:?}");
    assert_eq!(inventory(&server), ours(&server), "the inventory is the cluster's");
    let before = picture(&server);

    let revision = server.revision();
    let again = pass_of(&server, &fresh, &settings("two")).await;
    assert_eq!(again.counts.writes, 0, "an idle pass writes nothing");
    clean(again);
    assert_eq!(server.revision(), revision);
    assert_eq!(picture(&server), before);
    Order::of_all().check(&server, "an install");
}
