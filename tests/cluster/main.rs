//! Tests against a real Kubernetes control plane: what `mtp` renders is accepted, stored as meant, and isolates.
#![expect(clippy::disallowed_methods, reason = "tests start programs, wait for them, and read and write files")]

mod accepted;
mod benchmark;
mod client;
mod conformance;
mod control_plane;
mod engines;
mod fixture;
mod fleet;
mod flux;
mod harness;
mod judge;
mod killed;
mod kubectl;
mod manifests;
mod pod_security;
mod pods;
mod policies;
mod process;
mod programs;
mod rights;
mod secrets;
mod states;
mod stored;
mod sync;
mod sync_rights;
mod tenants;
mod trouble;
mod watch;
mod webhook;
mod workloads;

// Pods that the tests of the CEL texts look at, too.
#[path = "../it/generated_pods.rs"]
mod generated_pods;

// What the other tests have of the webhook is used here too; each uses a part of it.
#[path = "../it/mtp.rs"]
#[allow(dead_code, reason = "shared with the tests of `it`")]
mod mtp;
#[path = "../it/serving.rs"]
#[allow(dead_code, reason = "shared with the tests of `it`")]
mod serving;
#[path = "../it/tools.rs"]
#[allow(dead_code, reason = "shared with the tests of `it`")]
mod tools;
#[path = "../it/world.rs"]
#[allow(dead_code, reason = "shared with the tests of `it`")]
mod world;

// The simulated API server and what it is compared in.
#[path = "../simulated/exchanges/mod.rs"]
mod exchanges;
#[path = "../simulated/server/mod.rs"]
#[allow(dead_code, reason = "shared with the tests of `simulated`")]
mod server;
