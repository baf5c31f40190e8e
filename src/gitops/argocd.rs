//! Argo CD: an AppProject and Applications over the folders of `rendered/`, one a tenant.
//!
//! All of them are the platform's, in the platform's project. A tenant that deploys from repositories of its own has a project
//! for these alone, in which nothing is cluster-scoped and nothing of what bounds the tenant may be. Both are fences within
//! Argo CD (CVE-2024-31990 was a hole in one); the wall is the ServiceAccount that each project is impersonated by.
//!
//! Sources: <https://argo-cd.readthedocs.io/en/stable/operator-manual/project-specification/>,
//! <https://argo-cd.readthedocs.io/en/stable/operator-manual/app-sync-using-impersonation/>,
//! <https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/>

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::rights::{self, Account};
use super::{Engine, Folder, GITOPS_FOLDER, PLATFORM, ROOT, Shard, may_go, metadata, rendered};
use crate::contract::tenant::State;
use crate::objects::kinds::{Rendered, Stands, is_global};
use crate::objects::meta::ObjectMeta;
use crate::objects::{self, Build, KINDS, Object, deployer};
use crate::plan::gitops::ArgocdPlan;
use crate::plan::{GitopsPlan, Plan, SourcePlan, TenantPlan};
use crate::rendered::{PLATFORM_FOLDER, TENANTS_FOLDER};

/// The row of [`super::ENGINES`].
pub const ENGINE: Engine = Engine { folder: "argocd", wanted: |plan| of(plan).is_some(), once, tenant };

/// The ServiceAccount that applies `rendered/`.
pub const ACCOUNT: &str = "k8s-mtp-argocd";

const GROUP: &str = "argoproj.io";
const VERSION: &str = "argoproj.io/v1alpha1";

/// Argo CD's own kinds, and their resources for the rights to apply them.
const OWN: [(&str, &str); 3] =
    [("Application", "applications"), ("ApplicationSet", "applicationsets"), ("AppProject", "appprojects")];

/// Argo CD runs `kubectl auth reconcile` before it applies a Role or a binding, which updates what differs.
///
/// Source: `pkg/utils/kube/resource_ops.go` of <https://github.com/argoproj/gitops-engine>
const RECONCILE: &[&str] = &["update"];

/// The cluster that Argo CD itself runs in.
const SERVER: &str = "https://kubernetes.default.svc";

/// Reads the desired state as the API server would store it. With server-side apply, Argo CD's own comparison is discontinued.
///
/// Source: <https://argo-cd.readthedocs.io/en/stable/user-guide/diff-strategies/#server-side-diff>
const SERVER_SIDE_DIFF: (&str, &str) = ("argocd.argoproj.io/compare-options", "ServerSideDiff=true");

/// What of the repository an Application is made from: a commit that changes nothing there makes no work.
///
/// Source: <https://argo-cd.readthedocs.io/en/stable/operator-manual/high_availability/#manifest-paths-annotation>
const GENERATE_PATHS: (&str, &str) = ("argocd.argoproj.io/manifest-generate-paths", ".");

/// Annotations of Applications over `rendered/`.
const OURS: [(&str, &str); 2] = [SERVER_SIDE_DIFF, GENERATE_PATHS];

/// Deletes what an Application applied once the Application itself is deleted; what is protected is asked for first.
///
/// Source: <https://argo-cd.readthedocs.io/en/stable/user-guide/app_deletion/>
const FINALIZER: &str = "resources-finalizer.argocd.argoproj.io/foreground";

fn of(plan: &Plan) -> Option<(&GitopsPlan, &ArgocdPlan)> {
    let gitops = plan.platform.gitops.as_ref()?;
    Some((gitops, gitops.argocd.as_ref()?))
}

