//! `mtp webhook serve`: the server that the API server asks about tenants' pods.
#![expect(clippy::disallowed_methods, reason = "this is the shell: its log outlives the command's own streams")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::Shell;
use crate::cli::Exit;
use crate::server::{self, Log, Settings};

/// Options of the command.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Answer the API server until told to end; everything that it knows is in two folders, which may change meanwhile
    Serve(Serve),
}

#[derive(Debug, Args)]
struct Serve {
    /// Folder of tls.crt and tls.key
    #[arg(long, value_name = "DIR")]
    certs: PathBuf,
    /// Folder of what is known of tenants (tiers.json, namespaces-0.json to namespaces-f.json)
    #[arg(long, value_name = "DIR")]
    tenants: PathBuf,
    /// The platform's namespace, which the certificate's name depends on
    #[arg(long, value_name = "NAME", default_value = "k8s-mtp")]
    namespace: String,
    /// Where the API server calls; without an address: all of the machine's
    #[arg(long, value_name = "ADDR", default_value = ":8443")]
    listen: String,
    /// Where metrics are read, without TLS (default: nowhere)
    #[arg(long, value_name = "ADDR")]
    metrics_listen: Option<String>,
    /// Who signs the client certificates of API servers: nobody else is answered
    #[arg(long, value_name = "FILE")]
    client_ca: Option<PathBuf>,
    /// The common name in such a certificate (repeatable; default: any)
    #[arg(long = "client-name", value_name = "NAME", requires = "client_ca")]
    client_names: Vec<String>,
    /// How many connections there may be at a time; one that is idle makes room
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(8..=65536))]
    max_connections: u32,
    /// For how many seconds it goes on answering once told to end
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=600))]
    drain: u32,
}

/// Runs the command.
pub fn run(options: &Options, shell: &mut Shell<'_>) -> Result<Exit> {
    let What::Serve(options) = &options.what;
    let settings = Settings {
        certs: options.certs.clone(),
        tenants: options.tenants.clone(),
        namespace: options.namespace.clone(),
        listen: options.listen.clone(),
        metrics_listen: options.metrics_listen.clone(),
        client_ca: options.client_ca.clone(),
        client_names: options.client_names.clone(),
        max_connections: options.max_connections as usize,
        drain: Duration::from_secs(options.drain.into()),
    };
    let log = Log::new(Box::new(std::io::stderr()), shell.is_quiet());
    server::run(&settings, Arc::new(log))?;
    Ok(Exit::Clean)
}
