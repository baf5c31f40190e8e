//! Tests against a real Kubernetes control plane: what `mtp` renders is accepted, stored as meant, and isolates.

mod accepted;
mod benchmark;
mod client;
mod control_plane;
mod fixture;
mod harness;
mod kubectl;
mod manifests;
mod pods;
mod process;
mod programs;
mod rights;
mod states;
mod stored;
mod workloads;
