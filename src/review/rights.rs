//! Who may do what: the rights that bindings give, computed from roles and subjects and not from the text of either.
//!
//! A rule of a role is a product of sets: verbs by groups by resources by names. Of such a product, `*` stands for more than
//! anybody lists, so that a product with a `*` is covered by others only if one of them has a `*` there too. Hence a right is
//! covered by a union of rules just where it is covered by one of them, and nothing has to be searched.
//!
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/>

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::manifest::{items, labels, texts};
use super::reach::selector::Selector;

/// A right: one verb on one resource, or on one path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Of the API.
    Resource {
        /// The API group; empty: the core; `*`: all.
        group: String,
        /// The resource, with its subresource: `pods/log`.
        resource: String,
        /// The verb.
        verb: String,
        /// The one object that it is for; `None`: all.
        name: Option<String>,
    },
    /// Of the API server's other paths.
    Path {
        /// The path; with a `*` at its end, all below.
        path: String,
        /// The verb.
        verb: String,
    },
    /// All that a ClusterRole gives which is not among the manifests.
    Role(String),
}

/// Who is bound.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// `User`, `Group` or `ServiceAccount`.
    pub kind: String,
    /// The namespace of a ServiceAccount.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// A role that is bound.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bound {
    /// The subjects.
    pub subjects: Vec<Subject>,
    /// The kind and the name of the role.
    pub role: (String, String),
}

/// Rights, each once.
pub type Rights = BTreeSet<Right>;

const ALL: &str = "*";

impl Right {
    /// Whether whoever has this one has the other.
    pub fn covers(&self, other: &Right) -> bool {
        match (self, other) {
            (
                Right::Resource { group, resource, verb, name },
                Right::Resource { group: g, resource: r, verb: v, name: n },
            ) => word(group, g) && word(verb, v) && covers_resource(resource, r) && (name.is_none() || name == n),
            (Right::Path { path, verb }, Right::Path { path: p, verb: v }) => word(verb, v) && covers_path(path, p),
            (own, other) => own == other || *own == Right::Role("cluster-admin".to_owned()),
        }
    }

    /// Whether it shows what Secrets hold.
    pub fn reads_secrets(&self) -> bool {
        let Right::Resource { group, resource, verb, .. } = self else { return true };
        let reads = ["get", "list", "watch", ALL].contains(&verb.as_str());
        reads && (group.is_empty() || group == ALL) && covers_resource(resource, "secrets")
    }

    /// Whether it leads to further rights, or out of the namespace, or around what isolates it.
    ///
    /// Source: <https://kubernetes.io/docs/concepts/security/rbac-good-practices/>
    pub fn is_dangerous(&self) -> bool {
        const GUARDS: [&str; 9] = [
            "roles",
            "rolebindings",
            "clusterroles",
            "clusterrolebindings",
            "networkpolicies",
            "resourcequotas",
            "limitranges",
            "endpointslices",
            "endpoints",
        ];
        const READS: [&str; 3] = ["get", "list", "watch"];
        match self {
            Right::Role(_) => true,
            Right::Path { verb, .. } => !READS.contains(&verb.as_str()),
            Right::Resource { group, resource, verb, .. } => {
                let reads = READS.contains(&verb.as_str());
                let base = resource.split('/').next().unwrap_or_default();
                resource == ALL
                    || group == ALL
                    || matches!(verb.as_str(), ALL | "escalate" | "bind" | "impersonate")
                    || (!reads && (GUARDS.contains(&base) || base == "namespaces" || base == "nodes"))
                    || resource == "serviceaccounts/token"
                    || resource == "nodes/proxy"
            }
        }
    }
}

fn word(own: &str, other: &str) -> bool {
    own == ALL || own == other
}

fn covers_resource(own: &str, other: &str) -> bool {
    let below = |own: &str| Some(own.strip_prefix("*/")? == other.split_once('/')?.1);
    own == ALL || own == other || below(own) == Some(true)
}

