//! What rules of RBAC and of webhooks are about: both name resources in groups, and both take any word for one.

use super::api::{self, Resource};
use super::file::{Object, items};
use crate::yaml::Node;

/// One rule of a role, of an aggregated role or of a webhook.
pub struct Grant<'f> {
    /// All of it.
    pub node: &'f Node<'f>,
    /// `apiGroups`.
    pub groups: &'f [Node<'f>],
    /// `resources`.
    pub resources: &'f [Node<'f>],
    /// `verbs`; of a webhook, none.
    pub verbs: &'f [Node<'f>],
    /// Whether it is one of a role.
    pub of_rbac: bool,
}

/// All of them in an object.
pub fn grants<'f>(object: &Object<'f>) -> Vec<Grant<'f>> {
    let read = |node: &'f Node<'f>, of_rbac: bool| Grant {
        node,
        groups: items(node.get("apiGroups")),
        resources: items(node.get("resources")),
        verbs: items(node.get("verbs")),
        of_rbac,
    };
    match (object.group, object.kind) {
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => {
            items(object.get(&["rules"])).iter().map(|rule| read(rule, true)).collect()
        }
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") => {
            let webhooks = items(object.get(&["webhooks"]));
            webhooks.iter().flat_map(|webhook| items(webhook.get("rules"))).map(|rule| read(rule, false)).collect()
        }
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy") => {
            let rules = items(object.get(&["spec", "matchConstraints", "resourceRules"]));
            rules.iter().map(|rule| read(rule, false)).collect()
        }
        _ => Vec::new(),
    }
}

impl Grant<'_> {
    /// Whether it is about groups alone whose resources are all known.
    pub fn is_ours(&self) -> bool {
        let known = |group: &str| api::COMPLETE.contains(&group) || group == api::GONE;
        !self.groups.is_empty() && self.groups.iter().all(|group| group.text().is_some_and(known))
    }

    /// Whether it is about a group.
    pub fn has_group(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own.text() == Some(group))
    }

    /// Whether one of its groups has a resource.
    pub fn knows(&self, plural: &str) -> bool {
        let every = self.has_group("*") && api::RESOURCES.iter().any(|r| r.plural == plural);
        every || self.groups.iter().filter_map(Node::text).any(|group| api::find(group, plural).is_some())
    }

    /// The resource of its groups that somebody meant who wrote a kind or a singular.
    pub fn meant(&self, typed: &str) -> Option<&'static Resource> {
        if self.knows(typed) { None } else { api::meant(typed, |group| self.has_group(group) || self.has_group("*")) }
    }
}
