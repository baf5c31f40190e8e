//! `TenantSpec`: who a tenant is and what it gets.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gitops::Deploy;
use super::platform::Port;
use super::restrict::Restrict;
use super::values::{Amount, At};

/// Who the tenant is and what it gets.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantSpec {
    /// Second part of the tenant's first namespace, `tenant-<metadata.name>-<spec.name>`.
    #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), length(max = 63))]
    pub name: At<String>,
    /// The Tier that its namespaces have.
    pub tier: At<String>,
    /// Whom to write to.
    #[schemars(email)]
    pub owner_email: At<String>,
    /// `active`; `suspended`: no new pods, no traffic, read-only; `retired`: no grants, no quota, may be removed next.
    /// Default: `active`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<At<State>>,
    /// Users who run everything in the tenant's namespaces, as the identity provider names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub admins: Vec<At<String>>,
    /// Users who keep workloads running: they see all but Secrets, scale, and restart pods by deleting or evicting them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<At<String>>,
    /// Users who see all but Secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub viewers: Vec<At<String>>,
    /// The same three roles by group of the identity provider.
    #[serde(default, skip_serializing_if = "Groups::is_empty")]
    pub groups: Groups,
    /// Further namespaces, each named `tenant-<metadata.name>-<entry.name>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<At<NamespaceEntry>>,
    /// What the tenant's pods may connect to, besides each other in one namespace and DNS.
    #[serde(default, skip_serializing_if = "TenantEgress::is_empty")]
    pub egress: TenantEgress,
    /// Who may connect to the tenant's pods, besides each other in one namespace and what the Platform lists.
    #[serde(default, skip_serializing_if = "TenantIngress::is_empty")]
    pub ingress: TenantIngress,
    /// Own ceilings of the namespaces that have the tenant's tier: lower than the tier's, or up to its `quotaMax`.
    #[serde(default, skip_serializing_if = "QuotaValues::is_empty")]
    pub quota: QuotaValues,
    /// Labels of the tenant's Namespaces; the Platform lists the keys that are allowed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<At<String>, At<String>>,
    /// Annotations of the tenant's Namespaces; the Platform lists the keys that are allowed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<At<String>, At<String>>,
    /// Names of Secrets that the default ServiceAccounts pull images with, besides the Platform's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pull_secrets: Vec<At<String>>,
    /// What this tenant may name, within what its tier lets: registries, host names and the like.
    #[serde(default, skip_serializing_if = "Restrict::is_empty")]
    pub restrict: Restrict,
    /// Repositories of the tenant's own, which the platform's engine applies to its namespaces with no more rights there than
    /// its admins have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deploy: Vec<At<Deploy>>,
}

/// How far a tenant or a namespace is on its way out. Later states are stricter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// In use.
    #[default]
    Active,
    /// No new pods, no traffic, everyone reads only; back to `active` restores all.
    Suspended,
    /// Grants gone, network closed, quota zero; the next change may remove it.
    Retired,
}

impl State {
    /// As authors and labels spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Suspended => "suspended",
            State::Retired => "retired",
        }
    }
}

/// Groups of the identity provider, by role.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Groups {
    /// Groups with the rights of `admins`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub admins: Vec<At<String>>,
    /// Groups with the rights of `operators`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<At<String>>,
    /// Groups with the rights of `viewers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub viewers: Vec<At<String>>,
}

impl Groups {
    fn is_empty(&self) -> bool {
        self.admins.is_empty() && self.operators.is_empty() && self.viewers.is_empty()
    }
}

/// A further namespace of the tenant.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamespaceEntry {
    /// Last part of its name, `tenant-<metadata.name>-<name>`.
    #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), length(max = 63))]
    pub name: At<String>,
    /// Its Tier. Default: the tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<At<String>>,
    /// Its state; the stricter of this and the tenant's holds. Default: the tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<At<State>>,
    /// Its own ceilings, instead of the tenant's `quota`.
    #[serde(default, skip_serializing_if = "QuotaValues::is_empty")]
    pub quota: QuotaValues,
}

/// What the tenant's pods may connect to.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantEgress {
    /// Whether they reach public addresses. Default: what the tier or the Platform says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internet: Option<At<bool>>,
    /// Whether they reach the API server. Default: no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_server: Option<At<bool>>,
    /// Further peers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<At<Peer>>,
}

impl TenantEgress {
    fn is_empty(&self) -> bool {
        self.internet.is_none() && self.api_server.is_none() && self.allow.is_empty()
    }
}

/// Who may connect to the tenant's pods.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantIngress {
    /// Further peers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<At<Peer>>,
}

impl TenantIngress {
    fn is_empty(&self) -> bool {
        self.allow.is_empty()
    }
}

/// The other end of a connection: exactly one of `cidr`, `namespace` and `tenant`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Peer {
    /// Addresses, such as `203.0.113.0/24`. Blocked addresses inside of it stay closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr: Option<At<String>>,
    /// A namespace by its full name, which belongs to no other tenant and is not reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<At<String>>,
    /// A tenant by its `metadata.name`. Both sides must agree: here `egress.allow`, there `ingress.allow`, or the other
    /// way round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<At<String>>,
    /// Labels of the other end's pods. Absent: all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pod_labels: BTreeMap<At<String>, At<String>>,
    /// Ports that are connected to. Absent: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<At<Port>>,
}

/// Ceilings that a tenant may set itself, and how far a tier lets it.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuotaValues {
    /// CPU of all pods together: `requests.cpu` and `limits.cpu`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<At<Amount>>,
    /// Memory of all pods together: `requests.memory` and `limits.memory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<At<Amount>>,
    /// Ephemeral storage of all pods together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<At<Amount>>,
    /// Storage of all volume claims together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<At<Amount>>,
    /// Number of pods that have not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pods: Option<At<Amount>>,
    /// Number of Services of type LoadBalancer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_balancers: Option<At<Amount>>,
    /// Number of objects by resource: `secrets`, `configmaps`, `count/deployments.apps`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub objects: BTreeMap<At<String>, At<Amount>>,
}

impl QuotaValues {
    /// Whether nothing is stated.
    pub fn is_empty(&self) -> bool {
        self.cpu.is_none()
            && self.memory.is_none()
            && self.ephemeral_storage.is_none()
            && self.storage.is_none()
            && self.pods.is_none()
            && self.load_balancers.is_none()
            && self.objects.is_empty()
    }
}
