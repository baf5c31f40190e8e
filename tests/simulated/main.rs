//! The simulated API server, rule by rule. The same exchanges run against a real one in `tests/cluster/conformance.rs`.

mod installation;
mod order;
mod passes;
#[allow(dead_code, unused_imports, reason = "a handle for all tests; each uses a part of it")]
mod server;
mod smoke;
