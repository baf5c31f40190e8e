//! `mtp sync`: applies what was reviewed to a cluster, and keeps it there.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the shell: a cluster, its clock, and what tells processes apart"
)]

mod source;

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use kube::config::{KubeConfigOptions, Kubeconfig};
use time::OffsetDateTime;

use self::source::{Checkout, Read};
use super::certs::age::Identities;
use super::{Shell, Stream};
use crate::cli::Exit;
use crate::cluster::Settings;
use crate::cluster::gateway::Gateway;
use crate::cluster::pass::{Held, Progress, pass};
use crate::disk;
use crate::report::{Format, Report, sync as report};
use crate::sync::Unit;
use crate::sync::gates::Budget;
use crate::sync::outcome::{Outcome, State};
use crate::sync::want::Source as _;

/// Options of the command.
#[derive(Debug, Args)]
pub struct Options {
    /// Apply once and end (the default)
    #[arg(long)]
    once: bool,
    /// Only these tenants, and nothing of the platform (repeatable)
    #[arg(long = "tenant", value_name = "NAME")]
    tenants: Vec<String>,
    /// Apply rendered/ as it is, without looking at tenants/
    #[arg(long)]
    rendered_only: bool,
    /// The Platform's name, where tenants/ does not say it (with --rendered-only)
    #[arg(long, value_name = "NAME", requires = "rendered_only")]
    installation: Option<String>,
    /// The context of the kubeconfig (default: its current one; inside a cluster: that cluster)
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// How many objects this run may delete, where it refused to because they are many
    #[arg(long, value_name = "N")]
    allow_deletions: Option<usize>,
    /// For how many seconds a tenant's objects may take until they work or are gone
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u32).range(0..=3600))]
    wait: u32,
}

/// Runs the command.
pub fn run(options: &Options, shell: &mut Shell<'_>) -> Result<Exit> {
    // A link that moves, as git-sync makes it, is followed once: all of a pass is of one revision.
    let root = disk::canonical(&shell.root()?)?;
    let identities = Identities::read(None)?;
    let read = if options.rendered_only {
        Checkout::files(&root, identities)?
    } else {
        Checkout::rendered(&root, identities)?
    };
    let checkout = match read {
        Read::Whole(checkout) => checkout,
        Read::Mistakes(diagnostics, inputs) => {
            shell.report(&Report { command: "sync", diagnostics, ..Report::default() }, &inputs, Stream::Err)?;
            return Ok(Exit::Failed);
        }
    };
    for name in &options.tenants {
        if !checkout.units().contains(&Unit::Tenant(name.as_str().into())) {
            bail!("there is no tenant `{}` in {}", crate::report::line(name), root.display());
        }
    }
    let settings = settings(options, &root, &checkout)?;
    let held = Held::of(&*checkout)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    let outcome = runtime.block_on(async {
        let gateway = Gateway::new(client(options.context.as_deref()).await?, seed()?);
        let progress = RefCell::new(|progress: Progress<'_>| show(&progress, shell));
        pass(&gateway, &settings, &*checkout, &held, &progress).await
    });
    if shell.shows_progress() {
        let _ = write!(shell.err(), "\r\x1b[K");
    }
    // The process ends here: giving back a fleet piece by piece takes longer than it is worth.
    let checkout = std::mem::ManuallyDrop::new(checkout);
    let _ = &checkout;
    answer(&outcome?, shell)
}

fn settings(options: &Options, root: &Path, checkout: &Checkout) -> Result<Settings> {
    let named = checkout.installation().or_else(|| options.installation.clone());
    let installation = match named {
        Some(name) => name,
        None => platform_name(root)?
            .context("the Platform's name is not known without tenants/; name it with --installation")?,
    };
    let budget = Budget { allowed: options.allow_deletions, ..Budget::default() };
    Ok(Settings {
        installation,
        namespace: checkout.namespace()?,
        tenants: options.tenants.clone(),
        budget,
        // A folder that no commit vouches for may be half of one.
        inside: std::env::var_os("POD_NAME").is_some(),
        deletes: !options.rendered_only || checkout.pinned,
        wait: Duration::from_secs(options.wait.into()),
        identity: identity()?,
        lease: Duration::from_secs(15),
        clock: OffsetDateTime::now_utc,
    })
}

/// The Platform's name out of `tenants/`, whatever else is wrong there.
fn platform_name(root: &Path) -> Result<Option<String>> {
    let inputs = disk::read(root)?;
    let (parsed, _) = crate::parse::parse(&inputs);
    Ok(parsed.platforms.first().map(|platform| platform.content.metadata.name.value.clone()))
}

/// What tells this process from all others that want the Lease.
fn identity() -> Result<String> {
    let name = std::env::var("POD_NAME").or_else(|_| std::env::var("HOSTNAME")).ok();
    let name = match name.filter(|name| !name.is_empty()) {
        Some(name) => name,
        None => disk::read_small(Path::new("/etc/hostname"))?.map_or_else(String::new, |name| name.trim().to_owned()),
    };
    Ok(format!("{name}_{:016x}", seed()?))
}

fn seed() -> Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no randomness: {error}"))?;
    Ok(u64::from_le_bytes(bytes))
}

/// A client without retries of its own: see [`crate::cluster::gateway`].
async fn client(context: Option<&str>) -> Result<kube::Client> {
    let mut config = match context {
        Some(context) => {
            let kubeconfig = Kubeconfig::read().context("cannot read the kubeconfig")?;
            let options = KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
            kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.context("cannot use the kubeconfig")?
        }
        None => {
            kube::Config::infer().await.context("there is neither a kubeconfig nor a cluster around this process")?
        }
    };
    config.default_retry = false;
    config.read_timeout = Some(Duration::from_secs(60));
    config.connect_timeout = Some(Duration::from_secs(10));
    kube::Client::try_from(config).context("cannot connect")
}

/// Progress, on a terminal alone.
fn show(progress: &Progress<'_>, shell: &mut Shell<'_>) {
    match progress {
        Progress::Doing(what) if shell.shows_progress() => {
            let _ = write!(shell.err(), "\r\x1b[K{what}");
        }
        Progress::Unit(outcome, done, of) => {
            if shell.shows_progress() {
                let _ = write!(shell.err(), "\r\x1b[K{done} of {of} tenants: {}", outcome.unit);
            }
        }
        Progress::Doing(what) => shell.detail(what),
    }
}

fn answer(outcome: &Outcome, shell: &mut Shell<'_>) -> Result<Exit> {
    let exit = if outcome.is_clean() { Exit::Clean } else { Exit::Findings };
    if shell.machine_reads() && shell.writes(&[Format::Json]) {
        shell.answer(&report::json(outcome))?;
        return Ok(exit);
    }
    let quiet = shell.is_quiet();
    shell.answer(&report::text(outcome, quiet))?;
    debug_assert!(outcome.units.iter().all(|unit| unit.state != State::Applied || unit.problems.is_empty()));
    Ok(exit)
}