fn covers_path(own: &str, other: &str) -> bool {
    own == other || own.strip_suffix(ALL).is_some_and(|start| other.starts_with(start))
}

/// The rights of `all` that none of `others` covers.
pub fn beyond(all: &Rights, others: &[&Rights]) -> Rights {
    let listed = |right: &Right| others.iter().any(|others| others.contains(right));
    let covered = |right: &Right| others.iter().any(|others| others.iter().any(|o| o.covers(right)));
    all.iter().filter(|right| !listed(right) && !covered(right)).cloned().collect()
}

/// The rights of a role: of its `rules`.
pub fn of_role(manifest: &Value) -> Rights {
    let mut rights = Rights::new();
    for rule in items(manifest, "rules") {
        let list = |field: &str| texts(rule, field);
        let names = list("resourceNames");
        let names: Vec<Option<String>> =
            if names.is_empty() { vec![None] } else { names.into_iter().map(Some).collect() };
        for verb in list("verbs") {
            for path in list("nonResourceURLs") {
                rights.insert(Right::Path { path, verb: verb.clone() });
            }
            for group in list("apiGroups") {
                for resource in list("resources") {
                    for name in &names {
                        let (group, verb, name) = (group.clone(), verb.clone(), name.clone());
                        rights.insert(Right::Resource { group, resource: resource.clone(), verb, name });
                    }
                }
            }
        }
    }
    rights
}

/// What a binding binds, and to whom; `None` where it is none.
pub fn of_binding(manifest: &Value) -> Option<Bound> {
    let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let role = manifest.get("roleRef")?;
    let own = manifest.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
    let subjects = items(manifest, "subjects").map(|subject| {
        let kind = text(subject, "kind");
        let mut namespace = text(subject, "namespace");
        if kind != "ServiceAccount" {
            namespace.clear();
        } else if namespace.is_empty() {
            own.clone_into(&mut namespace);
        }
        Subject { kind, namespace, name: text(subject, "name") }
    });
    Some(Bound { subjects: subjects.collect(), role: (text(role, "kind"), text(role, "name")) })
}

/// The rights of every ClusterRole among `roles`, those that are aggregated from others included.
pub fn cluster_roles<'m>(roles: impl Iterator<Item = (&'m str, &'m Value)>) -> BTreeMap<String, Rights> {
    let roles: Vec<(&str, &Value)> = roles.collect();
    let mut all: BTreeMap<String, Rights> =
        roles.iter().map(|(name, role)| ((*name).to_owned(), of_role(role))).collect();
    // Who collects from whom.
    let mut edges: Vec<(&str, &str)> = Vec::new();
    for (name, role) in &roles {
        let selectors = role.pointer("/aggregationRule/clusterRoleSelectors").and_then(Value::as_array);
        for selector in selectors.into_iter().flatten().filter_map(Selector::read) {
            edges.extend(
                roles.iter().filter(|(_, other)| selector.selects(&labels(other))).map(|(other, _)| (*name, *other)),
            );
        }
    }
    // What is collected is collected from in turn, until nobody gets more.
    loop {
        let mut grown = false;
        for (to, from) in &edges {
            let more = all.get(*from).cloned().unwrap_or_default();
            let own = all.entry((*to).to_owned()).or_default();
            let before = own.len();
            own.extend(more);
            grown |= own.len() > before;
        }
        if !grown {
            return all;
        }
    }
}

impl Subject {
    /// In words: `user bob@acme.com`.
    pub fn text(&self) -> String {
        match self.kind.as_str() {
            "ServiceAccount" => format!("ServiceAccount `{}/{}`", self.namespace, self.name),
            "Group" => format!("group `{}`", self.name),
            _ => format!("user `{}`", self.name),
        }
    }

    /// Whether it stands for people or programs that nobody has named one by one.
    pub fn is_everybody(&self) -> bool {
        self.name.starts_with("system:")
    }
}

