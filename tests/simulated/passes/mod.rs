//! `mtp sync` on the simulated server.

mod answers;
mod basics;
mod crashes;
mod stale;
