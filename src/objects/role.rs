//! `Role`: what admins, operators and viewers of a tenant may do in its namespace. Every right is enumerated.
//!
//! Nothing here lets a tenant change what the platform rendered, hand out rights, read another's objects or act as
//! someone else; see [`crate::rules::roles`] for the list, which also holds for the Platform's `extraRules`.

use std::collections::BTreeSet;

use k8s_openapi::api::rbac::v1::{PolicyRule, Role};

use super::{Build, InNamespace, Kind, Object};
use crate::contract::At;
use crate::contract::platform::ExtraRule;
use crate::contract::tenant::State;
use crate::plan::PlatformPlan;

/// The row of [`super::KINDS`].
pub const KIND: Kind =
    Kind { group: super::role_binding::GROUP, version: "v1", kind: "Role", build: Build::Namespace(build) };

/// The three roles, in the order of their rights.
pub const ROLES: [&str; 3] = ["admin", "operator", "viewer"];

/// `tenant-<name>-admin`.
pub fn role_name(tenant: &str, role: &str) -> String {
    format!("tenant-{tenant}-{role}")
}

/// (API group, resources, verbs)
type Rule = (&'static str, &'static [&'static str], &'static [&'static str]);

const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "delete", "deletecollection", "patch", "update"];
const APPLY: &[&str] = &["create", "delete", "patch", "update"];

/// What runs in a namespace, of the core group.
const RUNS: &[&str] = &[
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "secrets",
    "serviceaccounts",
    "services",
];

/// What runs pods, of `apps`.
const WORKLOADS: &[&str] = &["daemonsets", "deployments", "replicasets", "statefulsets"];

/// What everybody sees: all but Secrets. The namespace itself by `get` alone: a namespaced Role that may `update` or
/// `patch` `namespaces`, or its subresources, could take Pod Security off its own namespace.
const SEE: &[Rule] = &[
    ("", &["namespaces"], &["get"]),
    (
        "",
        &[
            "configmaps",
            "endpoints",
            "events",
            "limitranges",
            "persistentvolumeclaims",
            "persistentvolumeclaims/status",
            "pods",
            "pods/log",
            "pods/status",
            "replicationcontrollers",
            "replicationcontrollers/scale",
            "replicationcontrollers/status",
            "resourcequotas",
            "resourcequotas/status",
            "serviceaccounts",
            "services",
            "services/status",
        ],
        READ,
    ),
    (
        "apps",
        &[
            "controllerrevisions",
            "daemonsets",
            "daemonsets/status",
            "deployments",
            "deployments/scale",
            "deployments/status",
            "replicasets",
            "replicasets/scale",
            "replicasets/status",
            "statefulsets",
            "statefulsets/scale",
            "statefulsets/status",
        ],
        READ,
    ),
    ("autoscaling", &["horizontalpodautoscalers", "horizontalpodautoscalers/status"], READ),
    ("batch", &["cronjobs", "cronjobs/status", "jobs", "jobs/status"], READ),
    ("discovery.k8s.io", &["endpointslices"], READ),
    ("events.k8s.io", &["events"], READ),
    ("metrics.k8s.io", &["pods"], READ),
    ("networking.k8s.io", &["ingresses", "ingresses/status", "networkpolicies"], READ),
    ("policy", &["poddisruptionbudgets", "poddisruptionbudgets/status"], READ),
    ("rbac.authorization.k8s.io", &["rolebindings", "roles"], READ),
    ("resource.k8s.io", &["resourceclaims", "resourceclaims/status", "resourceclaimtemplates"], READ),
];

/// What operators do: scale, and restart by deleting or evicting pods. No template of a workload, since whoever writes one
/// reads every Secret of the namespace.
const OPERATE: &[Rule] = &[
    ("", &["pods"], &["delete"]),
    ("", &["pods/eviction"], &["create"]),
    ("", &["replicationcontrollers/scale"], &["patch", "update"]),
    ("apps", &["deployments/scale", "replicasets/scale", "statefulsets/scale"], &["patch", "update"]),
];

/// What admins do: everything that runs in the namespace, and nothing that bounds it. No `serviceaccounts/token`, no
/// `endpoints` or `endpointslices` (CVE-2021-25740), no quota, limit, network policy, Role or binding.
const ADMINISTER: &[Rule] = &[
    ("", RUNS, WRITE),
    ("", &["secrets"], READ),
    ("", &["pods/attach", "pods/exec", "pods/portforward"], &["create", "get"]),
    ("", &["pods/ephemeralcontainers", "pods/resize"], &["get", "patch", "update"]),
    ("", &["pods/eviction"], &["create"]),
    ("", &["replicationcontrollers/scale"], &["patch", "update"]),
    ("apps", WORKLOADS, WRITE),
    ("apps", &["deployments/scale", "replicasets/scale", "statefulsets/scale"], &["patch", "update"]),
    ("autoscaling", &["horizontalpodautoscalers"], WRITE),
    ("batch", &["cronjobs", "jobs"], WRITE),
    ("networking.k8s.io", &["ingresses"], WRITE),
    ("policy", &["poddisruptionbudgets"], WRITE),
    ("resource.k8s.io", &["resourceclaims", "resourceclaimtemplates"], WRITE),
];

/// What is written besides where [`super::policies::tenants`] looks at it.
const GUARDED: &[Rule] = &[
    ("networking.k8s.io", &["networkpolicies"], WRITE),
    ("rbac.authorization.k8s.io", &["rolebindings", "roles"], WRITE),
];

/// Whether the policies look at what is written of that resource, so that every tenant of a platform that has them may write it.
pub fn is_guarded(group: &str, resource: &str, verb: &str) -> bool {
    let is_one = |(of, resources, verbs): &Rule| *of == group && resources.contains(&resource) && verbs.contains(&verb);
    GUARDED.iter().any(is_one)
}

/// What the engine does for a tenant, from the tenant's own repository: less than what its admins do. It runs no commands in
/// pods, and what is not written to a repository it does not touch.
const DEPLOY: &[Rule] = &[
    ("", RUNS, APPLY),
    ("", &["secrets"], &["get"]),
    ("apps", WORKLOADS, APPLY),
    ("autoscaling", &["horizontalpodautoscalers"], APPLY),
    ("batch", &["cronjobs", "jobs"], APPLY),
    ("networking.k8s.io", &["ingresses"], APPLY),
    ("policy", &["poddisruptionbudgets"], APPLY),
    ("resource.k8s.io", &["resourceclaims", "resourceclaimtemplates"], APPLY),
];

/// All three, always under their names: a binding's `roleRef` cannot change. Where a namespace is not active, each has
/// the viewer's rights.
fn build(scope: &InNamespace<'_>) -> Vec<Object> {
    ROLES.iter().zip(Rights::OF_PEOPLE).map(|(name, rights)| role(scope, name, rights)).collect()
}

/// One of the tenant's Roles, `tenant-<name>-<role>`; where its namespace is not active, with the viewer's rights.
pub fn role(scope: &InNamespace<'_>, name: &str, rights: Rights) -> Object {
    let rights = if scope.namespace.state == State::Active { rights } else { Rights::Viewer };
    let rules = scope.specs.part((KIND.kind, rights.as_str(), 0), "rules", || rules(scope.platform, rights));
    let object = Object::joined::<Role>(scope, role_name(&scope.tenant.name, name), rules);
    match rights.extra(scope.platform).first().filter(|_| scope.origins) {
        Some(extra) => object.from("/rules", scope.platform.doc.at(extra.span)),
        None => object,
    }
}

/// What one of a tenant's Roles may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Everything that runs in the namespace.
    Admin,
    /// Keeping it running.
    Operator,
    /// Reading.
    Viewer,
    /// Applying what stands in the tenant's repository.
    Deployer,
}

impl Rights {
    /// Those of [`ROLES`], in their order.
    const OF_PEOPLE: [Rights; 3] = [Rights::Admin, Rights::Operator, Rights::Viewer];

    fn as_str(self) -> &'static str {
        match self {
            Rights::Admin => "admin",
            Rights::Operator => "operator",
            Rights::Viewer => "viewer",
            Rights::Deployer => "deployer",
        }
    }

    fn built_in(self) -> &'static [&'static [Rule]] {
        match self {
            Rights::Admin => &[SEE, ADMINISTER],
            Rights::Operator => &[SEE, OPERATE],
            Rights::Viewer => &[SEE],
            Rights::Deployer => &[SEE, DEPLOY],
        }
    }

    /// What the Platform adds; whoever deploys for an admin gets what the admin gets.
    fn extra(self, platform: &PlatformPlan) -> &[At<ExtraRule>] {
        let [admin, operator, viewer] = &platform.extra_rules;
        match self {
            Rights::Admin | Rights::Deployer => admin,
            Rights::Operator => operator,
            Rights::Viewer => viewer,
        }
    }
}

