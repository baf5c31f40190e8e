//! As whom an engine applies `rendered/`: a ServiceAccount of its own, with every right enumerated from what is rendered.
//!
//! Neither `cluster-admin` nor `*`: a kind that is not rendered is refused, whatever manifest somebody smuggles past a review. It
//! is a fence against mistakes, and none against whoever may merge into `rendered/`: who hands out Roles in every namespace
//! (`bind`, `escalate`), which is what the platform is for, can give himself those of Kubernetes' own controllers. It hands out
//! no ClusterRole, and its own may only be made narrower: an admin applies these objects once, and again when they need more.
//!
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping>

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule};

use super::{metadata, rendered};
use crate::certs::SECRET;
use crate::objects::meta::ObjectMeta;
use crate::objects::role::rule;
use crate::objects::role_binding::GROUP as RBAC;
use crate::objects::{self, Object, role_binding};
use crate::place::Place;
use crate::plan::Plan;

/// What server-side apply and pruning need.
const APPLY: [&str; 4] = ["create", "delete", "get", "patch"];

/// What is done to objects whose names are known.
const KEEP: [&str; 2] = ["get", "patch"];

/// An engine's ServiceAccount.
pub struct Account<'a> {
    /// Its name, and that of what it may do.
    pub name: &'a str,
    /// The engine's namespace.
    pub namespace: &'a str,
    /// Resources of the engine's own, by group.
    pub own: &'a [(&'a str, &'a [&'a str])],
    /// Where the Platform names the engine.
    pub at: &'a Place,
    /// What the engine does to Roles, ClusterRoles and their bindings besides applying them.
    pub more: &'a [&'a str],
}

/// The ServiceAccount, and what it may do.
pub fn objects(plan: &Plan, account: &Account<'_>) -> Vec<Object> {
    let Account { name, namespace, .. } = *account;
    let at = account.at;
    let global = || ObjectMeta { namespace: None, ..metadata(name, namespace, None, true) };
    let object = ServiceAccount {
        automount_service_account_token: Some(false),
        metadata: metadata(name, namespace, None, true),
        ..ServiceAccount::default()
    };
    let role = ClusterRole { metadata: global(), rules: Some(rules(plan, account)), aggregation_rule: None };
    let binding = ClusterRoleBinding {
        metadata: global(),
        role_ref: role_binding::role_ref("ClusterRole", name),
        subjects: Some(vec![role_binding::account(namespace, name)]),
    };
    vec![Object::new(object, at.clone()), Object::new(role, at.clone()), Object::new(binding, at.clone())]
}

fn rules(plan: &Plan, account: &Account<'_>) -> Vec<PolicyRule> {
    let mut rules: Vec<PolicyRule> = Vec::new();
    let crd = objects::custom_resource_definition::name();
    // What is listed by name cannot be created by name: the API server does not know a new object's name yet.
    let named = [("", "secrets", SECRET.to_owned()), ("apiextensions.k8s.io", "customresourcedefinitions", crd)];
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for kind in rendered(plan) {
        if !named.iter().any(|(group, resource, _)| (*group, *resource) == (kind.group, &*kind.resource)) {
            all.entry(kind.group.to_owned()).or_default().insert(kind.resource.into_owned());
        }
    }
    for (group, resources) in account.own {
        all.entry((*group).to_owned()).or_default().extend(resources.iter().map(|r| (*r).to_owned()));
    }
    for (group, resources) in all {
        rules.push(rule(&group, resources, &APPLY, &[]));
    }
    rules.push(rule(RBAC, ["roles".to_owned()], &["bind", "escalate"], &[]));
    if !account.more.is_empty() {
        rules.push(rule(RBAC, ["rolebindings".to_owned(), "roles".to_owned()], account.more, &[]));
    }
    for (group, resource, name) in named {
        rules.push(rule(group, [resource.to_owned()], &["create"], &[]));
        rules.push(rule(group, [resource.to_owned()], &["delete", "get", "patch"], &[&name]));
    }
    // Its own objects stand in git too, and are seen to be as they are there. With more in them than it has, the API server
    // refuses them.
    let keep: Vec<&str> = KEEP.iter().chain(account.more).copied().collect();
    let own = ["clusterrolebindings".to_owned(), "clusterroles".to_owned()];
    rules.push(rule(RBAC, own, &keep, &[account.name]));
    rules
}