/// Lines in a sentence: the first one, and how many more there are.
pub fn summed(lines: &[String]) -> String {
    let first = lines.first().map(String::as_str).unwrap_or_default();
    if lines.len() > 1 { format!("{first} and {} more", lines.len() - 1) } else { first.to_owned() }
}

/// Rights in words: verbs of the same resource together, and resources of the same verbs.
pub fn lines(rights: &Rights) -> Vec<String> {
    let mut verbs: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
    let mut others = Vec::new();
    for right in rights {
        match right {
            Right::Resource { group, resource, verb, name } => {
                let named = name.as_ref().map(|n| format!(" `{n}`")).unwrap_or_default();
                verbs.entry((group.clone(), format!("{resource}{named}"))).or_default().insert(verb);
            }
            Right::Path { path, verb } => others.push(format!("{verb} {path}")),
            Right::Role(name) => others.push(format!("all that ClusterRole `{name}` gives")),
        }
    }
    let mut resources: BTreeMap<(String, Vec<&str>), Vec<String>> = BTreeMap::new();
    for ((group, resource), verbs) in verbs {
        resources.entry((group, verbs.into_iter().collect())).or_default().push(resource);
    }
    let each = resources.into_iter().map(|((group, verbs), resources)| {
        let of = match group.as_str() {
            "" => String::new(),
            ALL => " of every group".to_owned(),
            group => format!(" of {group}"),
        };
        format!("{} {}{of}", verbs.join(", "), resources.join(", "))
    });
    each.chain(others).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn some(words: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
        prop::collection::vec(prop::sample::select(words), 1..3)
    }

    fn role() -> impl Strategy<Value = Value> {
        let rule = (
            some(&["", "apps", "*"]),
            some(&["pods", "pods/log", "secrets", "*/log", "*"]),
            some(&["get", "list", "*"]),
            prop::collection::vec(prop::sample::select(&["one", "two"][..]), 0..2),
        );
        let rule = rule.prop_map(|(groups, resources, verbs, names)| {
            json!({"apiGroups": groups, "resources": resources, "verbs": verbs, "resourceNames": names})
        });
        prop::collection::vec(rule, 0..4).prop_map(|rules| json!({"rules": rules}))
    }

    /// What the authorizer of Kubernetes does with one request, rule by rule.
    fn allows(role: &Value, [group, resource, verb, name]: [&str; 4]) -> bool {
        role["rules"].as_array().expect("rules").iter().any(|rule| {
            let has = |field: &str, wanted: &dyn Fn(&str) -> bool| {
                rule[field].as_array().expect("a list").iter().any(|v| wanted(v.as_str().expect("text")))
            };
            let names = rule["resourceNames"].as_array().expect("names");
            has("apiGroups", &|g| g == "*" || g == group)
                && has("verbs", &|v| v == "*" || v == verb)
                && has("resources", &|r| {
                    let below = resource.split_once('/').map(|(_, below)| format!("*/{below}"));
                    r == "*" || r == resource || below.as_deref() == Some(r)
                })
                && (names.is_empty() || names.iter().any(|n| n == name))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// A right is said to be gained exactly when there is a request that one side alone lets pass.
        #[test]
        fn gained_is_what_brute_force_finds(before in role(), after in role()) {
            let mut gained = false;
            for group in ["", "apps", "other"] {
                for resource in ["pods", "pods/log", "secrets", "other", "other/log", "other/scale"] {
                    for verb in ["get", "list", "other"] {
                        for name in ["one", "two", "other"] {
                            let request = [group, resource, verb, name];
                            gained |= allows(&after, request) && !allows(&before, request);
                        }
                    }
                }
            }
            let new = beyond(&of_role(&after), &[&of_role(&before)]);
            prop_assert_eq!(!new.is_empty(), gained, "{:?}", new);
        }
    }
}
