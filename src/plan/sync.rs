//! `SyncPlan`: `mtp sync --watch` in the cluster, resolved.

use std::collections::BTreeSet;

use crate::contract::At;
use crate::contract::sync::Sync;
use crate::parse::Document;
use crate::place::Place;
use crate::plan::admission::PodsPlan;
use crate::plan::gitops::SourcePlan;
use crate::plan::platform::plain;

/// What applies `rendered/` from within the cluster.
#[derive(Debug)]
pub struct SyncPlan {
    /// The image of `mtp`, by digest.
    pub image: String,
    /// The image of git-sync, by digest.
    pub git_image: String,
    /// Secrets that both are pulled with.
    pub pull_secrets: BTreeSet<String>,
    /// How many replicas there are.
    pub replicas: i32,
    /// The repository.
    pub source: SourcePlan,
    /// The port that its host answers at.
    pub git_port: u16,
    /// With what it is read; `None`: it is public.
    pub credentials: Option<CredentialsPlan>,
    /// The Secret with the age key.
    pub decryption_secret: Option<String>,
    /// Pods that may read the metrics.
    pub metrics_from: Vec<PodsPlan>,
    /// Where it is written.
    pub at: Place,
}

/// With what a repository is read.
#[derive(Debug)]
pub struct CredentialsPlan {
    /// The Secret.
    pub secret: String,
    /// What it holds.
    pub kind: CredentialsKind,
}

/// What a Secret of credentials holds.
#[derive(Debug)]
pub enum CredentialsKind {
    /// The password of a user.
    Password {
        /// The user.
        user: String,
    },
    /// A key of SSH, and the host's.
    Key,
}

/// Resolves the section of the Platform.
pub fn resolve<T>(sync: &At<Sync>, doc: &Document<T>) -> SyncPlan {
    let git = &sync.git;
    let ssh = git.repo.starts_with("ssh://");
    let credentials = git.secret_name.as_ref().map(|secret| CredentialsPlan {
        secret: secret.value.clone(),
        kind: if ssh {
            CredentialsKind::Key
        } else {
            CredentialsKind::Password { user: git.username.as_ref().map_or("git", |user| &user.value).to_owned() }
        },
    });
    let mut metrics_from: Vec<PodsPlan> =
        sync.metrics_from.iter().map(|pods| (pods.namespace.value.clone(), plain(&pods.pod_labels))).collect();
    metrics_from.sort();
    metrics_from.dedup();
    SyncPlan {
        image: sync.image.value.clone(),
        git_image: git.image.value.clone(),
        pull_secrets: sync.image_pull_secrets.iter().map(|name| name.value.clone()).collect(),
        replicas: sync.replicas.map_or(2, |replicas| i32::from(replicas.value)),
        source: SourcePlan::new(Some(&git.repo), git.reference.as_ref(), git.path.as_ref()),
        git_port: port(&git.repo).unwrap_or(if ssh { 22 } else { 443 }),
        credentials,
        decryption_secret: sync.decryption_secret_name.as_ref().map(|name| name.value.clone()),
        metrics_from,
        at: doc.at(sync.span),
    }
}

/// The port that an address states.
fn port(repo: &str) -> Option<u16> {
    let (_, rest) = repo.split_once("://")?;
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split_once(':')?.1.parse().ok()
}
