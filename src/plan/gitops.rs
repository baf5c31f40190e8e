//! `GitopsPlan`: who applies `rendered/`, and what tenants deploy from repositories of their own, resolved.

use std::sync::Arc;

use crate::contract::gitops::{Deploy, Gitops, GitopsEngine};
use crate::contract::tenant::State;
use crate::contract::{At, TenantSpec};
use crate::place::{Place, Span};
use crate::plan::NamespacePlan;

/// Who applies `rendered/`, and from where.
#[derive(Debug)]
pub struct GitopsPlan {
    /// This repository.
    pub source: SourcePlan,
    /// Argo CD, where it does.
    pub argocd: Option<ArgocdPlan>,
    /// Flux, where it does.
    pub flux: Option<FluxPlan>,
    /// Where the engine is named.
    pub at: Place,
}

/// A folder of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePlan {
    /// The repository's address.
    pub repo: String,
    /// What of it.
    pub revision: RevisionPlan,
    /// The folder, without `/` at either end; empty for the root.
    pub path: String,
}

/// What of a repository is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevisionPlan {
    /// The newest commit of a branch.
    Branch(String),
    /// What a whole ref points to: `refs/tags/v1`.
    Ref(String),
    /// One commit, by all of its 40 digits.
    Commit(String),
}

/// What concerns Argo CD alone.
#[derive(Debug)]
pub struct ArgocdPlan {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// The AppProject of the platform's Applications.
    pub project: String,
    /// Whether one ApplicationSet stands for the Applications of all tenants.
    pub application_set: bool,
    /// Whether the AppProject `default` loses its rights.
    pub lock_default_project: bool,
}

/// What concerns Flux alone.
#[derive(Debug)]
pub struct FluxPlan {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// The Secret that reads this repository.
    pub secret: Option<String>,
    /// The Secret that holds the age key.
    pub decryption_secret: String,
}

/// What a tenant deploys from a repository of its own.
#[derive(Debug)]
pub struct DeployPlan {
    /// What it is called among the tenant's own.
    pub name: Arc<str>,
    /// The full name of the namespace that it deploys to.
    pub namespace: Arc<str>,
    /// The state of that namespace: only an active one is deployed to.
    pub state: State,
    /// Where it comes from.
    pub source: SourcePlan,
    /// The Secret that reads it.
    pub secret: Option<String>,
    /// Where it is written.
    pub span: Span,
}

impl GitopsPlan {
    /// Whether an engine runs in a namespace.
    pub fn runs_in(&self, namespace: &str) -> bool {
        let argocd = self.argocd.iter().map(|argocd| &argocd.namespace);
        argocd.chain(self.flux.iter().map(|flux| &flux.namespace)).any(|own| &**own == namespace)
    }
}

impl SourcePlan {
    /// A path of the repository, from its root: `clusters/prod/rendered/platform`.
    pub fn path_of(&self, folder: &str) -> String {
        if self.path.is_empty() { folder.to_owned() } else { format!("{}/{folder}", self.path) }
    }

    /// Where an entry of `deploy` comes from.
    pub fn of(entry: &Deploy) -> SourcePlan {
        SourcePlan::new(Some(&entry.repo), entry.revision.as_ref(), entry.path.as_ref())
    }

    /// A folder of a repository as it was typed.
    pub fn new(repo: Option<&At<String>>, revision: Option<&At<String>>, path: Option<&At<String>>) -> SourcePlan {
        let text = |value: Option<&At<String>>| value.map(|v| v.value.clone()).unwrap_or_default();
        let revision = revision.map_or("main", |r| r.value.as_str());
        SourcePlan {
            repo: text(repo),
            revision: RevisionPlan::read(revision),
            path: path.map(|p| trimmed(p)).unwrap_or_default().to_owned(),
        }
    }
}

/// A path without what says nothing: `./apps/` is `apps`, and `.` is empty.
pub fn trimmed(path: &str) -> &str {
    let path = path.strip_prefix("./").unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path == "." { "" } else { path }
}

impl RevisionPlan {
    fn read(text: &str) -> RevisionPlan {
        if text.len() == 40 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            RevisionPlan::Commit(text.to_owned())
        } else if text.starts_with("refs/") {
            RevisionPlan::Ref(text.to_owned())
        } else {
            RevisionPlan::Branch(text.to_owned())
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        match self {
            RevisionPlan::Branch(text) | RevisionPlan::Ref(text) | RevisionPlan::Commit(text) => text,
        }
    }
}

/// Resolves the section of the Platform; `spec` is where the Platform stands. `None`: nobody applies `rendered/` from git.
pub fn resolve(gitops: &Gitops, spec: Place) -> Option<GitopsPlan> {
    let engine = gitops.engine.as_ref()?;
    let (argocd, flux) = match engine.value {
        GitopsEngine::Argocd => (true, false),
        GitopsEngine::Flux => (false, true),
        GitopsEngine::Both => (true, true),
        GitopsEngine::None => return None,
    };
    let text =
        |value: &Option<At<String>>, default: &str| value.as_ref().map_or(default, |v| v.value.as_str()).to_owned();
    Some(GitopsPlan {
        source: SourcePlan::new(gitops.repo.as_ref(), gitops.revision.as_ref(), gitops.path.as_ref()),
        argocd: argocd.then(|| ArgocdPlan {
            namespace: text(&gitops.argocd.namespace, "argocd").into(),
            project: text(&gitops.argocd.project, "k8s-mtp"),
            application_set: gitops.argocd.application_set.is_some_and(|a| a.value),
            lock_default_project: gitops.argocd.lock_default_project.is_some_and(|l| l.value),
        }),
        flux: flux.then(|| FluxPlan {
            namespace: text(&gitops.flux.namespace, "flux-system").into(),
            secret: gitops.flux.secret_name.as_ref().map(|s| s.value.clone()),
            decryption_secret: text(&gitops.flux.decryption_secret_name, "sops-age"),
        }),
        at: Place::new(&spec.path, engine.span),
    })
}

/// Resolves what a tenant deploys; what names a namespace that the tenant does not have is left out, and a rule says so.
pub fn deploy(spec: &TenantSpec, namespaces: &[NamespacePlan]) -> Vec<DeployPlan> {
    let resolve = |entry: &At<Deploy>| {
        let part = part(entry, spec);
        let namespace = namespaces.iter().find(|n| &*n.part == part)?;
        Some(DeployPlan {
            name: name(entry, spec).into(),
            namespace: Arc::clone(&namespace.name),
            state: namespace.state,
            source: SourcePlan::of(entry),
            secret: entry.secret_name.as_ref().map(|s| s.value.clone()),
            span: entry.span,
        })
    };
    let mut all: Vec<DeployPlan> = spec.deploy.iter().filter_map(resolve).collect();
    all.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    all
}

/// The last part of the name of the namespace that an entry deploys to.
pub fn part<'a>(entry: &'a Deploy, spec: &'a TenantSpec) -> &'a str {
    entry.namespace.as_ref().map_or(&spec.name.value, |n| &n.value)
}

/// What an entry is called.
pub fn name<'a>(entry: &'a Deploy, spec: &'a TenantSpec) -> &'a str {
    entry.name.as_ref().map_or_else(|| part(entry, spec), |n| &n.value)
}
