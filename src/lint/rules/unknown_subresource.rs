//! L213: a subresource that does not exist.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::api;
use crate::lint::file::Object;
use crate::lint::found::Found;
use crate::lint::grants::grants;
use crate::yaml::shape::{closest, list};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L213",
    severity: Severity::Error,
    title: "a subresource that does not exist",
    why: "The API server takes any name after the slash: a rule for `pods/logs` grants nothing, and a webhook for \
          `namespaces/finalise` is gone around.",
    fix: "Write the subresource that is served.",
    source: "api/discovery/ of kubernetes/kubernetes; GHSA-gwxr-7h77-7777",
    consumers: &[Consumer::Cluster],
    example: "resources: [pods/logs]",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    for grant in grants(object) {
        for node in grant.resources {
            let Some((resource, below)) = node.text().and_then(|typed| typed.split_once('/')) else { continue };
            let mut homes =
                api::RESOURCES.iter().filter(|r| r.plural == resource && grant.has_group(r.group)).peekable();
            if !grant.is_ours() || below == "*" || homes.peek().is_none() {
                continue;
            }
            let known: Vec<&str> = homes.flat_map(|r| r.subresources.iter().copied()).collect();
            // Asked of whoever owns an object that blocks its deletion, for kinds that serve no such thing too.
            if known.contains(&below) || below == "finalizers" {
                continue;
            }
            let added = found.add(&RULE, object.place(node), format!("`{resource}` has no subresource `{below}`"));
            let near = known.iter().find(|known| format!("{known}s") == below || known.eq_ignore_ascii_case(below));
            match (near, closest(below, known.iter().copied())) {
                (Some(near), _) => {
                    added.hint(format!("write `{resource}/{near}`"));
                    found.edit(&RULE, object.file.path, node.span, format!("{resource}/{near}"));
                }
                (None, Some(close)) => drop(added.hint(format!("did you mean `{resource}/{close}`?"))),
                (None, None) if known.is_empty() => drop(added.hint("it has none")),
                (None, None) => drop(added.hint(format!("it has {}", list(known.into_iter())))),
            }
        }
    }
}
