//! `mtp sync` on the simulated server.

mod basics;
