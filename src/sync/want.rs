//! `Want`: what git holds, told apart by content; the objects themselves are made again when one is applied.

use std::sync::Arc;

use serde_json::Value;

use super::Unit;
use super::digest::Digest;
use crate::rendered::{ObjectId, Rendered};

/// Where wanted objects come from: a fresh render, or the files of `rendered/`.
pub trait Source {
    /// The units, the platform first.
    fn units(&self) -> Vec<Unit>;

    /// The objects of a unit. An error is the machine's: it was all read before.
    fn objects(&self, unit: &Unit) -> anyhow::Result<Vec<Value>>;

    /// The object as it is sent to a cluster: with its secrets decrypted.
    fn opened(&self, object: Value) -> anyhow::Result<Value>;

    /// The commit that it stands for; of a folder without git, what tells its content.
    fn commit(&self) -> &str;
}

/// A fresh render, as it is.
pub struct Fresh {
    /// What was rendered.
    pub rendered: Rendered,
    /// The commit that it stands for.
    pub commit: String,
}

impl Source for Fresh {
    fn units(&self) -> Vec<Unit> {
        let tenants = self.rendered.plan().into_iter().flat_map(|plan| &plan.tenants);
        std::iter::once(Unit::Platform).chain(tenants.map(|tenant| Unit::Tenant(Arc::clone(&tenant.name)))).collect()
    }

    fn objects(&self, unit: &Unit) -> anyhow::Result<Vec<Value>> {
        let objects = match unit {
            Unit::Platform => self.rendered.of_platform(),
            Unit::Tenant(name) => self.rendered.of_tenant(name),
        };
        Ok(objects.iter().map(|object| object.manifest.value()).collect())
    }

    fn opened(&self, object: Value) -> anyhow::Result<Value> {
        anyhow::ensure!(object.get("sops").is_none(), "it is encrypted");
        Ok(object)
    }

    fn commit(&self) -> &str {
        &self.commit
    }
}

/// When in a tenant's life an object is applied: none of a stage before all of the one before it stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Definitions of kinds.
    Definitions,
    /// Namespaces, with their labels of Pod Security.
    Namespaces,
    /// What limits and isolates.
    Guardrails,
    /// Who and what is named by what follows.
    Identity,
    /// Which rights there are.
    Roles,
    /// Who has them.
    Bindings,
    /// What runs, and whatever templates make.
    Workloads,
    /// Whom the API server asks on each request.
    Admission,
}

impl Stage {
    /// All, in their order.
    pub const ALL: [Stage; 8] = [
        Stage::Definitions,
        Stage::Namespaces,
        Stage::Guardrails,
        Stage::Identity,
        Stage::Roles,
        Stage::Bindings,
        Stage::Workloads,
        Stage::Admission,
    ];

    /// The stage of a kind.
    pub fn of(id: &ObjectId) -> Stage {
        match (&*id.group, &*id.kind) {
            ("apiextensions.k8s.io", "CustomResourceDefinition") => Stage::Definitions,
            ("", "Namespace") => Stage::Namespaces,
            ("", "ResourceQuota" | "LimitRange")
            | ("networking.k8s.io", "NetworkPolicy")
            | (
                "admissionregistration.k8s.io",
                "ValidatingAdmissionPolicy"
                | "ValidatingAdmissionPolicyBinding"
                | "MutatingAdmissionPolicy"
                | "MutatingAdmissionPolicyBinding",
            )
            | (crate::contract::GROUP, "Tenant") => Stage::Guardrails,
            ("", "ServiceAccount" | "Secret" | "ConfigMap") => Stage::Identity,
            ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => Stage::Roles,
            ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => Stage::Bindings,
            ("admissionregistration.k8s.io", _) => Stage::Admission,
            _ => Stage::Workloads,
        }
    }
}

/// An object that is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Which object.
    pub id: ObjectId,
    /// Its version of the API.
    pub api_version: Arc<str>,
    /// Its content.
    pub digest: Digest,
    /// When it is applied.
    pub stage: Stage,
}

impl Wanted {
    /// Of an object; `None` of what is none.
    pub fn of(object: &Value) -> Option<Wanted> {
        let id = id(object)?;
        let api_version = object["apiVersion"].as_str()?.into();
        Some(Wanted { stage: Stage::of(&id), digest: Digest::of(object), id, api_version })
    }
}

/// Which object a manifest is.
pub fn id(object: &Value) -> Option<ObjectId> {
    let (api_version, kind) = (object["apiVersion"].as_str()?, object["kind"].as_str()?);
    let name = object["metadata"]["name"].as_str()?;
    Some(ObjectId {
        group: api_version.split_once('/').map_or("", |(group, _)| group).to_owned().into(),
        kind: kind.to_owned().into(),
        namespace: object["metadata"]["namespace"].as_str().map(Arc::from),
        name: name.into(),
    })
}
