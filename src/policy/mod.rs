//! The shelf of admission policies: what a tenant's pod may not be, why, and how to put it right; one file a policy.
//!
//! A row is a policy. Its check sees effective values: what Kubernetes inherits from the pod holds for its containers. The
//! examples are its tests and a part of what `mtp explain ID` prints.

pub mod json;
pub mod judge;
pub mod manifests;
pub mod pod_security;
pub mod restrictions;
pub mod review;
pub mod standing;

mod cpu_limits;
mod image_pull_policy;
mod memory_limits;
mod non_root;
pub mod pod;
mod privilege_escalation;
mod privileged;
mod read_only_root;
mod resource_limits;
mod security_context;

use pod::{Container, List, Pod};

use crate::contract::admission::Mode;

/// One policy. Its id stands in messages and in the Platform's configuration, and never changes its meaning.
pub struct Policy {
    /// Words with `-` between them: `read-only-root`.
    pub id: &'static str,
    /// What is refused, in a few words.
    pub title: &'static str,
    /// What would happen otherwise.
    pub why: &'static str,
    /// How to put it right.
    pub fix: &'static str,
    /// What is said of a container that breaks it: `Container NAME ` and this. Part of the interface: people search for it.
    pub breach: &'static str,
    /// Which containers it is about.
    pub about: &'static [List],
    /// Whether it is about the resources of a container, which a resize changes, or about what it may do.
    pub resources: bool,
    /// The policy whose breach says this one as well: who has no limits at all hears of that alone.
    pub within: Option<&'static str>,
    /// What a breach leads to where neither Platform nor Tier says so. `Off`: a platform has to ask for it.
    pub unless_said: Mode,
    /// Whether a container keeps to it.
    pub holds: fn(&Pod<'_>, &Container<'_>) -> bool,
    /// The same in CEL, of a container `c` of the pod whose spec stands for [`SPEC`], as an API server has them: without
    /// optional fields that are empty. In what both API servers and evaluators elsewhere know: no `.?`, no macro of two variables.
    pub cel: &'static str,
    /// Pods that keep to it and pods that do not, as YAML of their `spec`, each with a word on it.
    pub examples: &'static [Example],
}

/// A pod that shows what a policy means.
pub struct Example {
    /// What is to be seen.
    pub about: &'static str,
    /// Whether the policy holds.
    pub holds: bool,
    /// The `spec` of a pod.
    pub spec: &'static str,
}

/// Containers that run: those of ephemeral containers have no resources, and come to look at a pod.
pub const RUNNING: &[List] = &[List::Init, List::Main];

/// All three lists.
pub const EVERY: &[List] = &[List::Init, List::Main, List::Ephemeral];

/// In [`Policy::cel`]: the spec of the pod.
pub const SPEC: &str = "$spec";

/// All policies, in the order in which breaches are told.
pub const POLICIES: [&Policy; 9] = [
    &resource_limits::POLICY,
    &cpu_limits::POLICY,
    &memory_limits::POLICY,
    &security_context::POLICY,
    &privileged::POLICY,
    &non_root::POLICY,
    &read_only_root::POLICY,
    &privilege_escalation::POLICY,
    &image_pull_policy::POLICY,
];

/// The policy of that id.
pub fn find(id: &str) -> Option<&'static Policy> {
    POLICIES.into_iter().find(|policy| policy.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::pod::Pod;
    use super::{POLICIES, Policy};

    /// Names of containers that break it.
    fn breaches(policy: &Policy, spec: &str) -> Vec<String> {
        let spec: Value = serde_yaml::from_str(spec).expect("YAML");
        let spec = super::json::Json::from(&spec);
        let pod = Pod::new(&spec);
        let about = pod.containers().filter(|c| policy.about.contains(&c.list));
        about.filter(|c| !(policy.holds)(&pod, c)).map(|c| c.name().to_owned()).collect()
    }

    #[test]
    fn examples_are_what_they_say() {
        for policy in POLICIES {
            for example in policy.examples {
                let found = breaches(policy, example.spec);
                assert_eq!(found.is_empty(), example.holds, "{}: {}: {found:?}", policy.id, example.about);
            }
            assert!(
                [true, false].iter().all(|holds| policy.examples.iter().any(|e| e.holds == *holds)),
                "{}",
                policy.id
            );
        }
    }

    #[test]
    fn a_pod_without_containers_and_what_is_no_pod_break_nothing() {
        for spec in ["{}", "[]", "containers: {}", "containers: [1, null, {}]"] {
            for policy in POLICIES {
                // No panic; what is no container of Kubernetes has no name.
                breaches(policy, spec).iter().for_each(|name| assert_eq!(name, ""));
            }
        }
    }
}
