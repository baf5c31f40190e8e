//! R603: an object goes, and takes others with it.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;
use crate::review::{Change, Pair};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R603",
    name: "deleted-with-content",
    title: "deleted with its content",
    class: Class::Deletion,
    severity: Severity::Error,
    why: "With a CustomResourceDefinition go all objects of its kind in all namespaces, with a claim its volume.",
    example: "A CustomResourceDefinition is not rendered any more.",
    approvable: true,
    check: Check::Pair(check),
};

/// By group and kind, what goes with it.
const CONTENT: [(&str, &str, &str); 4] = [
    ("apiextensions.k8s.io", "CustomResourceDefinition", "all objects of its kind"),
    ("", "PersistentVolumeClaim", "its volume"),
    ("", "PersistentVolume", "what is stored on it"),
    ("multitenant.k8s-mtp.io", "Platform", "the platform"),
];

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    // In a Namespace that goes, everything goes.
    if pair.before.is_none() || pair.after.is_some() || unit.is_gone() {
        return;
    }
    let row = CONTENT.iter().find(|(group, kind, _)| *group == pair.id.group && *kind == pair.id.kind);
    if let Some((_, kind, content)) = row {
        let message = format!("{kind} `{}` is deleted, and with it {content}", pair.id.name);
        found.add(unit.tell_of(&RULE, message, pair, "", change));
    }
}
