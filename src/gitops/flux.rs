//! Flux: a GitRepository, and Kustomizations over the folders of `rendered/`, one a tenant.
//!
//! A root applies what stands directly in its folder, and a Kustomization for each shard of tenants; each tenant's applies the
//! tenant's folder alone, once the platform's is there, so that a tenant that fails holds up nobody else. None builds the
//! whole of `rendered/tenants`.
//!
//! Sources: <https://fluxcd.io/flux/components/kustomize/kustomizations/>,
//! <https://fluxcd.io/flux/components/source/gitrepositories/>

use serde_json::{Map, Value, json};

use super::rights::{self, Account};
use super::{Engine, Folder, GITOPS_FOLDER, PLATFORM, ROOT, Shard, may_go, metadata};
use crate::contract::tenant::State;
use crate::objects::meta::ObjectMeta;
use crate::objects::{Object, deployer};
use crate::place::Place;
use crate::plan::admission::CertificatesPlan;
use crate::plan::gitops::{FluxPlan, RevisionPlan};
use crate::plan::{DeployPlan, GitopsPlan, Plan, SourcePlan, TenantPlan};
use crate::rendered::{PLATFORM_FOLDER, TENANTS_FOLDER};

/// The row of [`super::ENGINES`].
pub const ENGINE: Engine = Engine { folder: "flux", wanted: |plan| of(plan).is_some(), once, tenant };

/// The ServiceAccount that applies `rendered/`.
pub const ACCOUNT: &str = "k8s-mtp-flux";

const GIT_REPOSITORY: (&str, &str) = ("source.toolkit.fluxcd.io/v1", "GitRepository");
const KUSTOMIZATION: (&str, &str) = ("kustomize.toolkit.fluxcd.io/v1", "Kustomization");

/// What Flux's own objects are, for the rights to apply them.
const OWN: [(&str, &[&str]); 2] =
    [("kustomize.toolkit.fluxcd.io", &["kustomizations"]), ("source.toolkit.fluxcd.io", &["gitrepositories"])];

fn of(plan: &Plan) -> Option<(&GitopsPlan, &FluxPlan)> {
    let gitops = plan.platform.gitops.as_ref()?;
    Some((gitops, gitops.flux.as_ref()?))
}

fn once(plan: &Plan, shards: &[Shard]) -> Vec<Folder> {
    let Some((gitops, flux)) = of(plan) else { return Vec::new() };
    let ours = |name: &str, folder: &str, more: Value| {
        let spec = over(gitops, &format!("{GITOPS_FOLDER}/{folder}"), more);
        // A shard goes with the last of its tenants.
        let protected = name == ROOT;
        object(KUSTOMIZATION, metadata(name, &flux.namespace, None, protected), spec, &gitops.at)
    };
    let decrypted = plan.platform.admission.webhook.as_ref();
    let decrypted = decrypted.is_some_and(|webhook| matches!(webhook.certificates, CertificatesPlan::Sops { .. }));
    let mut platform = json!({"wait": true});
    if decrypted {
        let key = json!({"name": flux.decryption_secret});
        platform["decryption"] = json!({"provider": "sops", "secretRef": key});
    }
    let platform = over(gitops, PLATFORM_FOLDER, platform);
    let repository = repository(&gitops.source, flux.secret.as_deref());
    let mut objects = vec![
        object(GIT_REPOSITORY, metadata(ROOT, &flux.namespace, None, true), repository, &gitops.at),
        ours(ROOT, ENGINE.folder, json!({})),
        object(KUSTOMIZATION, metadata(PLATFORM, &flux.namespace, None, true), platform, &gitops.at),
    ];
    objects.extend(shards.iter().map(|shard| {
        let folder = format!("{}/{}", ENGINE.folder, shard.path());
        ours(&shard.name(), &folder, json!({}))
    }));
    objects.extend(rights::objects(
        plan,
        &Account { name: ACCOUNT, namespace: &flux.namespace, own: &OWN, at: &gitops.at, more: &[] },
    ));
    vec![Folder { path: String::new(), objects, listed: true }]
}

