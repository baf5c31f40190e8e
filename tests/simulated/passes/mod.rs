//! `mtp sync` on the simulated server.

mod answers;
mod basics;
mod blocked;
mod crashes;
mod drift;
mod foreign;
mod lifecycle;
mod others;
mod random;
mod replicas;
mod revisions;
mod scale;
mod sources;
mod stale;
mod tenants;
mod unread;
