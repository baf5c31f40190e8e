//! Integration tests: one binary, one module a subject, all through the front door.
#![expect(clippy::disallowed_methods, reason = "tests read and write files")]

mod abuse;
mod cases;
mod cel;
mod certs;
mod cli;
mod corpus;
mod defects;
mod disk;
mod forms;
mod gate;
mod generated_pods;
mod gitops;
mod history;
mod hostile;
mod intruders;
mod invariance;
mod lint;
mod mtp;
mod pod_security;
mod policies;
mod policy;
mod readers;
mod restrictions;
mod reviews;
mod rotation;
mod sample;
mod serving;
mod sync;
mod tidy;
mod tools;
mod webhook;
mod world;