fn tenant(plan: &Plan, tenant: &TenantPlan) -> Vec<Folder> {
    let Some((gitops, flux)) = of(plan) else { return Vec::new() };
    let of_flux = |name: &str, folder: &str, more: Value, protected: bool| {
        let spec = over(gitops, folder, more);
        let metadata = metadata(name, &flux.namespace, Some(tenant), protected);
        object(KUSTOMIZATION, metadata, spec, &tenant.name_at())
    };
    let name = format!("tenant-{}", tenant.name);
    let folder = format!("{TENANTS_FOLDER}/{}", tenant.name);
    let more = json!({"dependsOn": [{"name": PLATFORM, "readyExpr": APPLIED_ONCE}], "wait": true});
    let mut objects = vec![of_flux(&name, &folder, more, !may_go(tenant))];
    let mut folders = Vec::new();
    if !tenant.deploy.is_empty() {
        // They stand in the tenant's namespaces, which have to be there first.
        let path = format!("deploy/{}", tenant.name);
        let folder = format!("{GITOPS_FOLDER}/{}/{path}", ENGINE.folder);
        let more = json!({"dependsOn": [{"name": name}]});
        objects.push(of_flux(&format!("deploy-{}", tenant.name), &folder, more, false));
        let deployed = tenant.deploy.iter().flat_map(|deploy| deployed(tenant, deploy, &name, flux)).collect();
        folders.push(Folder { path, objects: deployed, listed: true });
    }
    folders.push(Folder { path: Shard::of(&tenant.name).path(), objects, listed: true });
    folders
}

/// A repository of a tenant's own. It is applied as the tenant's ServiceAccount: `targetNamespace` is not set, because it would
/// move another tenant's objects here where they have to be refused. Taking the entry out stops deploying, and deletes
/// nothing that runs.
fn deployed(tenant: &TenantPlan, deploy: &DeployPlan, depends_on: &str, flux: &FluxPlan) -> [Object; 2] {
    let metadata = || metadata(&deploy.name, &deploy.namespace, Some(tenant), false);
    let mut spec = json!({
        "deletionPolicy": "Orphan",
        "dependsOn": [{"name": depends_on, "namespace": &*flux.namespace}],
        "interval": INTERVAL,
        "path": relative(&deploy.source.path),
        "prune": true,
        "retryInterval": RETRY,
        "serviceAccountName": deployer::NAME,
        "sourceRef": {"kind": GIT_REPOSITORY.1, "name": &*deploy.name},
        "timeout": TIMEOUT,
        "wait": true,
    });
    let mut source = repository(&deploy.source, deploy.secret.as_deref());
    if deploy.state != State::Active {
        spec["suspend"] = json!(true);
        source["suspend"] = json!(true);
    }
    let at = tenant.doc.at(deploy.span);
    [object(GIT_REPOSITORY, metadata(), source, &at), object(KUSTOMIZATION, metadata(), spec, &at)]
}

/// That a Kustomization was applied, healthy or not: a webhook without a pod that is ready must not keep a revocation, or the
/// suspension of a tenant, from the cluster.
///
/// Source: <https://fluxcd.io/flux/components/kustomize/kustomizations/#dependency-ready-expression>
const APPLIED_ONCE: &str = "has(dep.status.inventory)";

/// How often what is in the cluster is put back.
const INTERVAL: &str = "10m";

/// How soon what failed is tried again.
const RETRY: &str = "1m";

/// How long objects have to become ready.
const TIMEOUT: &str = "5m";

/// The spec of a Kustomization over a folder of this repository.
fn over(gitops: &GitopsPlan, folder: &str, more: Value) -> Value {
    let mut spec = json!({
        "interval": INTERVAL,
        "path": relative(&gitops.source.path_of(folder)),
        "prune": true,
        "retryInterval": RETRY,
        "serviceAccountName": ACCOUNT,
        "sourceRef": {"kind": GIT_REPOSITORY.1, "name": ROOT},
        "timeout": TIMEOUT,
    });
    if let (Some(spec), Value::Object(more)) = (spec.as_object_mut(), more) {
        spec.extend(more);
    }
    spec
}

fn relative(path: &str) -> String {
    if path.is_empty() { "./".to_owned() } else { format!("./{path}") }
}

fn repository(source: &SourcePlan, secret: Option<&str>) -> Value {
    let (field, value) = match &source.revision {
        RevisionPlan::Branch(branch) => ("branch", branch),
        RevisionPlan::Ref(name) => ("name", name),
        RevisionPlan::Commit(commit) => ("commit", commit),
    };
    let revision = Map::from_iter([(field.to_owned(), json!(value))]);
    let mut spec = json!({"interval": "1m", "ref": revision, "timeout": "60s", "url": source.repo});
    if let Some(secret) = secret {
        spec["secretRef"] = json!({"name": secret});
    }
    spec
}

fn object((api_version, kind): (&'static str, &'static str), metadata: ObjectMeta, spec: Value, at: &Place) -> Object {
    Object::custom(api_version, kind, metadata, spec, at.clone())
}
