//! `sync`: what brings a cluster to what was reviewed, and keeps it there. This is the part that decides.
//!
//! [`want`] is what git holds, [`live`] what the cluster has, [`inventory`] what of it we put there, [`actions`] what
//! follows from the three, and [`answer`] what the cluster's answers mean. [`crate::cluster`] carries it out.

pub mod actions;
pub mod answer;
pub mod difference;
pub mod digest;
pub mod discovery;
pub mod fields;
pub mod gates;
pub mod grants;
pub mod health;
pub mod inventory;
pub mod live;
pub mod outcome;
pub mod ownership;
pub mod reason;
pub mod revocations;
pub mod tenant_status;
pub mod want;

use std::fmt;
use std::sync::Arc;

/// What succeeds or fails as one: the platform's own objects, or those of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// What belongs to no tenant.
    Platform,
    /// A tenant, by its name.
    Tenant(Arc<str>),
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unit::Platform => f.write_str("platform"),
            Unit::Tenant(name) => write!(f, "tenant `{name}`"),
        }
    }
}
