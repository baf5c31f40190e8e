//! L232: one quota under two names.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::entries;
use crate::lint::found::Found;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L232",
    severity: Severity::Warning,
    title: "one quota under two names",
    why: "`cpu` and `requests.cpu` count the same: both hold, the lower one refuses, and whoever raises the other \
          changes nothing.",
    fix: "Keep `requests.…`.",
    source: "<https://kubernetes.io/docs/concepts/policy/resource-quotas/#compute-resource-quota>",
    consumers: &[Consumer::Cluster],
    example: "hard:\n  cpu: \"4\"\n  requests.cpu: \"8\"",
    in_units: false,
    check: Check::Object(check),
};

/// Two names of one ceiling.
const TWINS: [(&str, &str); 6] = [
    ("cpu", "requests.cpu"),
    ("memory", "requests.memory"),
    ("ephemeral-storage", "requests.ephemeral-storage"),
    ("persistentvolumeclaims", "count/persistentvolumeclaims"),
    ("services", "count/services"),
    ("configmaps", "count/configmaps"),
];

fn check(object: &Object<'_>, found: &mut Found) {
    if !object.is("", "ResourceQuota") {
        return;
    }
    let hard = entries(object.get(&["spec", "hard"]));
    let key = |name: &str| hard.iter().map(|(key, _)| key).find(|key| key.text() == Some(name));
    for (short, long) in TWINS {
        if let (Some(short_key), Some(long_key)) = (key(short), key(long)) {
            let message = format!("`{short}` and `{long}` count the same");
            found.add(&RULE, object.place(short_key), message).related(object.place(long_key), "the other one");
        }
    }
}
