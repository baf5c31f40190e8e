//! L211: a resource that is not in its group.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::api;
use crate::lint::file::Object;
use crate::lint::found::Found;
use crate::lint::grants::grants;
use crate::yaml::Node;
use crate::yaml::shape::{closest, list};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L211",
    severity: Severity::Error,
    title: "a resource that is not in its group",
    why: "RBAC and webhooks compare names: a rule for a resource that its group does not have grants nothing, and a \
          webhook is never called.",
    fix: "Name the group that has the resource.",
    source: "api/discovery/ of kubernetes/kubernetes; GHSA-gwxr-7h77-7777",
    consumers: &[Consumer::Cluster],
    example: "apiGroups: [\"\"]\nresources: [deployments]",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    for grant in grants(object) {
        for node in grant.groups {
            let typed = node.text().unwrap_or_default();
            if let Some(meant) = misspelt(typed) {
                let message = format!("`{typed}` is no API group");
                found.add(&RULE, object.place(node), message).hint(format!("write {meant}"));
            }
        }
        if !grant.is_ours() {
            continue;
        }
        for node in grant.resources {
            let typed = node.text().unwrap_or_default();
            let resource = typed.split_once('/').map_or(typed, |(resource, _)| resource);
            if typed.contains('*') || resource.is_empty() || grant.knows(resource) || grant.meant(resource).is_some() {
                continue;
            }
            let homes: Vec<&str> = api::RESOURCES.iter().filter(|r| r.plural == resource).map(|r| r.group).collect();
            let groups = list(grant.groups.iter().filter_map(Node::text)).replace("``", "`\"\"` (core)");
            let added =
                found.add(&RULE, object.place(node), format!("the group {groups} has no resource `{resource}`"));
            match homes.as_slice() {
                [] => {
                    let names = api::RESOURCES.iter().filter(|r| grant.has_group(r.group)).map(|r| r.plural);
                    match closest(resource, names) {
                        Some(close) => added.hint(format!("did you mean `{close}`?")),
                        None => added.hint("name a resource that the group has"),
                    };
                }
                homes => {
                    added.hint(format!("it is in the group {}", list(homes.iter().copied())));
                    // All that the rule is about moves together, or nothing does.
                    if let ([group], [home]) = (grant.groups, homes)
                        && grant.resources.iter().all(|r| r.text().is_some_and(|r| in_group(home, r)))
                    {
                        found.edit(&RULE, object.file.path, group.span, quoted(home));
                    }
                }
            }
        }
    }
}

/// What somebody meant who wrote a group that no cluster has: with its version, by the name of the core group, or a single word.
/// Groups of others have a dot.
fn misspelt(typed: &str) -> Option<String> {
    let group = typed.split_once('/').map_or(typed, |(group, _)| group);
    let known = |group: &str| api::RESOURCES.iter().any(|r| r.group == group) || group == api::GONE || group == "*";
    if ["core", "v1"].contains(&group) {
        Some("`\"\"`, the core group".to_owned())
    } else if group != typed {
        Some(format!("`{group}`, without the version"))
    } else if !known(group) && !group.contains('.') {
        let close = api::RESOURCES.iter().find(|r| r.group.split('.').next() == Some(group)).map(|r| r.group);
        Some(close.map_or("a group that the cluster has".to_owned(), |close| format!("`{close}`")))
    } else {
        None
    }
}

fn in_group(group: &str, typed: &str) -> bool {
    api::find(group, typed.split_once('/').map_or(typed, |(resource, _)| resource)).is_some()
}

/// A group as it is written.
fn quoted(group: &str) -> String {
    if group.is_empty() { "\"\"".to_owned() } else { group.to_owned() }
}