/// The rights, and what the Platform adds to them.
fn rules(platform: &PlatformPlan, rights: Rights) -> Vec<PolicyRule> {
    let guarded = platform.admission.policies.is_some() && matches!(rights, Rights::Admin | Rights::Deployer);
    let guarded = if guarded { GUARDED } else { &[] };
    let built_in =
        rights.built_in().iter().copied().flatten().chain(guarded).map(|(group, resources, verbs)| PolicyRule {
            api_groups: Some(vec![(*group).to_owned()]),
            resources: Some(owned(resources)),
            verbs: owned(verbs),
            ..PolicyRule::default()
        });
    let sorted = |list: &[At<String>]| {
        let list: BTreeSet<String> = list.iter().map(|v| v.value.clone()).collect();
        list.into_iter().collect::<Vec<String>>()
    };
    let extra: BTreeSet<[Vec<String>; 3]> = rights
        .extra(platform)
        .iter()
        .map(|rule| [sorted(&rule.api_groups), sorted(&rule.resources), sorted(&rule.verbs)])
        .collect();
    let extra = extra.into_iter().map(|[groups, resources, verbs]| PolicyRule {
        api_groups: Some(groups),
        resources: Some(resources),
        verbs,
        ..PolicyRule::default()
    });
    built_in.chain(extra).collect()
}

/// A rule of rights on resources of one group; with names, on those objects alone.
pub fn rule(group: &str, resources: impl IntoIterator<Item = String>, verbs: &[&str], names: &[&str]) -> PolicyRule {
    PolicyRule {
        api_groups: Some(vec![group.to_owned()]),
        resource_names: (!names.is_empty()).then(|| owned(names)),
        resources: Some(resources.into_iter().collect()),
        verbs: owned(verbs),
        ..PolicyRule::default()
    }
}

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|s| (*s).to_owned()).collect()
}
