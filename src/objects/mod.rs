//! The shelf of objects: what is rendered, one file a kind.
//!
//! [`KINDS`] is the order in which objects are emitted and applied, and the list of what may be pruned. Guardrails come
//! before grants. A kind that is no longer rendered keeps its row, building nothing, until no cluster holds it.

pub mod custom_resource_definition;
pub mod deployer;
pub mod extra;
pub mod hardened;
pub mod kinds;
pub mod limit_range;
pub mod meta;
pub mod namespace;
pub mod network_policy;
pub mod policies;
pub mod resource_quota;
pub mod role;
pub mod role_binding;
pub mod service_account;
pub mod shared;
pub mod sync;
pub mod tenant;
pub mod webhook;

use std::sync::Arc;

use serde::Serialize;

use crate::emit::{EmitError, emit};
use crate::identity::group_of;
use crate::place::Place;
use crate::plan::{NamespacePlan, Plan, PlatformPlan, TenantPlan};
use crate::rendered::ObjectId;
use shared::{Joined, Part, Specs};

/// A kind that is rendered.
pub struct Kind {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// API version.
    pub version: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// What makes its objects.
    pub build: Build,
}

/// At which scope a kind's objects are made.
#[derive(Clone, Copy)]
pub enum Build {
    /// Once; sees everything.
    Platform(fn(&Plan) -> Vec<Object>),
    /// Once a tenant.
    Tenant(fn(&InTenant<'_>) -> Vec<Object>),
    /// Once a namespace of a tenant.
    Namespace(fn(&InNamespace<'_>) -> Vec<Object>),
}

/// In a row: whatever the platform's templates make.
pub const ANY: &str = "*";

/// All kinds, in the order in which they are applied. The last row stands for what templates make, of any kind.
pub const KINDS: &[Kind] = &[
    Kind { group: "", version: "v1", kind: "Namespace", build: Build::Platform(namespace::platform) },
    custom_resource_definition::KIND,
    // What guards the rest is there before it.
    policies::KIND,
    policies::BINDING,
    policies::mutation::POLICY,
    policies::mutation::BINDING,
    // As whom `mtp sync` applies the rest, which may need what it could not do before.
    sync::fence::KIND,
    sync::fence::BINDING,
    sync::service_account::KIND,
    sync::cluster_role::KIND,
    sync::cluster_role::BINDING,
    sync::role::KIND,
    sync::role::BINDING,
    tenant::KIND,
    Kind { group: "", version: "v1", kind: "Namespace", build: Build::Namespace(namespace::build) },
    resource_quota::KIND,
    limit_range::KIND,
    network_policy::KIND,
    service_account::KIND,
    role::KIND,
    role_binding::KIND,
    deployer::SERVICE_ACCOUNT,
    deployer::ROLE,
    deployer::ROLE_BINDING,
    // The webhook is there and answers before the API server is told to ask it.
    webhook::resource_quota::KIND,
    webhook::service_account::KIND,
    webhook::network_policy::KIND,
    webhook::status_reader::ROLE,
    webhook::status_reader::ROLE_BINDING,
    webhook::config_map::KIND,
    webhook::cert_manager::ISSUER,
    webhook::cert_manager::CERTIFICATE,
    webhook::secret::KIND,
    webhook::service::KIND,
    webhook::pod_disruption_budget::KIND,
    webhook::deployment::KIND,
    webhook::configurations::MUTATING,
    webhook::configurations::VALIDATING,
    // Last, since what applies all this may be replaced by it.
    sync::network_policy::KIND,
    sync::pod_disruption_budget::KIND,
    sync::deployment::KIND,
    Kind { group: ANY, version: ANY, kind: ANY, build: Build::Namespace(extra::build) },
];

/// What the builder of a tenant's objects sees.
#[derive(Clone, Copy)]
pub struct InTenant<'a> {
    /// What holds for every tenant.
    pub platform: &'a PlatformPlan,
    /// The tenant.
    pub tenant: &'a TenantPlan,
}

/// What the builder of a namespace's objects sees.
#[derive(Clone, Copy)]
pub struct InNamespace<'a> {
    /// What holds for every tenant.
    pub platform: &'a PlatformPlan,
    /// The tenant.
    pub tenant: &'a TenantPlan,
    /// The namespace.
    pub namespace: &'a NamespacePlan,
    /// What namespaces share.
    pub specs: &'a Specs,
    /// Whether the places of single values are wanted; who only writes files has no use for them.
    pub origins: bool,
}

/// An object: typed, with what it comes from.
pub struct Object {
    /// Which object.
    pub id: ObjectId,
    /// Its content.
    pub manifest: Box<dyn Manifest>,
    /// The entry of `tenants/` that it is made for.
    pub at: Place,
    /// Where single values come from: a JSON pointer into the object, and the author's line.
    pub origins: Vec<(String, Place)>,
}

/// The content of an object: a type of k8s-openapi, or one of ours.
pub trait Manifest: Send + Sync {
    /// Appends the YAML document.
    fn emit(&self, out: &mut Vec<u8>) -> Result<(), EmitError>;
    /// The object as JSON.
    fn value(&self) -> serde_json::Value;
}

/// A type that is emitted as it serializes.
pub struct Plain<T>(pub T);

impl<T: Serialize + Send + Sync> Manifest for Plain<T> {
    fn emit(&self, out: &mut Vec<u8>) -> Result<(), EmitError> {
        emit(&self.0, out)
    }

    fn value(&self) -> serde_json::Value {
        // Manifests are maps with text for keys: the only way in which this fails is a float that is no number.
        serde_json::to_value(&self.0).unwrap_or_default()
    }
}

/// An object of a kind that Kubernetes itself does not have.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Custom {
    api_version: &'static str,
    kind: &'static str,
    metadata: meta::ObjectMeta,
    spec: serde_json::Value,
}

impl Object {
    /// An object of one of Kubernetes' own types.
    pub fn new<T>(manifest: T, at: Place) -> Object
    where
        T: k8s_openapi::Resource + k8s_openapi::Metadata<Ty = meta::ObjectMeta> + Serialize + Send + Sync + 'static,
    {
        let metadata = manifest.metadata();
        let id = ObjectId {
            group: T::GROUP.into(),
            kind: T::KIND.into(),
            namespace: metadata.namespace.as_deref().map(Arc::from),
            name: metadata.name.as_deref().unwrap_or_default().into(),
        };
        Object { id, manifest: Box::new(Plain(manifest)), at, origins: Vec::new() }
    }

