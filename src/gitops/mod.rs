//! The shelf of engines: what Argo CD and Flux are told so that they apply `rendered/`, one file an engine.
//!
//! [`ENGINES`] is the list. What is made here stands beside the platform's and the tenants' objects, not among them: which
//! engine there is changes no byte of theirs, and an engine that goes takes nothing of them along.

pub mod argocd;
pub mod flux;
pub mod rights;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::contract::tenant::State;
use crate::objects::kinds::{self, Rendered};
use crate::objects::meta::{self, ObjectMeta};
use crate::objects::{Object, sync};
use crate::plan::{Plan, TenantPlan};

/// The folder of what engines are told, relative to the root.
pub const GITOPS_FOLDER: &str = "rendered/gitops";

/// The name of what there is once an engine: its view of this repository, the parent of all.
pub const ROOT: &str = "k8s-mtp";

/// The name of what applies the platform's own folder.
pub const PLATFORM: &str = "k8s-mtp-platform";

/// An engine.
pub struct Engine {
    /// The name of its folder.
    pub folder: &'static str,
    /// Whether the Platform names it.
    pub wanted: fn(&Plan) -> bool,
    /// What there is once, and what applies these folders of tenants: their shards.
    pub once: fn(&Plan, &[Shard]) -> Vec<Folder>,
    /// What there is for a tenant.
    pub tenant: fn(&Plan, &TenantPlan) -> Vec<Folder>,
}

/// All engines, in the order of their folders.
pub const ENGINES: &[Engine] = &[argocd::ENGINE, flux::ENGINE];

/// Objects in a folder below [`GITOPS_FOLDER`].
pub struct Folder {
    /// Its path there: `flux/tenants/7`; made relative to the engine's own folder, for which it is empty.
    pub path: String,
    /// What it holds.
    pub objects: Vec<Object>,
    /// Whether a `kustomization.yaml` lists them, so that the folder is built without what lies deeper.
    pub listed: bool,
}

/// A folder of what applies tenants, by the first digit of a digest of their names.
///
/// An engine builds a folder as one, which takes it more than linear time: `kubectl kustomize` takes 1.4 s for 1,000 objects
/// and over 100 s for 10,000. The digest alone decides, so that a tenant's files stay where they are whoever else comes or
/// goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard(u8);

impl Shard {
    /// That of a tenant.
    pub fn of(tenant: &str) -> Shard {
        Shard(Sha256::digest(tenant)[0] >> 4)
    }

    /// Its path below an engine's folder.
    pub fn path(self) -> String {
        format!("tenants/{self}")
    }

    /// What applies it.
    pub fn name(self) -> String {
        format!("{ROOT}-tenants-{self}")
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// What the engines that the Platform names are told: folders in path order, each once.
pub fn folders(plan: &Plan) -> Vec<Folder> {
    let mut all: Vec<Folder> =
        ENGINES.iter().filter(|engine| (engine.wanted)(plan)).flat_map(|e| of(e, plan)).collect();
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

fn of(engine: &Engine, plan: &Plan) -> Vec<Folder> {
    let of_tenants: Vec<Vec<Folder>> = plan.tenants.par_iter().map(|tenant| (engine.tenant)(plan, tenant)).collect();
    let mut folders: Vec<Folder> = of_tenants.into_iter().flatten().collect();
    folders.sort_by(|a, b| a.path.cmp(&b.path));
    folders.dedup_by(|next, first| {
        let same = next.path == first.path;
        if same {
            first.objects.append(&mut next.objects);
        }
        same
    });
    let mut shards: Vec<Shard> = plan.tenants.iter().map(|tenant| Shard::of(&tenant.name)).collect();
    shards.sort_unstable();
    shards.dedup();
    shards.retain(|shard| folders.iter().any(|folder| folder.path == shard.path()));
    folders.extend((engine.once)(plan, &shards));
    for folder in &mut folders {
        let path = format!("{}/{}", engine.folder, folder.path);
        folder.path = path.trim_end_matches('/').to_owned();
    }
    folders
}

/// Whether what applies a tenant may go: once all of its namespaces are retired.
fn may_go(tenant: &TenantPlan) -> bool {
    tenant.namespaces.iter().all(|namespace| namespace.state == State::Retired)
}

/// Metadata of an object of the engine in a namespace; what is protected stays although it is gone from git.
fn metadata(name: &str, namespace: &str, tenant: Option<&TenantPlan>, protected: bool) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(namespace.to_owned()),
        labels: Some(tenant.map_or_else(meta::platform_labels, |tenant| meta::tenant_labels(&tenant.name))),
        annotations: protected.then(meta::protection),
        ..ObjectMeta::default()
    }
}

/// Every kind that may be rendered where an engine applies it; what is no longer wanted included: it has to be pruned.
fn rendered(plan: &Plan) -> impl Iterator<Item = Rendered<'_>> {
    kinds::rows().filter(|row| !sync::ALONE.contains(&row.kind)).chain(kinds::of_templates(plan))
}
