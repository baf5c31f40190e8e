//! Which lists of Kubernetes' objects are sets, and which have keys. Of all others the order counts.
//!
//! Source: `x-kubernetes-list-type` and `x-kubernetes-list-map-keys` of Kubernetes' OpenAPI documents, and what the
//! readers of RBAC and NetworkPolicy do with theirs, which the documents call atomic.

use serde_json::Value;

/// How the items of a list are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// By these fields.
    Keyed(&'static [&'static str]),
    /// By all that is in them; their order means nothing.
    Set,
    /// By their position.
    Ordered,
}

use List::{Keyed, Ordered, Set};

/// By kind (`*`: any), the name of the field, and how its list is read. The first row that fits counts.
const LISTS: &[(&str, &str, List)] = &[
    ("NetworkPolicy", "ports", Set),
    ("NetworkPolicy", "ingress", Set),
    ("NetworkPolicy", "egress", Set),
    ("NetworkPolicy", "from", Set),
    ("NetworkPolicy", "to", Set),
    ("NetworkPolicy", "except", Set),
    ("NetworkPolicy", "policyTypes", Set),
    ("LimitRange", "limits", Keyed(&["type"])),
    ("ResourceQuota", "scopes", Set),
    ("Service", "ports", Keyed(&["port", "protocol"])),
    ("Endpoints", "ports", Set),
    ("CustomResourceDefinition", "versions", Keyed(&["name"])),
    ("CustomResourceDefinition", "shortNames", Set),
    ("CustomResourceDefinition", "categories", Set),
    ("Ingress", "tls", Set),
    ("*", "rules", Set),
    ("*", "resourceRules", Set),
    ("*", "nonResourceRules", Set),
    ("*", "subjects", Keyed(&["kind", "namespace", "name"])),
    ("*", "verbs", Set),
    ("*", "apiGroups", Set),
    ("*", "apiVersions", Set),
    ("*", "resources", Set),
    ("*", "resourceNames", Set),
    ("*", "nonResourceURLs", Set),
    ("*", "operations", Set),
    ("*", "webhooks", Keyed(&["name"])),
    ("*", "matchConditions", Keyed(&["name"])),
    ("*", "validationActions", Set),
    ("*", "matchExpressions", Set),
    ("*", "values", Set),
    ("*", "secrets", Keyed(&["name"])),
    ("*", "imagePullSecrets", Keyed(&["name"])),
    ("*", "finalizers", Set),
    ("*", "ownerReferences", Keyed(&["uid"])),
    ("*", "conditions", Keyed(&["type"])),
    ("*", "containers", Keyed(&["name"])),
    ("*", "ephemeralContainers", Keyed(&["name"])),
    ("*", "volumes", Keyed(&["name"])),
    ("*", "env", Keyed(&["name"])),
    ("*", "volumeMounts", Keyed(&["mountPath"])),
    ("*", "volumeDevices", Keyed(&["devicePath"])),
    ("*", "ports", Keyed(&["containerPort", "protocol"])),
    ("*", "topologySpreadConstraints", Keyed(&["topologyKey", "whenUnsatisfiable"])),
    ("*", "hostAliases", Keyed(&["ip"])),
    ("*", "add", Set),
    ("*", "drop", Set),
    ("*", "accessModes", Set),
    ("*", "groups", Set),
    ("*", "ipFamilies", Ordered),
];

/// How the list in a field of an object of that kind is read.
pub fn list(kind: &str, field: &str) -> List {
    let row = LISTS.iter().find(|(of, name, _)| *name == field && (*of == "*" || *of == kind));
    row.map_or(Ordered, |(_, _, list)| *list)
}

/// The key of an item: `name=web`. `None` where it has none of the fields, so that nothing is taken for another.
pub fn key(fields: &[&str], item: &Value) -> Option<String> {
    let mut key = String::new();
    for field in fields {
        let value = match item.get(field) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => continue,
            Some(other) => other.to_string(),
        };
        if !key.is_empty() {
            key.push(',');
        }
        key.push_str(field);
        key.push('=');
        key.push_str(&value);
    }
    (!key.is_empty()).then_some(key)
}

/// Fields whose values are quantities, each a map by resource.
const QUANTITIES: [&str; 11] = [
    "hard",
    "used",
    "limits",
    "requests",
    "default",
    "defaultRequest",
    "max",
    "min",
    "maxLimitRequestRatio",
    "capacity",
    "allocatable",
];

/// Whether the values of a field's map are compared as quantities.
pub fn holds_quantities(field: &str) -> bool {
    QUANTITIES.contains(&field)
}
