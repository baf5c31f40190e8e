//! What Kubernetes 1.34 to 1.37 serve: groups, resources, their kinds, subresources, and the verbs that RBAC knows.
//!
//! Source: `api/discovery/` of kubernetes/kubernetes, which lists each group as its API server answers

/// A resource of Kubernetes' own.
#[derive(Debug, Clone, Copy)]
pub struct Resource {
    /// Its group; of the core group, nothing.
    pub group: &'static str,
    /// Its name in URLs and RBAC: `pods`.
    pub plural: &'static str,
    /// Its kind; nothing where it is asked and never stored.
    pub kind: &'static str,
    /// Whether it stands in a namespace.
    pub namespaced: bool,
    /// What is below it.
    pub subresources: &'static [&'static str],
}

const fn row(
    group: &'static str,
    plural: &'static str,
    kind: &'static str,
    namespaced: bool,
    subresources: &'static [&'static str],
) -> Resource {
    Resource { group, plural, kind, namespaced, subresources }
}

const NONE: &[&str] = &[];
const STATUS: &[&str] = &["status"];
const SCALE: &[&str] = &["scale", "status"];
const IN: bool = true;
const ALONE: bool = false;
const APPS: &str = "apps";
const ADMISSION: &str = "admissionregistration.k8s.io";
const AUTHENTICATION: &str = "authentication.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";
const CERTIFICATES: &str = "certificates.k8s.io";
const DRA: &str = "resource.k8s.io";
const FLOW: &str = "flowcontrol.apiserver.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";
const STORAGE: &str = "storage.k8s.io";

