//! `mtp sync` on the simulated server.

mod basics;
mod crashes;