fn once(plan: &Plan, shards: &[Shard]) -> Vec<Folder> {
    let Some((gitops, argocd)) = of(plan) else { return Vec::new() };
    let at = gitops.at.clone();
    let ours = |name: &str, folder: &str| {
        let mut metadata = metadata(name, &argocd.namespace, None, name == ROOT);
        annotate(&mut metadata, &OURS);
        // A shard goes with the last of its tenants, and takes that tenant's Application along.
        metadata.finalizers = (name != ROOT).then(|| vec![FINALIZER.to_owned()]);
        let spec = over(plan, gitops, argocd, folder, &argocd.namespace, false);
        Object::custom(VERSION, "Application", metadata, spec, at.clone())
    };
    let mut platform = metadata(PLATFORM, &argocd.namespace, None, true);
    annotate(&mut platform, &OURS);
    let spec = over(plan, gitops, argocd, PLATFORM_FOLDER, &plan.platform.namespace, false);
    let project = metadata(&argocd.project, &argocd.namespace, None, true);
    let mut objects = vec![
        Object::custom(VERSION, "AppProject", project, own_project(plan, gitops, argocd), at.clone()),
        ours(ROOT, &format!("{GITOPS_FOLDER}/{}", ENGINE.folder)),
        Object::custom(VERSION, "Application", platform, spec, at.clone()),
    ];
    objects.extend(
        shards.iter().map(|shard| ours(&shard.name(), &format!("{GITOPS_FOLDER}/{}/{}", ENGINE.folder, shard.path()))),
    );
    if argocd.application_set {
        let metadata = metadata(&format!("{ROOT}-tenants"), &argocd.namespace, None, true);
        objects.push(Object::custom(VERSION, "ApplicationSet", metadata, set(plan, gitops, argocd), at.clone()));
    }
    if argocd.lock_default_project {
        let metadata = metadata("default", &argocd.namespace, None, true);
        objects.push(Object::custom(VERSION, "AppProject", metadata, nothing(), at));
    }
    let own = OWN.map(|(_, resource)| resource);
    let account =
        Account { name: ACCOUNT, namespace: &argocd.namespace, own: &[(GROUP, &own)], at: &gitops.at, more: RECONCILE };
    objects.extend(rights::objects(plan, &account));
    vec![Folder { path: String::new(), objects, listed: false }]
}

fn tenant(plan: &Plan, tenant: &TenantPlan) -> Vec<Folder> {
    let Some((gitops, argocd)) = of(plan) else { return Vec::new() };
    let mut objects = Vec::new();
    let name = format!("tenant-{}", tenant.name);
    if !argocd.application_set {
        let mut metadata = metadata(&name, &argocd.namespace, Some(tenant), !may_go(tenant));
        annotate(&mut metadata, &OURS);
        metadata.finalizers = may_go(tenant).then(|| vec![FINALIZER.to_owned()]);
        let folder = format!("{TENANTS_FOLDER}/{}", tenant.name);
        let spec = over(plan, gitops, argocd, &folder, &plan.platform.namespace, true);
        objects.push(Object::custom(VERSION, "Application", metadata, spec, tenant.name_at()));
    }
    if !tenant.deploy.is_empty() {
        let metadata = metadata(&name, &argocd.namespace, Some(tenant), false);
        objects.push(Object::custom(VERSION, "AppProject", metadata, tenants_project(tenant), tenant.name_at()));
    }
    for deploy in &tenant.deploy {
        // No tenant's name has a dot in it: without one, `deploy-a-b` could be two tenants'.
        let mut metadata =
            metadata(&format!("deploy-{}.{}", tenant.name, deploy.name), &argocd.namespace, Some(tenant), false);
        // What is built there may take in folders beside this one, which the annotation of paths would not see.
        annotate(&mut metadata, &[SERVER_SIDE_DIFF]);
        let path = if deploy.source.path.is_empty() { "." } else { &deploy.source.path };
        let active = deploy.state == State::Active;
        let spec = application(&name, &deploy.source, path, &deploy.namespace, active, FIVE_TIMES);
        objects.push(Object::custom(VERSION, "Application", metadata, spec, tenant.doc.at(deploy.span)));
    }
    if objects.is_empty() {
        return Vec::new();
    }
    vec![Folder { path: Shard::of(&tenant.name).path(), objects, listed: false }]
}

fn annotate(metadata: &mut ObjectMeta, with: &[(&str, &str)]) {
    let more = with.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    metadata.annotations.get_or_insert_default().extend(more);
}