/// All of them, by group.
pub const RESOURCES: &[Resource] = &[
    row("", "bindings", "Binding", IN, NONE),
    row("", "componentstatuses", "ComponentStatus", ALONE, NONE),
    row("", "configmaps", "ConfigMap", IN, NONE),
    row("", "endpoints", "Endpoints", IN, NONE),
    row("", "events", "Event", IN, NONE),
    row("", "limitranges", "LimitRange", IN, NONE),
    row("", "namespaces", "Namespace", ALONE, &["finalize", "status"]),
    row(
        "",
        "nodes",
        "Node",
        ALONE,
        &["checkpoint", "configz", "healthz", "log", "metrics", "pods", "proxy", "spec", "stats", "status"],
    ),
    row("", "persistentvolumeclaims", "PersistentVolumeClaim", IN, STATUS),
    row("", "persistentvolumes", "PersistentVolume", ALONE, STATUS),
    row(
        "",
        "pods",
        "Pod",
        IN,
        &[
            "attach",
            "binding",
            "ephemeralcontainers",
            "eviction",
            "exec",
            "log",
            "portforward",
            "proxy",
            "resize",
            "status",
        ],
    ),
    row("", "podtemplates", "PodTemplate", IN, NONE),
    row("", "replicationcontrollers", "ReplicationController", IN, SCALE),
    row("", "resourcequotas", "ResourceQuota", IN, STATUS),
    row("", "secrets", "Secret", IN, NONE),
    row("", "serviceaccounts", "ServiceAccount", IN, &["token"]),
    row("", "services", "Service", IN, &["proxy", "status"]),
    // Nobody serves them; the authorizer is asked for them when somebody acts for another.
    row("", "users", "", ALONE, NONE),
    row("", "groups", "", ALONE, NONE),
    row(ADMISSION, "mutatingadmissionpolicies", "MutatingAdmissionPolicy", ALONE, NONE),
    row(ADMISSION, "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", ALONE, NONE),
    row(ADMISSION, "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", ALONE, NONE),
    row(ADMISSION, "validatingadmissionpolicies", "ValidatingAdmissionPolicy", ALONE, STATUS),
    row(ADMISSION, "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", ALONE, NONE),
    row(ADMISSION, "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", ALONE, NONE),
    row("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition", ALONE, STATUS),
    row("apiregistration.k8s.io", "apiservices", "APIService", ALONE, STATUS),
    row(APPS, "controllerrevisions", "ControllerRevision", IN, NONE),
    row(APPS, "daemonsets", "DaemonSet", IN, STATUS),
    row(APPS, "deployments", "Deployment", IN, SCALE),
    row(APPS, "replicasets", "ReplicaSet", IN, SCALE),
    row(APPS, "statefulsets", "StatefulSet", IN, SCALE),
    row(AUTHENTICATION, "selfsubjectreviews", "SelfSubjectReview", ALONE, NONE),
    row(AUTHENTICATION, "tokenreviews", "TokenReview", ALONE, NONE),
    row(AUTHENTICATION, "uids", "", ALONE, NONE),
    row(AUTHORIZATION, "localsubjectaccessreviews", "LocalSubjectAccessReview", IN, NONE),
    row(AUTHORIZATION, "selfsubjectaccessreviews", "SelfSubjectAccessReview", ALONE, NONE),
    row(AUTHORIZATION, "selfsubjectrulesreviews", "SelfSubjectRulesReview", ALONE, NONE),
    row(AUTHORIZATION, "subjectaccessreviews", "SubjectAccessReview", ALONE, NONE),
    row("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler", IN, STATUS),
    row("batch", "cronjobs", "CronJob", IN, STATUS),
    row("batch", "jobs", "Job", IN, STATUS),
    row(CERTIFICATES, "certificatesigningrequests", "CertificateSigningRequest", ALONE, &["approval", "status"]),
    row(CERTIFICATES, "clustertrustbundles", "ClusterTrustBundle", ALONE, NONE),
    row(CERTIFICATES, "podcertificaterequests", "PodCertificateRequest", IN, STATUS),
    row(CERTIFICATES, "signers", "", ALONE, NONE),
    row("coordination.k8s.io", "leasecandidates", "LeaseCandidate", IN, NONE),
    row("coordination.k8s.io", "leases", "Lease", IN, NONE),
    row("discovery.k8s.io", "endpointslices", "EndpointSlice", IN, NONE),
    row("events.k8s.io", "events", "Event", IN, NONE),
    row(FLOW, "flowschemas", "FlowSchema", ALONE, STATUS),
    row(FLOW, "prioritylevelconfigurations", "PriorityLevelConfiguration", ALONE, STATUS),
    row("internal.apiserver.k8s.io", "storageversions", "StorageVersion", ALONE, STATUS),
    row(NETWORKING, "ingressclasses", "IngressClass", ALONE, NONE),
    row(NETWORKING, "ingresses", "Ingress", IN, STATUS),
    row(NETWORKING, "ipaddresses", "IPAddress", ALONE, NONE),
    row(NETWORKING, "networkpolicies", "NetworkPolicy", IN, NONE),
    row(NETWORKING, "servicecidrs", "ServiceCIDR", ALONE, STATUS),
    row("node.k8s.io", "runtimeclasses", "RuntimeClass", ALONE, NONE),
    row("policy", "poddisruptionbudgets", "PodDisruptionBudget", IN, STATUS),
    row(RBAC, "clusterrolebindings", "ClusterRoleBinding", ALONE, NONE),
    row(RBAC, "clusterroles", "ClusterRole", ALONE, NONE),
    row(RBAC, "rolebindings", "RoleBinding", IN, NONE),
    row(RBAC, "roles", "Role", IN, NONE),
    row(DRA, "deviceclasses", "DeviceClass", ALONE, NONE),
    row(DRA, "devicetaintrules", "DeviceTaintRule", ALONE, STATUS),
    row(DRA, "resourceclaims", "ResourceClaim", IN, &["binding", "driver", "status"]),
    row(DRA, "resourceclaimtemplates", "ResourceClaimTemplate", IN, NONE),
    row(DRA, "resourceslices", "ResourceSlice", ALONE, NONE),
    row("scheduling.k8s.io", "priorityclasses", "PriorityClass", ALONE, NONE),
    row("scheduling.k8s.io", "workloads", "Workload", IN, STATUS),
    row("scheduling.k8s.io", "podgroups", "PodGroup", IN, STATUS),
    row(STORAGE, "csidrivers", "CSIDriver", ALONE, NONE),
    row(STORAGE, "csinodes", "CSINode", ALONE, NONE),
    row(STORAGE, "csistoragecapacities", "CSIStorageCapacity", IN, NONE),
    row(STORAGE, "storageclasses", "StorageClass", ALONE, NONE),
    row(STORAGE, "volumeattachments", "VolumeAttachment", ALONE, STATUS),
    row(STORAGE, "volumeattributesclasses", "VolumeAttributesClass", ALONE, NONE),
    row("storagemigration.k8s.io", "storageversionmigrations", "StorageVersionMigration", ALONE, STATUS),
];

/// Groups whose resources are all listed, so that one that is not listed does not exist. The others grow with each minor
/// version, or with what is installed.
pub const COMPLETE: [&str; 10] = [
    "",
    APPS,
    "autoscaling",
    "batch",
    "policy",
    RBAC,
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    NETWORKING,
];

/// A group that no supported version serves any more.
pub const GONE: &str = "extensions";

/// The verbs that some authorizer of Kubernetes is asked about.
///
/// Source: <https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb>
pub const VERBS: [&str; 19] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "proxy",
    "bind",
    "escalate",
    "impersonate",
    "approve",
    "sign",
    "attest",
    "use",
    "post",
    "put",
    "head",
];

/// The resource of that name in a group.
pub fn find(group: &str, plural: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|r| r.group == group && r.plural == plural)
}

/// The resource of a kind in a group.
pub fn of_kind(group: &str, kind: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|r| r.group == group && r.kind == kind && !kind.is_empty())
}

/// The resource of some group that somebody meant who wrote its kind or its singular: `pod`, `Pod`, `configMaps`.
pub fn meant(typed: &str, group: impl Fn(&str) -> bool) -> Option<&'static Resource> {
    let lower = typed.to_lowercase();
    let means = |r: &Resource| !r.kind.is_empty() && (lower == r.kind.to_lowercase() || lower == r.plural);
    RESOURCES.iter().find(|r| group(r.group) && means(r))
}
