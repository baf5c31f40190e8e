//! `Gitops` and `Deploy`: who applies `rendered/`, and what tenants deploy from repositories of their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::At;

/// Who applies `rendered/`. What they need to do so is rendered below `rendered/gitops/`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gitops {
    /// `argocd`, `flux`, `both` or `none`. With `both`, a cluster is told of one of the two folders alone. Default: `none`.
    #[serde(default)]
    pub engine: Option<At<GitopsEngine>>,
    /// The address of this repository, as the engine reaches it: `https://…` or `ssh://…`, without a password. Required with
    /// an engine.
    #[serde(default)]
    pub repo: Option<At<String>>,
    /// The branch that is applied, or a whole ref such as `refs/tags/v1`. Default: `main`.
    #[serde(default)]
    pub revision: Option<At<String>>,
    /// The folder of `tenants/` and `rendered/` within the repository. Default: the repository's root.
    #[serde(default)]
    pub path: Option<At<String>>,
    /// What concerns Argo CD alone.
    #[serde(default)]
    pub argocd: Argocd,
    /// What concerns Flux alone.
    #[serde(default)]
    pub flux: Flux,
}

/// An engine that applies what is in git.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum GitopsEngine {
    /// Argo CD.
    Argocd,
    /// Flux.
    Flux,
    /// Both, in two folders; for a move from one to the other.
    Both,
    /// None: nothing is rendered for one.
    #[default]
    None,
}

impl GitopsEngine {
    /// As authors spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            GitopsEngine::Argocd => "argocd",
            GitopsEngine::Flux => "flux",
            GitopsEngine::Both => "both",
            GitopsEngine::None => "none",
        }
    }
}

/// What concerns Argo CD alone.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Argocd {
    /// The namespace that Argo CD runs in. Default: `argocd`.
    #[serde(default)]
    pub namespace: Option<At<String>>,
    /// The AppProject of the platform's own Applications. Default: `k8s-mtp`.
    #[serde(default)]
    pub project: Option<At<String>>,
    /// One ApplicationSet over the folders of `rendered/tenants` instead of an Application for each. The Application of a
    /// tenant that is gone then stays until somebody deletes it. Default: no.
    #[serde(default)]
    pub application_set: Option<At<bool>>,
    /// Takes every right from the AppProject `default`, in which anybody else's Applications may be. Default: no.
    #[serde(default)]
    pub lock_default_project: Option<At<bool>>,
}

/// What concerns Flux alone.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Flux {
    /// The namespace that Flux runs in. Default: `flux-system`.
    #[serde(default)]
    pub namespace: Option<At<String>>,
    /// The Secret there with which Flux reads this repository. Absent: it is public.
    #[serde(default)]
    pub secret_name: Option<At<String>>,
    /// The Secret there with the age key, for the platform's encrypted Secrets. Default: `sops-age`.
    #[serde(default)]
    pub decryption_secret_name: Option<At<String>>,
}

/// A repository that a tenant deploys from.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deploy {
    /// What it is called among the tenant's own, in lower case. Default: the last part of its namespace's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), length(max = 63))]
    pub name: Option<At<String>>,
    /// The last part of the name of the namespace that it deploys to. Default: `spec.name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), length(max = 63))]
    pub namespace: Option<At<String>>,
    /// Its address: `https://…` or `ssh://…`, without a password.
    pub repo: At<String>,
    /// The folder in it. Default: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<At<String>>,
    /// The branch, or a whole ref such as `refs/tags/v1`. Default: `main`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<At<String>>,
    /// The Secret of that namespace with which Flux reads the repository; Argo CD keeps its own. Absent: it is public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<At<String>>,
}