/// The spec of an Application over a folder of this repository.
fn over(plan: &Plan, gitops: &GitopsPlan, argocd: &ArgocdPlan, folder: &str, namespace: &str, recurse: bool) -> Value {
    debug_assert!([&*argocd.namespace, &*plan.platform.namespace].contains(&namespace));
    let mut spec =
        application(&argocd.project, &gitops.source, &gitops.source.path_of(folder), namespace, true, ALWAYS);
    if recurse {
        // Left out where it is false: Argo CD takes the empty field away, and would see a difference for ever.
        spec["source"]["directory"] = json!({"recurse": true});
    }
    spec
}

/// How often a failed sync of `rendered/` is tried again: always. The definition of Tenants comes with another Application, and
/// where `rendered/` is read from does not change.
const ALWAYS: i32 = -1;

/// How often one of a tenant's own repository is: until somebody changes it. A retry keeps the repository and the path that it
/// began with, whatever the Application says by then.
const FIVE_TIMES: i32 = 5;

/// The spec of an Application; what differs in the cluster is put back. Without `FailOnSharedResource`: whoever may annotate a
/// ServiceAccount could make it another Application's, and nothing would be applied to that tenant any more.
fn application(
    project: &str,
    source: &SourcePlan,
    path: &str,
    namespace: &str,
    automated: bool,
    retries: i32,
) -> Value {
    let backoff = json!({"duration": "10s", "factor": 2, "maxDuration": "3m0s"});
    let mut policy = json!({
        // A commit that repairs what failed is taken up by the next try, not only by the next sync.
        "retry": {"backoff": backoff, "limit": retries, "refresh": true},
        "syncOptions": ["ApplyOutOfSyncOnly=true", "ServerSideApply=true"],
    });
    if automated {
        policy["automated"] = json!({"prune": true, "selfHeal": true});
    }
    json!({
        "destination": {"namespace": namespace, "server": SERVER},
        "project": project,
        "source": {"path": path, "repoURL": source.repo, "targetRevision": source.revision.as_str()},
        "syncPolicy": policy,
    })
}

/// The project of the platform's own Applications: this repository, and what is rendered.
fn own_project(plan: &Plan, gitops: &GitopsPlan, argocd: &ArgocdPlan) -> Value {
    let namespaces = [&*argocd.namespace, &*plan.platform.namespace, "tenant-*"];
    let destinations: Vec<Value> = namespaces.iter().map(|name| json!({"namespace": name, "server": SERVER})).collect();
    let account = format!("{}:{ACCOUNT}", argocd.namespace);
    let accounts = namespaces[..2].iter().map(|name| impersonated(name, &account)).collect();
    let all: Vec<Rendered<'_>> = rendered(plan).collect();
    let standing = |global: bool| {
        let there = all.iter().filter(move |kind| (kind.stands == Stands::Global) == global);
        there.map(|kind| (kind.group, kind.kind))
    };
    let namespaced: BTreeSet<(&str, &str)> = standing(false).chain(OWN.map(|(kind, _)| (GROUP, kind))).collect();
    let namespaced = namespaced.into_iter().map(|(group, kind)| json!({"group": group, "kind": kind}));
    let global: BTreeSet<(&str, &str)> = standing(true).collect();
    let crd = objects::custom_resource_definition::name();
    let names: &[(&str, &[&str])] = &[
        ("Namespace", &[&plan.platform.namespace, "tenant-*"]),
        ("CustomResourceDefinition", &[&crd]),
        ("MutatingWebhookConfiguration", &["k8s-mtp-*"]),
        ("ValidatingWebhookConfiguration", &["k8s-mtp-*"]),
    ];
    let own = ["ClusterRole", "ClusterRoleBinding"].map(|kind| (objects::role_binding::GROUP, kind));
    let own = own.map(|(group, kind)| json!({"group": group, "kind": kind, "name": ACCOUNT}));
    let global = global.into_iter().flat_map(|(group, kind)| {
        let names = names.iter().find(|(named, _)| *named == kind).map_or(&["*"][..], |(_, names)| names);
        names.iter().map(move |name| json!({"group": group, "kind": kind, "name": name}))
    });
    json!({
        "clusterResourceWhitelist": global.chain(own).collect::<Vec<Value>>(),
        "description": "What k8s-mtp renders",
        "destinationServiceAccounts": Value::Array(accounts),
        "destinations": destinations,
        "namespaceResourceWhitelist": namespaced.collect::<Vec<Value>>(),
        "sourceRepos": [gitops.source.repo],
    })
}

