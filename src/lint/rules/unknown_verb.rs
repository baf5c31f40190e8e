//! L214: a verb that does not exist.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::api;
use crate::lint::file::Object;
use crate::lint::found::Found;
use crate::lint::grants::grants;
use crate::yaml::shape::closest;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L214",
    severity: Severity::Error,
    title: "a verb that does not exist",
    why: "The API server takes any word for a verb: a rule with `read` or `write` grants nothing.",
    fix: "Write the verbs that requests have: get, list, watch, create, update, patch, delete, deletecollection.",
    source: "<https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb>",
    consumers: &[Consumer::Cluster],
    example: "verbs: [get, read]",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    for grant in grants(object).into_iter().filter(|grant| grant.of_rbac && grant.is_ours()) {
        for node in grant.verbs {
            let verb = node.text().unwrap_or_default();
            // Impersonation has verbs of its own for what is impersonated, and some are asked for by one feature alone.
            let rare = ["request-serviceaccounts-token-audience", "unsafe-delete-ignore-read-errors"];
            if verb == "*" || api::VERBS.contains(&verb) || verb.starts_with("impersonate") || rare.contains(&verb) {
                continue;
            }
            let added = found.add(&RULE, object.place(node), format!("there is no verb `{verb}`"));
            if let Some(close) = closest(verb, api::VERBS.into_iter()) {
                added.hint(format!("did you mean `{close}`?"));
            }
        }
    }
}
