//! `mtp policy`: what the admission policies say of pods, without a cluster.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{Shell, Stream};
use crate::cli::Exit;
use crate::diagnostic::{Findings, has_errors};
use crate::disk;
use crate::inputs::{Input, Inputs};
use crate::policy::{POLICIES, manifests};
use crate::report::{Report, count};

/// Options of the command.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Say which containers break which policy: of pods, of workloads that have pods, of AdmissionReviews
    Review {
        /// Files of manifests, folders of them, or `-` for standard input
        #[arg(required = true, value_name = "FILE|DIR|-")]
        paths: Vec<PathBuf>,
    },
    /// List the policies; `mtp explain ID` says more of one
    List,
}

/// Runs the command.
pub fn run(options: &Options, shell: &mut Shell<'_>) -> Result<Exit> {
    match &options.what {
        What::List => {
            let lines: String = POLICIES.iter().map(|policy| format!("{:<22}{}\n", policy.id, policy.title)).collect();
            shell.answer(&lines)?;
            Ok(Exit::Clean)
        }
        What::Review { paths } => review(paths, shell),
    }
}

fn review(paths: &[PathBuf], shell: &mut Shell<'_>) -> Result<Exit> {
    let (mut findings, mut pods, mut inputs) = (Findings::default(), 0, Inputs::default());
    for (name, bytes) in disk::read_manifests(paths)? {
        let name: Arc<str> = name.into();
        pods += manifests::review(&name, &bytes, &mut findings);
        // For excerpts.
        inputs.insert(name, Input::Bytes(bytes.into()));
    }
    let diagnostics = findings.into_sorted();
    // What could not be read was not decided; what was read and refused was.
    let undecided = diagnostics.iter().any(|d| crate::policy::find(d.rule).is_none());
    let refused = has_errors(&diagnostics);
    let report = Report { command: "policy review", diagnostics, ..Report::default() };
    shell.report(&report, &inputs, Stream::Out)?;
    if !refused && !shell.machine_reads() && !shell.is_quiet() {
        shell.answer(&format!("{} in {} keep to the policies\n", count(pods, "pod"), count(inputs.len(), "file")))?;
    }
    Ok(match (undecided, refused) {
        (true, _) => Exit::Failed,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Clean,
    })
}