/// The project of a tenant's own repositories.
fn tenants_project(tenant: &TenantPlan) -> Value {
    let repos: BTreeSet<&str> = tenant.deploy.iter().map(|deploy| deploy.source.repo.as_str()).collect();
    let namespaces: BTreeSet<&str> = tenant.deploy.iter().map(|deploy| &*deploy.namespace).collect();
    let destinations: Vec<Value> = namespaces.iter().map(|name| json!({"namespace": name, "server": SERVER})).collect();
    let accounts: Vec<Value> = namespaces.iter().map(|name| impersonated(name, deployer::NAME)).collect();
    json!({
        "clusterResourceWhitelist": [],
        "description": format!("What tenant {} deploys from its own repositories", tenant.name),
        "destinationServiceAccounts": accounts,
        "destinations": destinations,
        "namespaceResourceBlacklist": bounds(),
        "sourceRepos": repos,
    })
}

/// What bounds a tenant: kinds that are rendered into its namespaces, but for ServiceAccounts, of which a tenant has its own;
/// what would deploy in its place; and addresses of others' pods.
fn bounds() -> Vec<Value> {
    let rendered = KINDS.iter().filter(|row| matches!(row.build, Build::Namespace(_)));
    let rendered = rendered
        .map(|row| (row.group, row.kind))
        .filter(|(_, kind)| ![objects::ANY, objects::service_account::KIND.kind].contains(kind) && !is_global(kind));
    let own = OWN.map(|(kind, _)| (GROUP, kind));
    let addresses = [("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice")];
    let all: BTreeSet<(&str, &str)> = rendered.chain(own).chain(addresses).collect();
    all.into_iter().map(|(group, kind)| json!({"group": group, "kind": kind})).collect()
}

/// A project without any right.
///
/// Source: <https://argo-cd.readthedocs.io/en/stable/user-guide/projects/#the-default-project>
fn nothing() -> Value {
    json!({
        "clusterResourceWhitelist": [],
        "description": "Locked by k8s-mtp: Applications belong to a project of their own",
        "destinations": [],
        "namespaceResourceBlacklist": [{"group": "*", "kind": "*"}],
        "sourceRepos": [],
    })
}

fn impersonated(namespace: &str, account: &str) -> Value {
    json!({"defaultServiceAccount": account, "namespace": namespace, "server": SERVER})
}

/// One ApplicationSet over the folders of tenants. It creates and updates, and deletes nothing: a folder that a mistake takes
/// away takes no Application along.
///
/// Source: <https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Controlling-Resource-Modification/>
fn set(plan: &Plan, gitops: &GitopsPlan, argocd: &ArgocdPlan) -> Value {
    let mut spec = over(plan, gitops, argocd, TENANTS_FOLDER, &plan.platform.namespace, true);
    spec["source"]["path"] = json!("{{ .path.path }}");
    let annotations = OURS.into_iter().map(|(key, value)| (key.to_owned(), json!(value)));
    let annotations: serde_json::Map<String, Value> = annotations.collect();
    let metadata = json!({"annotations": annotations, "name": "tenant-{{ .path.basename }}"});
    let source = &gitops.source;
    let folders = [json!({"path": source.path_of(&format!("{TENANTS_FOLDER}/*"))})];
    let git = json!({"directories": folders, "repoURL": source.repo, "revision": source.revision.as_str()});
    json!({
        "generators": [{"git": git}],
        "goTemplate": true,
        "goTemplateOptions": ["missingkey=error"],
        "syncPolicy": {"applicationsSync": "create-update", "preserveResourcesOnDeletion": true},
        "template": {"metadata": metadata, "spec": spec},
    })
}
