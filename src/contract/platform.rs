//! `PlatformSpec`: what holds for every tenant.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admission::Admission;
use super::gitops::Gitops;
use super::review::Review;
use super::sync::Sync;
use super::values::At;

/// What holds for every tenant.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlatformSpec {
    /// The platform's own namespace. Default: `k8s-mtp`.
    #[serde(default)]
    pub namespace: Option<At<String>>,
    /// Which versions of `mtp` may render this platform, such as `">=0.1, <0.2"`: others refuse, so that laptops and CI
    /// never fight over bytes. Default: any.
    #[serde(default)]
    pub mtp_version: Option<At<String>>,
    /// The minor version of the cluster, quoted: `"1.36"`. Nothing is rendered that it does not have.
    #[schemars(regex(pattern = r"^1\.(3[4-7])$"))]
    pub kubernetes_version: At<String>,
    /// How the API server spells the users and groups of tenant files.
    #[serde(default)]
    pub identity: Identity,
    /// The network: what tenants may reach, and who may reach them.
    #[serde(default)]
    pub network: Network,
    /// Pod Security Standard of tenant namespaces; a tier may state its own.
    #[serde(default)]
    pub pod_security: PodSecurity,
    /// Names that no tenant and no namespace of a tenant may take, besides Kubernetes' own.
    #[serde(default)]
    pub reserved_names: Vec<At<String>>,
    /// The storage classes of the cluster. With it, a tier that lists some allows no other. Absent: not governed; empty:
    /// there are none.
    #[serde(default)]
    pub storage_classes: Option<Vec<At<String>>>,
    /// Rights that tenants' Roles get on top of the built-in ones, for custom resources.
    #[serde(default)]
    pub roles: Roles,
    /// Names of Secrets that every tenant namespace's default ServiceAccount pulls images with.
    #[serde(default)]
    pub image_pull_secrets: Vec<At<String>>,
    /// Which keys tenants may set in `spec.labels` and `spec.annotations`; they end up on their Namespaces.
    #[serde(default)]
    pub tenant_metadata: TenantMetadata,
    /// What `tenants/templates/` may make.
    #[serde(default)]
    pub templates: Templates,
    /// Who judges tenants' pods, and by which policies.
    #[serde(default)]
    pub admission: Admission,
    /// What `mtp diff` stops, and who let what pass.
    #[serde(default)]
    pub review: Review,
    /// Who applies `rendered/`.
    #[serde(default)]
    pub gitops: Gitops,
    /// `mtp sync --watch` in the cluster, instead of an engine of `gitops`. Default: it is not rendered.
    #[serde(default)]
    pub sync: Option<At<Sync>>,
    /// How `rendered/` is laid out.
    #[serde(default)]
    pub output: OutputOptions,
}

/// How the API server spells the users and groups of tenant files.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identity {
    /// Put before every user name, as the API server's `--oidc-username-prefix` does: `"oidc:"`. Default: none.
    #[serde(default)]
    pub user_prefix: Option<At<String>>,
    /// Put before every group name, as the API server's `--oidc-groups-prefix` does. Default: none.
    #[serde(default)]
    pub group_prefix: Option<At<String>>,
}

/// The network: what tenants may reach, and who may reach them.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Network {
    /// What tenants reach outside of the cluster when neither they nor their tier say otherwise. Default: `none`.
    #[serde(default)]
    pub egress: Option<At<Egress>>,
    /// The cluster's DNS. Default: pods labelled `k8s-app: kube-dns` in `kube-system`, port 53.
    #[serde(default)]
    pub dns: Option<Dns>,
    /// Labels of pods in the platform's namespace that may connect to every tenant's pods. Default: no pod may.
    #[serde(default)]
    pub platform_access_labels: BTreeMap<At<String>, At<String>>,
    /// Ingress controllers, monitoring and the like, which may connect to tenants' pods.
    #[serde(default)]
    pub ingress_from: Vec<At<IngressFrom>>,
    /// The API server's addresses, for tenants with `egress.apiServer: true`.
    #[serde(default)]
    pub api_server: Option<At<ApiServer>>,
    /// Addresses of pods. No tenant reaches them by address.
    #[serde(default)]
    pub cluster_cidrs: Vec<At<String>>,
    /// Addresses of Services. No tenant reaches them by address.
    #[serde(default)]
    pub service_cidrs: Vec<At<String>>,
    /// Addresses of nodes. No tenant reaches them.
    #[serde(default)]
    pub node_cidrs: Vec<At<String>>,
    /// Further addresses that no tenant reaches.
    #[serde(default)]
    pub blocked_cidrs: Vec<At<String>>,
    /// Addresses inside blocked ranges (metadata, node, service, cluster, `blockedCidrs`) that a tenant may name in
    /// `egress.allow` or `ingress.allow` all the same.
    #[serde(default)]
    pub allowed_cidrs: Vec<At<String>>,
    /// NAT64 prefixes (/96) through which IPv6-only pods reach IPv4; private and metadata addresses stay closed in them.
    #[serde(default)]
    pub nat64_prefixes: Vec<At<String>>,
}

/// What is reached outside of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Egress {
    /// Nothing but what `egress.allow` lists.
    None,
    /// Every public address; private, link-local, metadata, cluster and node addresses stay closed.
    Internet,
}

