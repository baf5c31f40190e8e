//! k8s-mtp: tenant YAML in, plain Kubernetes manifests out.
//!
#![doc = include_str!("README.md")]

// In reading order: the pipeline, what it stands on, the shell.
pub mod cli;
pub mod lint;

mod contract;
mod emit;
mod gitops;
mod objects;
mod parse;
mod plan;
mod policy;
mod removals;
mod rendered;
mod review;
mod rules;
mod sync;
mod templates;
mod tree;
mod webhook;

mod certs;
mod cidr;
mod diagnostic;
mod identity;
mod inputs;
mod names;
mod place;
mod quantity;
mod report;
mod scaffold;
mod schema;
mod yaml;

mod cluster;
mod commands;
mod disk;
mod history;
mod server;

pub use diagnostic::{Diagnostic, Findings, Severity};
pub use inputs::{Input, Inputs};
pub use place::Place;
pub use rendered::Rendered;
pub use webhook::{Answer, Verdict, View, mutate, validate};

/// The Pod Security Standards by version: for tests that hold them against an API server and against their own CEL texts.
pub mod standards {
    pub use crate::contract::platform::PodSecurityLevel;
    pub use crate::policy::json::Json;
    pub use crate::policy::pod_security::{
        CONTROLS, Control, Example, Minor, Refusal, Subject, Violation, in_force, message, review,
    };
}

/// What brings a cluster to a render, without a command around it: for tests that put a simulated cluster below it, and
/// for measurements.
pub mod engine {
    pub use crate::cluster::Settings;
    pub use crate::cluster::gateway::{Counts, Gateway, Stop};
    pub use crate::cluster::pass::{Held, Progress, pass};
    pub use crate::policy::pod::Pod;
    pub use crate::policy::{POLICIES, Policy, SPEC, restrictions};
    pub use crate::sync::Unit;
    pub use crate::sync::gates::Budget;
    pub use crate::sync::outcome::{Done, Outcome, Problem, State, UnitOutcome};
    pub use crate::sync::want::{Fresh, Source};
}

/// Renders the whole platform: a pure function of the bytes below `tenants/`. With an error among the diagnostics,
/// [`Rendered`] is empty.
pub fn render(inputs: &Inputs) -> (Rendered, Vec<Diagnostic>) {
    render_each(inputs, &|_, _| {})
}

/// As [`render`], and hands the files of each folder (that of the platform, one a tenant) to `each` as soon as they are
/// made, in no order and in parallel. What `each` takes is not kept, so that a fleet can be compared with a disk in the
/// memory of what differs. With an error among the diagnostics, what `each` got is void.
pub fn render_each(inputs: &Inputs, each: rendered::Each<'_>) -> (Rendered, Vec<Diagnostic>) {
    let (parsed, found) = parse::parse(inputs);
    let mut findings = Findings::default();
    findings.extend(found);
    // Another version of mtp may not understand the rest: that is said alone.
    if let Some(refusal) = wrong_version(&parsed) {
        return (Rendered::default(), refusal);
    }
    let (plan, found) = plan::plan(parsed);
    findings.extend(found);
    let Some(mut plan) = plan else { return (Rendered::default(), findings.into_sorted()) };
    rules::check(&plan, &mut findings);
    if !findings.has_errors() {
        templates::expand(&mut plan, &mut findings);
    }
    if findings.has_errors() {
        return (Rendered::default(), findings.into_sorted());
    }
    let rendered = rendered::emit(plan, each, &mut findings);
    if findings.has_errors() {
        (Rendered::default(), findings.into_sorted())
    } else {
        (rendered, findings.into_sorted())
    }
}

fn wrong_version(parsed: &parse::Parsed) -> Option<Vec<Diagnostic>> {
    let wanted = parsed.mtp_version.as_ref()?;
    let mut findings = Findings::default();
    let at = wanted.at(wanted.content.span);
    rules::platform::version(&wanted.content, at, env!("CARGO_PKG_VERSION"), &mut findings);
    findings.has_errors().then(|| findings.into_sorted())
}