    /// An object of a kind that Kubernetes itself does not have; `api_version` is `<group>/<version>`.
    pub fn custom(
        api_version: &'static str,
        kind: &'static str,
        metadata: meta::ObjectMeta,
        spec: serde_json::Value,
        at: Place,
    ) -> Object {
        let id = ObjectId {
            group: group_of(api_version).into(),
            kind: kind.into(),
            namespace: metadata.namespace.as_deref().map(Arc::from),
            name: metadata.name.as_deref().unwrap_or_default().into(),
        };
        let manifest = Plain(Custom { api_version, kind, metadata, spec });
        Object { id, manifest: Box::new(manifest), at, origins: Vec::new() }
    }

    /// An object of a namespace, of Kubernetes' type `T`, of which all but the metadata is shared with others.
    pub fn joined<T: k8s_openapi::Resource>(
        scope: &InNamespace<'_>,
        name: impl Into<Arc<str>>,
        part: Arc<Part>,
    ) -> Object {
        let namespace = Arc::clone(&scope.namespace.name);
        let id =
            ObjectId { group: T::GROUP.into(), kind: T::KIND.into(), namespace: Some(namespace), name: name.into() };
        let manifest =
            Joined { api_version: T::API_VERSION, id: id.clone(), tenant: Arc::clone(&scope.tenant.name), part };
        let at = scope.tenant.doc.at(scope.namespace.span);
        Object { id, manifest: Box::new(manifest), at, origins: Vec::new() }
    }

    /// Notes where the value at `pointer` comes from.
    pub fn from(mut self, pointer: impl Into<String>, at: Place) -> Object {
        self.origins.push((pointer.into(), at));
        self
    }
}

/// One step of a JSON pointer (RFC 6901).
pub fn step(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Objects that belong to the platform.
pub fn of_platform(plan: &Plan) -> Vec<Object> {
    built(|kind| if let Build::Platform(build) = kind.build { build(plan) } else { Vec::new() })
}

/// Objects that belong to a tenant and stand in none of its namespaces.
pub fn of_tenant(scope: &InTenant<'_>) -> Vec<Object> {
    built(|kind| if let Build::Tenant(build) = kind.build { build(scope) } else { Vec::new() })
}

/// Objects of a namespace of a tenant, itself included.
pub fn of_namespace(scope: &InNamespace<'_>) -> Vec<Object> {
    built(|kind| if let Build::Namespace(build) = kind.build { build(scope) } else { Vec::new() })
}

/// What the rows make, in their order. A row makes nothing but its own kind, or pruning would not know of it.
fn built(row: impl Fn(&Kind) -> Vec<Object>) -> Vec<Object> {
    let mut all = Vec::with_capacity(16);
    for kind in KINDS {
        let objects = row(kind);
        let own = |o: &Object| kind.kind == ANY || (*o.id.group == *kind.group && *o.id.kind == *kind.kind);
        debug_assert!(objects.iter().all(own), "the row of {}/{} makes another kind", kind.version, kind.kind);
        all.extend(objects);
    }
    all
}
