//! `mtp policy`: who refuses an object, without a cluster; a file a subcommand.

mod expect;
mod list;
mod namespaces;
mod review;
mod running;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::Shell;
use crate::cli::Exit;

/// Options of the command.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Say which layer of a cluster refuses which object, and why: of all objects, of the pods that workloads are to have, of AdmissionReviews
    Review {
        /// Files of manifests, folders of them, or `-` for standard input
        #[arg(required_unless_present = "cluster", value_name = "FILE|DIR|-")]
        paths: Vec<PathBuf>,
        /// Judge what names no namespace as in this tenant's own (default: only what a manifest's namespace tells is known)
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// Instead of files, the pods that run: which of them the policies, Pod Security and quotas of classes of this tenants/ would
        /// refuse if they were made anew; and tenants' own NetworkPolicies and RoleBindings. With --tenant, in its namespaces. Changes
        /// nothing
        #[arg(long, conflicts_with = "paths")]
        cluster: bool,
        /// With --cluster: the context of the kubeconfig (default: its current one; inside a cluster: that cluster)
        // What conflicts with `cluster` lifts that it is required; so it conflicts with this as well.
        #[arg(long, value_name = "NAME", requires = "cluster", conflicts_with = "paths")]
        context: Option<String>,
    },
    /// Hold folders of manifests against what is expected of them: each folder with an expectations.yaml is one
    Test {
        /// Folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// List the policies, with how they stand for a tenant; `mtp explain ID` says more of one
    List {
        /// Say how they stand in each of this tenant's namespaces, and who is let off
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
    },
}

/// Runs the command.
pub fn run(options: &Options, shell: &mut Shell<'_>) -> Result<Exit> {
    match &options.what {
        What::Review { tenant, cluster: true, context, .. } => {
            running::run(tenant.as_deref(), context.as_deref(), shell)
        }
        What::Review { paths, tenant, .. } => review::run(paths, tenant.as_deref(), shell),
        What::Test { folder } => expect::run(folder, shell),
        What::List { tenant } => list::run(tenant.as_deref(), shell),
    }
}