/// The cluster's DNS.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dns {
    /// Namespace of the DNS pods. OpenShift: `openshift-dns`. Default: `kube-system`.
    #[serde(default)]
    pub namespace: Option<At<String>>,
    /// Labels of the DNS pods. Default: `k8s-app: kube-dns`.
    #[serde(default)]
    pub pod_labels: BTreeMap<At<String>, At<String>>,
    /// Ports, UDP and TCP each. OpenShift: `[5353]`. Default: `[53]`.
    #[serde(default)]
    pub ports: Vec<At<u16>>,
    /// Addresses of DNS servers that are no pods, such as NodeLocal DNSCache's `169.254.20.10/32`.
    #[serde(default)]
    pub cidrs: Vec<At<String>>,
}

/// Pods of another namespace that may connect to tenants' pods.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IngressFrom {
    /// Their namespace, by name.
    pub namespace: At<String>,
    /// Their labels. Absent: every pod of that namespace.
    #[serde(default)]
    pub pod_labels: BTreeMap<At<String>, At<String>>,
    /// The tenants' ports that they may connect to. Absent: all.
    #[serde(default)]
    pub ports: Vec<At<Port>>,
}

/// A port, or a range of ports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Port {
    /// The port, 1 to 65535.
    #[schemars(range(min = 1))]
    pub port: At<u16>,
    /// The last port of a range that begins with `port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_port: Option<At<u16>>,
    /// The protocol. Default: `TCP`.
    #[serde(default)]
    pub protocol: Protocol,
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
pub enum Protocol {
    /// TCP.
    #[default]
    #[serde(rename = "TCP")]
    Tcp,
    /// UDP.
    #[serde(rename = "UDP")]
    Udp,
    /// SCTP.
    #[serde(rename = "SCTP")]
    Sctp,
}

impl Protocol {
    /// As Kubernetes spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
            Protocol::Sctp => "SCTP",
        }
    }
}

/// Where the API server is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiServer {
    /// Its addresses, as pods see them behind the Service `kubernetes`.
    pub cidrs: Vec<At<String>>,
    /// Its ports. Default: `[6443]`.
    #[serde(default)]
    pub ports: Vec<At<u16>>,
}

/// Pod Security Standard, enforced by the API server itself.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodSecurity {
    /// The level that is enforced, warned of and audited. Default: `restricted`.
    #[serde(default)]
    pub level: Option<At<PodSecurityLevel>>,
    /// The version of the standard, so that a cluster upgrade refuses no running pod: `v1.36` or `latest`. Default: that of
    /// `kubernetesVersion`.
    #[serde(default)]
    #[schemars(regex(pattern = r"^(latest|v1\.(0|[1-9][0-9]*))$"))]
    pub version: Option<At<String>>,
}

/// A level of the Pod Security Standards, strictest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PodSecurityLevel {
    /// Nothing is refused.
    Privileged,
    /// Known privilege escalations are refused.
    Baseline,
    /// Current hardening practice is required.
    Restricted,
}

impl PodSecurityLevel {
    /// As the Namespace's label spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            PodSecurityLevel::Privileged => "privileged",
            PodSecurityLevel::Baseline => "baseline",
            PodSecurityLevel::Restricted => "restricted",
        }
    }
}

/// Rights that tenants' Roles get on top of the built-in ones.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Roles {
    /// Of `tenant-<name>-admin`.
    #[serde(default)]
    pub admin: Role,
    /// Of `tenant-<name>-operator`.
    #[serde(default)]
    pub operator: Role,
    /// Of `tenant-<name>-viewer`.
    #[serde(default)]
    pub viewer: Role,
}

/// Rights that one of the tenants' Roles gets on top.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Role {
    /// Rules as in a Role of Kubernetes. Nothing that the platform protects may be named, and `*` never.
    #[serde(default)]
    pub extra_rules: Vec<At<ExtraRule>>,
}

/// A rule as in a Role of Kubernetes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExtraRule {
    /// API groups, such as `cert-manager.io`; the core group is `""`.
    pub api_groups: Vec<At<String>>,
    /// Resources in the plural, such as `certificates` or `certificates/status`.
    pub resources: Vec<At<String>>,
    /// Verbs, such as `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    pub verbs: Vec<At<String>>,
}

/// Which keys tenants may set on their Namespaces. Absent or empty: none.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantMetadata {
    /// Keys allowed in a tenant's `spec.labels`.
    #[serde(default)]
    pub labels: Vec<At<String>>,
    /// Keys allowed in a tenant's `spec.annotations`.
    #[serde(default)]
    pub annotations: Vec<At<String>>,
}

/// What `tenants/templates/` may make.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Templates {
    /// Namespaced kinds besides Kubernetes' own that templates may make.
    #[serde(default)]
    pub kinds: Vec<At<TemplateKind>>,
}

/// A namespaced custom resource.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateKind {
    /// Its API group, such as `cert-manager.io`.
    pub group: At<String>,
    /// Its kind, such as `Certificate`.
    pub kind: At<String>,
    /// Its resource in the plural, such as `certificates`.
    pub resource: At<String>,
}

/// How `rendered/` is laid out.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OutputOptions {
    /// `object`: one object per file, which reviewers and CODEOWNERS can tell apart by name. `namespace`: all objects of a
    /// namespace in one file, for large fleets. Default: `object`.
    #[serde(default)]
    pub layout: Option<At<Layout>>,
}

/// How many objects a file of `rendered/` holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Layout {
    /// One.
    #[default]
    Object,
    /// All objects of a namespace.
    Namespace,
}
