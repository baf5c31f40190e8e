//! The kinds that the server knows: those of Kubernetes that tests need, and those that definitions add.

use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::managers::Ignored;
use super::schema::{Structure, Type, named};

/// A kind.
#[derive(Debug, Clone)]
pub struct Kind {
    /// Its API group; empty for the core group.
    pub group: String,
    /// Its version.
    pub version: String,
    /// Its name.
    pub kind: String,
    /// Its name in paths.
    pub plural: String,
    /// Whether its objects stand in namespaces.
    pub namespaced: bool,
    /// Whether it has a `status` subresource.
    pub status: bool,
    /// Whether a definition made it.
    pub custom: bool,
    /// Its type.
    pub schema: Arc<Type>,
    /// What bumps the generation.
    pub generation: Generation,
    /// Whether DELETE answers with the object.
    pub shows_deleted: bool,
    /// Whether PUT creates.
    pub put_creates: bool,
    /// Whether PUT has to say which version it replaces.
    pub needs_version: bool,
}

/// What counts as a change of an object's intent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Generation {
    /// There is no generation.
    None,
    /// These fields, where an empty list is not the same as none: it is none once it is stored.
    Exactly(&'static str),
    /// These fields.
    Of(&'static [&'static str]),
    /// All but metadata and status.
    AllButStatus,
}

const SPEC: Generation = Generation::Of(&["/spec"]);

/// group, version, kind, plural, namespaced, status, generation, DELETE answers with the object, PUT creates, PUT needs a version
#[rustfmt::skip]
const BUILT_IN: &[Row] = &[
    ("", "v1", "Namespace", "namespaces", false, true, Generation::None, true, false, false),
    ("", "v1", "ResourceQuota", "resourcequotas", true, true, Generation::None, true, false, false),
    ("", "v1", "LimitRange", "limitranges", true, false, Generation::None, false, true, false),
    ("", "v1", "ServiceAccount", "serviceaccounts", true, false, Generation::None, true, false, false),
    ("", "v1", "Secret", "secrets", true, false, Generation::None, false, false, false),
    ("", "v1", "ConfigMap", "configmaps", true, false, Generation::None, false, false, false),
    ("", "v1", "Service", "services", true, true, Generation::None, true, true, false),
    ("", "v1", "Event", "events", true, false, Generation::None, false, true, false),
    ("", "v1", "Pod", "pods", true, true, SPEC, true, false, false),
    ("admissionregistration.k8s.io", "v1", "MutatingAdmissionPolicy", "mutatingadmissionpolicies", false, false, SPEC, false, false, true),
    ("admissionregistration.k8s.io", "v1", "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", false, false, SPEC, false, false, true),
    ("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", false, false, Generation::Exactly("webhooks"), false, false, true),
    ("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", false, true, SPEC, false, false, true),
    ("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", false, false, SPEC, false, false, true),
    ("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false, false, Generation::Exactly("webhooks"), false, false, true),
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", false, true, SPEC, true, false, true),
    ("apps", "v1", "Deployment", "deployments", true, true, Generation::Of(&["/spec", "/metadata/annotations"]), false, false, false),
    ("batch", "v1", "Job", "jobs", true, true, SPEC, false, false, false),
    ("coordination.k8s.io", "v1", "Lease", "leases", true, false, Generation::None, false, true, true),
    ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", true, false, Generation::Exactly("spec"), false, false, false),
    ("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", true, true, SPEC, false, false, true),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", false, false, Generation::None, false, true, false),
    ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", false, false, Generation::None, false, true, false),
    ("rbac.authorization.k8s.io", "v1", "Role", "roles", true, false, Generation::None, false, true, false),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", true, false, Generation::None, false, true, false),
];

/// The kinds of Kubernetes.
pub fn built_in() -> Vec<Arc<Kind>> {
    static ALL: LazyLock<Vec<Arc<Kind>>> = LazyLock::new(|| BUILT_IN.iter().map(row).map(Arc::new).collect());
    ALL.clone()
}

type Row = (&'static str, &'static str, &'static str, &'static str, bool, bool, Generation, bool, bool, bool);

fn row(row: &Row) -> Kind {
    let (group, version, kind, plural, namespaced, status, generation, shows_deleted, put_creates, needs_version) =
        *row;
    let package = match group {
        "" => "core",
        group => group.split('.').next().unwrap_or_default(),
    };
    let name = format!("{package}.{version}.{kind}");
    let schema = named(&name).unwrap_or_else(|| panic!("the table has no {name}"));
    Kind {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        namespaced,
        status,
        custom: false,
        schema: Arc::new(schema),
        generation,
        shows_deleted,
        put_creates,
        needs_version,
    }
}

/// The kinds of a CustomResourceDefinition: one for each version that is served.
pub fn defined(definition: &Value) -> Vec<Kind> {
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let versions = spec["versions"].as_array().into_iter().flatten();
    let kinds = versions.filter(|version| version["served"] == true).map(|version| Kind {
        group: text(&spec["group"]),
        version: text(&version["name"]),
        kind: text(&spec["names"]["kind"]),
        plural: text(&spec["names"]["plural"]),
        namespaced: spec["scope"] == "Namespaced",
        status: version.pointer("/subresources/status").is_some_and(Value::is_object),
        custom: true,
        schema: Arc::new(Type::Own(Arc::new(Structure::custom(&version["schema"]["openAPIV3Schema"])))),
        generation: Generation::AllButStatus,
        shows_deleted: false,
        put_creates: false,
        needs_version: true,
    });
    kinds.collect()
}

impl Kind {
    /// `v1`, `apps/v1`
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `deployments.apps`, `configmaps`
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// What a write does not change.
    pub fn ignored(&self, subresource: &str) -> Ignored {
        Ignored(match (subresource, self.kind.as_str()) {
            ("status", "Deployment") if !self.custom => &[&["spec"], &["metadata", "labels"]],
            ("status", "ValidatingAdmissionPolicy") if !self.custom => &[&["spec"], &["metadata"]],
            ("status", _) if self.custom => &[&["spec"], &["metadata"]],
            ("status", _) => &[&["spec"]],
            _ if self.status => &[&["status"]],
            _ => &[],
        })
    }
}
