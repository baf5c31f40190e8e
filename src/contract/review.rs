//! `Review`: what `mtp diff` stops, and who let what pass.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{Amount, At};

/// What a change of the platform must not do unless somebody answers for it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Review {
    /// Classes of findings that `mtp diff` refuses. Default: admission, deletion, network, pod-security, rights, unbounded,
    /// unknown. What weakens the review itself is refused in any case.
    #[serde(default)]
    pub deny: Option<Vec<At<Class>>>,
    /// Findings that are let pass, each in the change that brings it; afterwards an entry may go.
    #[serde(default)]
    pub approvals: Vec<At<Approval>>,
    /// What the cluster has to give, by resource: `cpu`, `memory`, `ephemeral-storage`, `storage`, `pods`. With it, the
    /// review says how much of it all quotas together promise.
    #[serde(default)]
    pub capacity: BTreeMap<At<Resource>, At<Amount>>,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Policies of pods, exemptions from them, and who carries them out.
    Admission,
    /// Certificates of the webhook.
    Certificate,
    /// What is deleted with everything in it.
    Deletion,
    /// Tenants and namespaces that come, stop or leave.
    Lifecycle,
    /// Who reaches whom.
    Network,
    /// Who has rights that others had before.
    People,
    /// The level of Pod Security.
    PodSecurity,
    /// Ceilings that move.
    Quota,
    /// Objects that can only be replaced.
    Replacement,
    /// Approvals, and what is refused.
    Review,
    /// Rights that nobody had before.
    Rights,
    /// Tenants that change their tier.
    Tier,
    /// What another version of mtp renders otherwise.
    Tool,
    /// Ceilings that are gone.
    Unbounded,
    /// What could not be compared.
    Unknown,
}

/// A resource of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Resource {
    /// Cores.
    Cpu,
    /// Scratch space of nodes.
    EphemeralStorage,
    /// Memory of nodes.
    Memory,
    /// Pods that nodes take.
    Pods,
    /// Storage of volume claims.
    Storage,
}

/// A finding that is let pass.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approval {
    /// The finding's id, as `mtp diff` prints it.
    #[schemars(regex(pattern = r"^[a-z][a-z-]*-[0-9a-f]{12}$"))]
    pub finding: At<String>,
    /// Names of the tenants that it is let pass for; `"*"`: all that it concerns. Absent: it concerns no tenant.
    #[serde(default)]
    pub tenants: Vec<At<String>>,
    /// Why it is right.
    pub reason: At<String>,
    /// Who answers for it: an e-mail address.
    pub who: At<String>,
    /// The last day on which it lets anything pass: `"2027-01-31"`, in quotes.
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub until: At<String>,
}

impl Class {
    /// All of them, in the order of their names.
    pub const ALL: [Class; 15] = [
        Class::Admission,
        Class::Certificate,
        Class::Deletion,
        Class::Lifecycle,
        Class::Network,
        Class::People,
        Class::PodSecurity,
        Class::Quota,
        Class::Replacement,
        Class::Review,
        Class::Rights,
        Class::Tier,
        Class::Tool,
        Class::Unbounded,
        Class::Unknown,
    ];

    /// What is refused where the Platform does not say.
    pub const DENIED: [Class; 7] = [
        Class::Admission,
        Class::Deletion,
        Class::Network,
        Class::PodSecurity,
        Class::Rights,
        Class::Unbounded,
        Class::Unknown,
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Admission => "admission",
            Class::Certificate => "certificate",
            Class::Deletion => "deletion",
            Class::Lifecycle => "lifecycle",
            Class::Network => "network",
            Class::People => "people",
            Class::PodSecurity => "pod-security",
            Class::Quota => "quota",
            Class::Replacement => "replacement",
            Class::Review => "review",
            Class::Rights => "rights",
            Class::Tier => "tier",
            Class::Tool => "tool",
            Class::Unbounded => "unbounded",
            Class::Unknown => "unknown",
        }
    }
}

impl Resource {
    /// As it is written, and the key of ResourceQuota that promises it.
    pub fn keys(self) -> (&'static str, &'static str) {
        match self {
            Resource::Cpu => ("cpu", "requests.cpu"),
            Resource::EphemeralStorage => ("ephemeral-storage", "requests.ephemeral-storage"),
            Resource::Memory => ("memory", "requests.memory"),
            Resource::Pods => ("pods", "pods"),
            Resource::Storage => ("storage", "requests.storage"),
        }
    }
}
