//! The shell around [`crate::sync`]: sends what it decides to an API server, and hands the answers back.
//!
//! Everything of a pass happens in one task, so that nothing needs a lock and a test can replay it: what is concurrent
//! are requests, not decisions.

pub mod ask;
pub mod gateway;
pub mod lease;
pub mod pass;
pub mod preview;
pub mod reading;
pub mod running;
pub mod unit;
pub mod watch;

use std::time::Duration;

use time::OffsetDateTime;

use crate::sync::gates::Budget;

/// What a pass is about, and how careful it is.
#[derive(Clone)]
pub struct Settings {
    /// The installation: the Platform's `metadata.name`.
    pub installation: String,
    /// The platform's namespace.
    pub namespace: String,
    /// Only these tenants; empty: everything.
    pub tenants: Vec<String>,
    /// How many deletions are plausible.
    pub budget: Budget,
    /// Whether anything is deleted at all.
    pub deletes: bool,
    /// Whether this runs in the cluster, as the platform renders it.
    pub inside: bool,
    /// How long a unit waits for what it applied to work.
    pub wait: Duration,
    /// Who this is, to other processes that want the Lease.
    pub identity: String,
    /// How long a Lease is held without being renewed.
    pub lease: Duration,
    /// The time, for people.
    pub clock: fn() -> OffsetDateTime,
}
