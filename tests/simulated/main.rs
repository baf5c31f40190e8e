//! The simulated API server, rule by rule. The same exchanges run against a real one in `tests/cluster/conformance.rs`.
#![expect(clippy::disallowed_methods, reason = "tests read what was recorded")]

mod controllers;
#[allow(dead_code, reason = "some exchanges are for a real server alone to judge")]
mod exchanges;
mod faults;
mod installation;
mod order;
mod passes;
mod rules;
#[allow(dead_code, reason = "a handle for all tests; each uses a part of it")]
mod server;
mod site;
mod smoke;
mod speed;
mod watches;
