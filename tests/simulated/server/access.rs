//! Access: what a user with grants may do, and the words in which the rest is refused.

use serde_json::{Value, json};

use super::answer::{Answer, details};
use super::request::{Target, Verb};
use super::world::World;

/// What a user may do. `*` stands for all.
#[derive(Debug, Clone)]
pub struct Grant {
    /// `get`, `patch`, ...
    pub verbs: Vec<String>,
    /// The API group.
    pub group: String,
    /// The resource, with a subresource `deployments/status`.
    pub resource: String,
    /// The namespace; all, and what is cluster-scoped, if nothing.
    pub namespace: Option<String>,
}

impl Grant {
    /// Some verbs, `get,list`, on a resource `deployments.apps`, everywhere or in a namespace.
    pub fn new(verbs: &str, resource: &str, namespace: Option<&str>) -> Grant {
        let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
        Grant {
            verbs: verbs.split(',').map(str::to_owned).collect(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.map(str::to_owned),
        }
    }

    fn covers(&self, verb: &str, group: &str, resource: &str, namespace: &str) -> bool {
        let is = |granted: &str, asked: &str| granted == "*" || granted == asked;
        self.verbs.iter().any(|v| is(v, verb))
            && is(&self.group, group)
            && is(&self.resource, resource)
            && self.namespace.as_deref().is_none_or(|n| n == namespace)
    }
}

impl World {
    fn may(&self, user: &str, verb: &str, group: &str, resource: &str, namespace: &str) -> bool {
        let grants = self.settings.grants.get(user);
        grants.is_none_or(|grants| grants.iter().any(|grant| grant.covers(verb, group, resource, namespace)))
    }

    /// Refuses what the user may not do.
    pub fn authorise(&self, user: &str, verb: Verb, target: &Target) -> Result<(), Answer> {
        let kind = &target.kind;
        let slash = if target.subresource.is_empty() { "" } else { "/" };
        let resource = format!("{}{slash}{}", kind.plural, target.subresource);
        // A Namespace is in the namespace of its name.
        let namespace = if kind.plural == "namespaces" { &target.name } else { &target.namespace };
        if self.may(user, verb.as_str(), &kind.group, &resource, namespace) {
            return Ok(());
        }
        let scope = if target.namespace.is_empty() && kind.plural != "namespaces"
            || target.name.is_empty() && target.namespace.is_empty()
        {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace {namespace:?}")
        };
        let name = if target.name.is_empty() { String::new() } else { format!(" {:?}", target.name) };
        let message = format!(
            "{}{name} is forbidden: User {user:?} cannot {} resource {resource:?} in API group {:?} {scope}",
            kind.resource(),
            verb.as_str(),
            kind.group,
        );
        Err(Answer::refusal(403, "Forbidden", &message, details(kind, &target.name)))
    }

    /// Refuses a Role that gives what its writer does not have, or a binding to one.
    pub fn escalates(&self, user: &str, target: &Target, object: &Value) -> Result<(), Answer> {
        let group = "rbac.authorization.k8s.io";
        if target.kind.group != group || !self.settings.grants.contains_key(user) {
            return Ok(());
        }
        let (verb, rules) = match target.kind.kind.as_str() {
            "Role" | "ClusterRole" => ("escalate", object["rules"].clone()),
            _ => {
                let role = &object["roleRef"];
                let cluster = role["kind"] == "ClusterRole";
                let plural = if cluster { "clusterroles" } else { "roles" };
                if self.may(user, "bind", group, plural, &target.namespace) {
                    return Ok(());
                }
                let namespace = if cluster { "" } else { target.namespace.as_str() };
                let name = role["name"].as_str().unwrap_or_default();
                let key = super::state::Key::new(&format!("{plural}.{group}"), namespace, name);
                let rules = self.state.get(&key).map(|role| role["rules"].clone());
                ("bind", rules.unwrap_or_else(|| json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}])))
            }
        };
        if verb == "escalate" && self.may(user, verb, group, &target.kind.plural, &target.namespace) {
            return Ok(());
        }
        let texts = |rule: &Value, field: &str| -> Vec<String> {
            let all = rule[field].as_array().into_iter().flatten();
            all.filter_map(|text| text.as_str().map(str::to_owned)).collect()
        };
        let mut missing = Vec::new();
        for rule in rules.as_array().into_iter().flatten() {
            for api_group in texts(rule, "apiGroups") {
                for resource in texts(rule, "resources") {
                    for verb in texts(rule, "verbs") {
                        if !self.may(user, &verb, &api_group, &resource, &target.namespace) {
                            missing.push(format!(
                                "{{APIGroups:[{api_group:?}], Resources:[{resource:?}], Verbs:[{verb:?}]}}"
                            ));
                        }
                    }
                }
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let why = format!(
            "user {user:?} (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n{}",
            missing.join("\n")
        );
        Err(Answer::forbidden(&target.kind, name, &why, Value::Null))
    }
}
