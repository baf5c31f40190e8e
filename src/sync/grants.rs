//! What roles and bindings grant, and what of it is to be taken away before anything else happens.
//!
//! A grant is what a subject may do in a namespace. Whatever of it is gone from git goes from the cluster first. What
//! a change *adds* waits for the tenant's guardrails, so that a change that does both happens in two steps.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::objects::sync::rights::PRUNE;
use crate::rendered::ObjectId;

const RBAC: &str = "rbac.authorization.k8s.io";

/// Whether objects of that kind give rights to somebody.
pub fn is_binding(id: &ObjectId) -> bool {
    *id.group == *RBAC && (id.kind == "RoleBinding" || id.kind == "ClusterRoleBinding")
}

/// Whether objects of that kind let somebody do something, or let something through.
pub fn opens(id: &ObjectId) -> bool {
    is_binding(id) || id.is("networking.k8s.io", "NetworkPolicy")
}

/// Whether objects of that kind say which rights there are to give.
pub fn is_role(id: &ObjectId) -> bool {
    *id.group == *RBAC && (id.kind == "Role" || id.kind == "ClusterRole")
}

/// What a live role or binding grants, out of the whole object.
pub fn of(id: &ObjectId, object: &Value) -> Option<Value> {
    if is_binding(id) {
        Some(json!({"subjects": object["subjects"], "roleRef": object["roleRef"]}))
    } else if is_role(id) {
        Some(json!({"rules": object["rules"]}))
    } else {
        None
    }
}

/// What is applied first, so that nobody keeps what `want` does not grant and nobody gains anything yet; `None` where
/// `live` grants no more than `want`.
pub fn narrowed(id: &ObjectId, want: &Value, live: &Value) -> Option<Value> {
    let field = if is_binding(id) {
        "subjects"
    } else if is_role(id) {
        "rules"
    } else {
        return None;
    };
    let [wanted, given] = [want, live].map(|object| items(&object[field]));
    let mut first = want.clone();
    if field == "subjects" {
        if given.iter().all(|subject| wanted.iter().any(|w| same_subject(w, subject))) {
            return None;
        }
        first[field] = wanted.iter().filter(|w| given.iter().any(|g| same_subject(w, g))).cloned().collect();
    } else {
        let [wants, gives] = [wanted, given].map(atoms);
        if gives.is_subset(&wants) {
            return None;
        }
        first[field] =
            wanted.iter().filter(|rule| atoms(std::slice::from_ref(rule)).is_subset(&gives)).cloned().collect();
    }
    Some(first)
}

/// What is applied for a while: `want`, a role, with what `live` grants on top to remove objects of `resources`; `None` where
/// that is nothing.
pub fn kept(want: &Value, live: &Value, resources: &BTreeSet<(String, String)>) -> Option<Value> {
    let [wanted, given] = [want, live].map(|role| atoms(items(&role["rules"])));
    let mut more = Vec::new();
    for (group, resource) in resources {
        let is_kept = |verb: &&str| {
            let atom = [*verb, group, resource, ""];
            given.contains(&atom) && !wanted.contains(&atom)
        };
        let verbs: Vec<&str> = PRUNE.into_iter().filter(is_kept).collect();
        if !verbs.is_empty() {
            more.push(json!({"apiGroups": [group], "resources": [resource], "verbs": verbs}));
        }
    }
    if more.is_empty() {
        return None;
    }
    let mut first = want.clone();
    first["rules"] = items(&want["rules"]).iter().cloned().chain(more).collect();
    Some(first)
}

