//! `TierSpec`: what a namespace of a tier may use.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::admission::{Exemption, Mode};
use super::platform::{Egress, PodSecurity};
use super::restrict::Restrict;
use super::tenant::QuotaValues;
use super::values::{Amount, At};

/// What a namespace of this tier may use.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TierSpec {
    /// The ceiling of each namespace.
    #[serde(default)]
    pub quota: TierQuota,
    /// How far a tenant's own `quota` may go beyond the tier's. What is not listed here can only be lowered.
    #[serde(default)]
    pub quota_max: QuotaValues,
    /// Defaults and bounds of single containers, pods and volume claims.
    #[serde(default)]
    pub limit_range: LimitRangeSpec,
    /// What tenants of this tier reach outside of the cluster unless they say otherwise. Default: the Platform's.
    #[serde(default)]
    pub egress: Option<At<Egress>>,
    /// Pod Security Standard of this tier's namespaces. Default: the Platform's.
    #[serde(default)]
    pub pod_security: PodSecurity,
    /// How many namespaces a tenant of this tier may have, retired ones not counted. Default: 1.
    #[serde(default)]
    pub namespaces: Option<At<u32>>,
    /// Policies of this tier's pods.
    #[serde(default)]
    pub admission: TierAdmission,
}

/// Policies of a tier's pods.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TierAdmission {
    /// What happens where a pod breaks a policy, by the policy's id. Default: as the Platform says.
    #[serde(default)]
    pub policies: BTreeMap<At<String>, At<Mode>>,
    /// What tenants of this tier may name. Of each list, default: the Platform's.
    #[serde(default)]
    pub restrict: Restrict,
    /// Who is let off which policies.
    #[serde(default)]
    pub exemptions: Vec<At<Exemption>>,
}

/// The ceiling of one namespace. What is absent is not governed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TierQuota {
    /// CPU of all pods together: `requests.cpu` and `limits.cpu`.
    #[serde(default)]
    pub cpu: Option<At<Amount>>,
    /// Memory of all pods together: `requests.memory` and `limits.memory`.
    #[serde(default)]
    pub memory: Option<At<Amount>>,
    /// Ephemeral storage of all pods together: `requests.ephemeral-storage` and `limits.ephemeral-storage`.
    #[serde(default)]
    pub ephemeral_storage: Option<At<Amount>>,
    /// Storage of all volume claims together: `requests.storage`.
    #[serde(default)]
    pub storage: Option<At<Amount>>,
    /// Number of pods that have not ended.
    #[serde(default)]
    pub pods: Option<At<Amount>>,
    /// Number of Services of type LoadBalancer: `services.loadbalancers`.
    #[serde(default)]
    pub load_balancers: Option<At<Amount>>,
    /// Number of Services with node ports: `services.nodeports`. 0 is advised: a node port bypasses NetworkPolicy.
    #[serde(default)]
    pub node_ports: Option<At<Amount>>,
    /// Number of pods whose affinity or anti-affinity looks at other namespaces: `pods` of the scope `CrossNamespacePodAffinity`. 0
    /// is advised: the anti-affinity of one such pod keeps all pods of others off its node or its zone.
    #[serde(default)]
    pub cross_namespace_affinity: Option<At<Amount>>,
    /// Number of objects by resource: `secrets`, `configmaps`, `services`, `persistentvolumeclaims`,
    /// `count/deployments.apps`, …
    #[serde(default)]
    pub objects: BTreeMap<At<String>, At<Amount>>,
    /// Storage by storage class. Absent: not governed; empty: no class of the Platform's `storageClasses`; listed: only
    /// these.
    #[serde(default)]
    pub storage_classes: Option<BTreeMap<At<String>, At<StorageClassQuota>>>,
    /// Pods by priority class. Absent: not governed; empty: no pod with a priority class; listed: only these.
    #[serde(default)]
    pub priority_classes: Option<BTreeMap<At<String>, At<PriorityClassQuota>>>,
    /// Volume claims by volume attributes class. Absent: not governed; empty: no claim with one; listed: only these.
    #[serde(default)]
    pub volume_attributes_classes: Option<BTreeMap<At<String>, At<ClaimsQuota>>>,
    /// Extended resources such as `nvidia.com/gpu`: `requests.nvidia.com/gpu`.
    #[serde(default)]
    pub extended_resources: BTreeMap<At<String>, At<Amount>>,
    /// Devices of dynamic resource allocation by device class.
    #[serde(default)]
    pub device_classes: BTreeMap<At<String>, At<Amount>>,
}

/// The ceiling of one storage class.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageClassQuota {
    /// Storage of all claims of this class together.
    #[serde(default)]
    pub storage: Option<At<Amount>>,
    /// Number of claims of this class.
    #[serde(default)]
    pub claims: Option<At<Amount>>,
}

/// The ceiling of one priority class.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PriorityClassQuota {
    /// Number of pods of this class.
    #[serde(default)]
    pub pods: Option<At<Amount>>,
    /// CPU of all pods of this class together.
    #[serde(default)]
    pub cpu: Option<At<Amount>>,
    /// Memory of all pods of this class together.
    #[serde(default)]
    pub memory: Option<At<Amount>>,
}

/// The ceiling of one volume attributes class.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimsQuota {
    /// Number of claims of this class.
    #[serde(default)]
    pub claims: Option<At<Amount>>,
    /// Storage of all claims of this class together.
    #[serde(default)]
    pub storage: Option<At<Amount>>,
}

/// Defaults and bounds of single containers, pods and volume claims.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LimitRangeSpec {
    /// Of each container.
    #[serde(default)]
    pub container: ContainerLimits,
    /// Of each pod.
    #[serde(default)]
    pub pod: PodLimits,
    /// Of each volume claim.
    #[serde(default)]
    pub persistent_volume_claim: ClaimLimits,
}

/// Defaults and bounds of each container.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContainerLimits {
    /// The limit of a container that states none.
    #[serde(default)]
    pub default: Resources,
    /// The request of a container that states none. Default: its limit.
    #[serde(default)]
    pub default_request: Resources,
    /// The highest limit.
    #[serde(default)]
    pub max: Resources,
    /// The lowest request.
    #[serde(default)]
    pub min: Resources,
    /// How many times its request a limit may be, at most; at least 1.
    #[serde(default)]
    pub max_limit_request_ratio: Resources,
}

/// Bounds of each pod.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodLimits {
    /// The highest sum of the containers' limits.
    #[serde(default)]
    pub max: Resources,
}

/// Bounds of each volume claim.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimLimits {
    /// The smallest.
    #[serde(default)]
    pub min: Storage,
    /// The largest.
    #[serde(default)]
    pub max: Storage,
}

/// Amounts of compute resources.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resources {
    /// CPU: `500m` is half of one.
    #[serde(default)]
    pub cpu: Option<At<Amount>>,
    /// Memory: `128Mi`.
    #[serde(default)]
    pub memory: Option<At<Amount>>,
    /// Ephemeral storage: `1Gi`.
    #[serde(default)]
    pub ephemeral_storage: Option<At<Amount>>,
}

/// An amount of storage.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Storage {
    /// Storage: `10Gi`.
    #[serde(default)]
    pub storage: Option<At<Amount>>,
}
