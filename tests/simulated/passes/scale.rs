//! T11: what a pass costs, by the number of objects: requests always, memory and time when somebody measures.

use std::collections::BTreeSet;
use std::time::Instant;

use k8s_mtp::engine::Counts;

use crate::installation::{clean, fleet, inventory, pass_of, settings};
use crate::server::Server;

/// What an installation has and costs.
struct Cost {
    objects: usize,
    kinds: usize,
    first: Counts,
    idle: Counts,
}

async fn cost(tenants: usize) -> Cost {
    let server = Server::new();
    server.follow_tokio();
    let fresh = fleet(tenants).fresh();
    let begin = Instant::now();
    let first = pass_of(&server, &fresh, &settings("one")).await;
    let first_counts = first.counts;
    clean(first);
    let took = begin.elapsed();
    server.forget_trace();
    let before = memory("VmRSS");
    // What the most was so far is forgotten.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let begin = Instant::now();
    let idle = pass_of(&server, &fresh, &settings("two")).await;
    let idle_counts = idle.counts;
    clean(idle);
    let objects = inventory(&server);
    println!(
        "{} objects: first {:.1} s, {} requests; idle {:.2} s, {} pages of lists and {} objects read, at most {} MiB on top; \
         the server's own part included",
        objects.len(),
        took.as_secs_f64(),
        first_counts.writes + first_counts.lists + first_counts.gets,
        begin.elapsed().as_secs_f64(),
        idle_counts.lists,
        idle_counts.gets,
        memory("VmHWM").saturating_sub(before) / 1024,
    );
    let kinds: BTreeSet<&str> = objects.iter().filter_map(|(id, _)| id.split_whitespace().next()).collect();
    Cost { objects: objects.len(), kinds: kinds.len(), first: first_counts, idle: idle_counts }
}

/// A line of `/proc/self/status`, in KiB; nothing where there is none.
fn memory(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

fn check(cost: &Cost) {
    let Cost { objects, kinds, first, idle } = cost;
    assert_eq!(idle.writes, 0);
    assert!(idle.lists <= kinds + objects / 500 + 12, "{} pages of lists, {objects} objects", idle.lists);
    assert!(idle.gets <= 12, "{} objects read one by one", idle.gets);
    // An object once; of each tenant the inventory twice, and what its Tenant is told.
    assert!(first.writes <= objects + objects / 4 + 30, "{} writes, {objects} objects", first.writes);
}

/// Ten times as many objects are ten times as many requests, and a pass with nothing to do asks for pages alone.
#[tokio::test(start_paused = true)]
async fn requests_grow_with_objects() {
    for tenants in [10, 100] {
        check(&cost(tenants).await);
    }
}

/// By hand, in a build with optimizations: `MTP_TENANTS=1000,10000 cargo test --profile bench-cli --test simulated
/// how_it_grows -- --ignored --nocapture`.
#[tokio::test(start_paused = true)]
#[ignore = "a measurement"]
async fn how_it_grows() {
    let said = std::env::var("MTP_TENANTS").unwrap_or_else(|_| "100,1000".to_owned());
    for tenants in said.split(',') {
        check(&cost(tenants.parse().expect("a number of tenants")).await);
    }
}
