//! Tests against a real Kubernetes control plane: what `mtp` renders is accepted, stored as meant, and isolates.

mod accepted;
mod client;
mod control_plane;
mod fixture;
mod manifests;
mod process;
mod programs;
mod rights;
mod stored;
