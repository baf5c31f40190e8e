//! `Sync`: `mtp sync --watch` in the cluster, for whoever has neither Argo CD nor Flux.

use schemars::JsonSchema;
use serde::Deserialize;

use super::admission::{IMAGE, Pods};
use super::values::At;

/// The most replicas. One works at a time, the others wait for its Lease.
pub const MOST_REPLICAS: u16 = 5;

/// `mtp sync --watch` in the platform's namespace: it applies `rendered/` as git has it. Never beside an engine of `gitops`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sync {
    /// The image of `mtp`, by digest: `registry.example.com/mtp@sha256:…`.
    #[schemars(regex(pattern = IMAGE))]
    pub image: At<String>,
    /// Names of Secrets in the platform's namespace that both images are pulled with.
    #[serde(default)]
    pub image_pull_secrets: Vec<At<String>>,
    /// How many replicas there are, 1 to 5; one works at a time. Default: 2.
    #[serde(default)]
    #[schemars(range(min = 1, max = MOST_REPLICAS))]
    pub replicas: Option<At<u16>>,
    /// The repository that is applied.
    pub git: At<Git>,
    /// The Secret in the platform's namespace with the age key, as `age.agekey`, for the webhook's encrypted Secret. Required
    /// where that is rendered.
    #[serde(default)]
    pub decryption_secret_name: Option<At<String>>,
    /// Pods that may read the metrics. Default: none.
    #[serde(default)]
    pub metrics_from: Vec<At<Pods>>,
}

/// The repository that is applied, and what fetches it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Git {
    /// Its address, as pods reach it: `https://…` or `ssh://…`, without a password.
    pub repo: At<String>,
    /// The branch or the tag that is applied, a whole ref such as `refs/tags/v1`, or all digits of a commit. Default: `main`.
    #[serde(default, rename = "ref")]
    pub reference: Option<At<String>>,
    /// The folder of `tenants/` and `rendered/` within the repository. Default: the repository's root.
    #[serde(default)]
    pub path: Option<At<String>>,
    /// The Secret in the platform's namespace with which it is read: of `https://…` the key `password`, of `ssh://…` the keys
    /// `ssh` and `known_hosts`. Absent: it is public.
    #[serde(default)]
    pub secret_name: Option<At<String>>,
    /// The user to whom that password belongs; to a token, most forges take any. Default: `git`.
    #[serde(default)]
    pub username: Option<At<String>>,
    /// The image of git-sync 4, by digest: `registry.k8s.io/git-sync/git-sync@sha256:…`.
    #[schemars(regex(pattern = IMAGE))]
    pub image: At<String>,
}