/// Whether `want`, a binding to a role with `rules`, gives to everybody whom `old` gives something all that `old` gives:
/// then `old` was renamed, and goes after its successor has come.
pub fn succeeds(want: &Value, rules: &Value, old: &Value, old_rules: Option<&Value>) -> bool {
    let [wanted, given] = [want, old].map(|binding| items(&binding["subjects"]));
    let same_role = want["roleRef"] == old["roleRef"];
    let same_rules = old_rules.is_some_and(|old| atoms(items(old)).is_subset(&atoms(items(rules))));
    (same_role || same_rules) && given.iter().all(|subject| wanted.iter().any(|w| same_subject(w, subject)))
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// An API server fills the group in.
fn same_subject(one: &Value, other: &Value) -> bool {
    let key = |subject: &Value| {
        ["kind", "name", "namespace"].map(|field| subject[field].as_str().unwrap_or_default().to_owned())
    };
    key(one) == key(other)
}

/// Rules in their smallest parts. A `*` stands for itself, so that `*` and the list of all verbs differ: then more is
/// taken away for a moment than need be, and never less.
fn atoms(rules: &[Value]) -> BTreeSet<[&str; 4]> {
    let mut all = BTreeSet::new();
    for rule in rules {
        let texts = |field: &str| -> Vec<&str> { items(&rule[field]).iter().filter_map(Value::as_str).collect() };
        let (groups, resources, urls) = (texts("apiGroups"), texts("resources"), texts("nonResourceURLs"));
        let mut names = texts("resourceNames");
        if names.is_empty() {
            names.push("");
        }
        for verb in texts("verbs") {
            for url in &urls {
                all.insert([verb, "", url, "url"]);
            }
            for group in &groups {
                for resource in &resources {
                    for name in &names {
                        all.insert([verb, group, resource, name]);
                    }
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(kind: &'static str) -> ObjectId {
        ObjectId { group: RBAC.into(), kind: kind.into(), namespace: Some("n".into()), name: "x".into() }
    }

    fn binding(people: &[&str]) -> Value {
        let subjects: Vec<Value> = people.iter().map(|name| json!({"kind": "User", "name": name})).collect();
        json!({"roleRef": {"name": "admin"}, "subjects": subjects})
    }

    fn role(verbs: &[&[&str]]) -> Value {
        let rules: Vec<Value> =
            verbs.iter().map(|v| json!({"apiGroups": [""], "resources": ["pods"], "verbs": v})).collect();
        json!({"rules": rules})
    }

    #[test]
    fn who_left_goes_first_and_who_came_waits() {
        let binding_id = id("RoleBinding");
        assert_eq!(narrowed(&binding_id, &binding(&["a", "b"]), &binding(&["a"])), None);
        assert_eq!(narrowed(&binding_id, &binding(&["a"]), &binding(&["a", "b"])), Some(binding(&["a"])));
        assert_eq!(narrowed(&binding_id, &binding(&["a", "c"]), &binding(&["a", "b"])), Some(binding(&["a"])));
        assert_eq!(narrowed(&binding_id, &binding(&["c"]), &binding(&["b"])), Some(binding(&[])));
    }

    #[test]
    fn a_right_that_left_goes_first_and_one_that_came_waits() {
        let role_id = id("Role");
        assert_eq!(narrowed(&role_id, &role(&[&["get", "list"]]), &role(&[&["get"], &["list"]])), None);
        assert_eq!(narrowed(&role_id, &role(&[&["get"]]), &role(&[&["get", "list"]])), Some(role(&[&["get"]])));
        let (want, live) = (role(&[&["get"], &["create"]]), role(&[&["get", "list"]]));
        assert_eq!(narrowed(&role_id, &want, &live), Some(role(&[&["get"]])));
        assert_eq!(narrowed(&role_id, &role(&[&["get"]]), &role(&[&["*"]])), Some(json!({"rules": []})));
    }

    #[test]
    fn what_is_to_be_removed_stays_removable() {
        let resources = BTreeSet::from([(String::new(), "pods".to_owned()), (String::new(), "services".to_owned())]);
        let live = role(&[&["create", "delete", "get", "list", "patch"]]);
        let rest = json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["delete", "list"]});
        let want = role(&[&["get"]]);
        let kept_rules = kept(&want, &live, &resources).map(|role| role["rules"].clone());
        assert_eq!(kept_rules, Some(json!([want["rules"][0], rest])), "never more than is there, and no change");
        assert_eq!(kept(&live, &live, &resources), None);
        assert_eq!(kept(&want, &live, &BTreeSet::new()), None);
        assert_eq!(kept(&want, &json!({"rules": null}), &resources), None);
    }

    #[test]
    fn what_was_renamed_has_a_successor() {
        let rules = role(&[&["get", "list"]])["rules"].clone();
        let other = |mut b: Value| {
            b["roleRef"]["name"] = json!("other");
            b
        };
        assert!(succeeds(&binding(&["a", "b"]), &Value::Null, &binding(&["a"]), None));
        assert!(!succeeds(&binding(&["b"]), &Value::Null, &binding(&["a"]), None));
        assert!(succeeds(&other(binding(&["a"])), &rules, &binding(&["a"]), Some(&role(&[&["get"]])["rules"])));
        assert!(!succeeds(&other(binding(&["a"])), &rules, &binding(&["a"]), Some(&role(&[&["watch"]])["rules"])));
        assert!(!succeeds(&other(binding(&["a"])), &rules, &binding(&["a"]), None));
    }
}
