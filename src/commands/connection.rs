//! The way from a command to a cluster: which one, as whom, and what carries the requests.
#![expect(clippy::disallowed_methods, reason = "this is the shell: a cluster, and randomness that spreads retries")]

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use kube::config::{KubeConfigOptions, Kubeconfig};

/// What carries requests: one thread, which mostly waits.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")
}

/// A number that nobody else has.
pub fn seed() -> Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no randomness: {error}"))?;
    Ok(u64::from_le_bytes(bytes))
}

/// A client without retries of its own (see [`crate::cluster::gateway`]): of that context of the kubeconfig, of its current one, or
/// of the cluster around this process.
pub async fn client(context: Option<&str>) -> Result<kube::Client> {
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
