//! `mtp policy`: what the admission policies say of pods, without a cluster.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

use super::{Shell, Stream};
use crate::cli::Exit;
use crate::diagnostic::{Findings, has_errors};
use crate::disk;
use crate::inputs::{Input, Inputs};
use crate::plan::NamespacePlan;
use crate::plan::admission::exempt;
use crate::policy::manifests::Namespace;
use crate::policy::standing::{Modes, Standing};
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
        /// Judge as for this tenant: by the modes of its tiers and its exemptions (default: everything is refused)
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
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
        What::Review { paths, tenant } => review(paths, tenant.as_deref(), shell),
    }
}

/// What is known of a namespace of a tenant.
struct Known {
    name: Arc<str>,
    modes: Modes,
    exempt: BTreeMap<String, String>,
    defaults: BTreeMap<String, String>,
}

/// Reads `tenants/` for the namespaces of a tenant, its own first; `None`: errors in it were reported.
fn namespaces(tenant: &str, shell: &mut Shell<'_>) -> Result<Option<Vec<Known>>> {
    let inputs = disk::read(&shell.root()?)?;
    let (rendered, diagnostics) = crate::render(&inputs);
    let Some(plan) = rendered.plan() else {
        let report = Report { command: "policy review", diagnostics, ..Report::default() };
        shell.report(&report, &inputs, Stream::Err)?;
        return Ok(None);
    };
    let Some(found) = plan.tenants.iter().find(|t| *t.name == *tenant) else {
        bail!("there is no tenant `{tenant}` in tenants/");
    };
    let known = |namespace: &NamespacePlan| Known {
        name: Arc::clone(&namespace.name),
        modes: namespace.tier.modes,
        exempt: exempt(&plan.platform.admission, &namespace.tier, &found.name, &namespace.name),
        defaults: namespace
            .tier
            .limits
            .stored_default
            .iter()
            .map(|(k, (q, _))| ((*k).to_owned(), q.to_string()))
            .collect(),
    };
    let mut all: Vec<Known> = found.namespaces.iter().map(known).collect();
    // A manifest that states no namespace is for the tenant's own.
    let own = format!("tenant-{}-{}", found.name, found.doc.content.spec.name.value);
    all.sort_by_key(|known| *known.name != *own);
    Ok(Some(all))
}

fn review(paths: &[PathBuf], tenant: Option<&str>, shell: &mut Shell<'_>) -> Result<Exit> {
    let all = match tenant.map(|tenant| namespaces(tenant, shell)).transpose()? {
        Some(None) => return Ok(Exit::Failed),
        Some(Some(all)) => all,
        None => Vec::new(),
    };
    let nothing = BTreeMap::new();
    let elsewhere = Namespace { standing: Standing::STRICTEST, defaults: &nothing };
    let whose = |namespace: Option<&str>| {
        let known = match namespace {
            // Of a namespace that is not the tenant's, nothing is known here.
            Some(namespace) => all.iter().find(|known| *known.name == *namespace),
            None => all.first(),
        };
        known.map_or(elsewhere, |known| Namespace {
            standing: Standing { modes: known.modes, exempt: &known.exempt },
            defaults: &known.defaults,
        })
    };
    let (mut findings, mut pods, mut inputs) = (Findings::default(), 0, Inputs::default());
    for (name, bytes) in disk::read_manifests(paths)? {
        let name: Arc<str> = name.into();
        pods += manifests::review(&name, &bytes, &whose, &mut findings);
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
