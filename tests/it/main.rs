//! Integration tests: one binary, one module a subject, all through the front door.
#![expect(clippy::disallowed_methods, reason = "tests read and write files")]

mod cases;
mod certs;
mod cli;
mod corpus;
mod defects;
mod disk;
mod hostile;
mod intruders;
mod invariance;
mod mtp;
mod policy;
mod readers;
mod sample;
mod tidy;
mod tools;
