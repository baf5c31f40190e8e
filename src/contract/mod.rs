//! The YAML contract: what authors may write. The only types that are read from `tenants/`.
//!
//! They hold what was typed, each value with its place; [`crate::plan`] resolves them. Their doc comments are the text of
//! the JSON Schemas and of `mtp explain`, so they speak to authors.

pub mod admission;
pub mod gitops;
pub mod platform;
pub mod restrict;
pub mod review;
pub mod sync;
pub mod tenant;
pub mod tier;
pub mod values;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use platform::PlatformSpec;
pub use tenant::TenantSpec;
pub use tier::TierSpec;
pub use values::{Amount, At};

/// API group of the three kinds.
pub const GROUP: &str = "multitenant.k8s-mtp.io";

/// Version of the three kinds.
pub const VERSION: &str = "v1";

/// `apiVersion` of the three kinds.
pub const API_VERSION: &str = "multitenant.k8s-mtp.io/v1";

/// The three kinds, as `kind` spells them.
pub const KINDS: [&str; 3] = ["Platform", "Tier", "Tenant"];

/// The platform as a whole: what holds for every tenant. There is exactly one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlatformFile {
    /// The version of this format.
    #[schemars(extend("const" = API_VERSION))]
    pub api_version: String,
    /// The kind of this document.
    #[schemars(extend("const" = "Platform"))]
    pub kind: String,
    /// What it is called.
    pub metadata: Metadata,
    /// What holds for every tenant.
    pub spec: At<PlatformSpec>,
}

/// A size of tenant: quotas, defaults and the level of isolation that come with it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TierFile {
    /// The version of this format.
    #[schemars(extend("const" = API_VERSION))]
    pub api_version: String,
    /// The kind of this document.
    #[schemars(extend("const" = "Tier"))]
    pub kind: String,
    /// What it is called; tenants name it in `spec.tier`.
    pub metadata: Metadata,
    /// What a namespace of this tier may use.
    pub spec: At<TierSpec>,
}

/// A customer of the platform: who they are and what they get.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantFile {
    /// The version of this format.
    #[schemars(extend("const" = API_VERSION))]
    pub api_version: String,
    /// The kind of this document.
    #[schemars(extend("const" = "Tenant"))]
    pub kind: String,
    /// What it is called. Namespaces are named `tenant-<metadata.name>-<spec.name>`.
    pub metadata: Metadata,
    /// Who the tenant is and what it gets.
    pub spec: At<TenantSpec>,
}

/// The name of a document.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// Name: lower-case letters, digits and `-`, at most 63 characters; unique among its kind.
    #[schemars(regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), length(max = 63))]
    pub name: At<String>,
    /// Accepted for files written for older versions, and ignored: all three kinds are cluster-scoped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<At<String>>,
}
