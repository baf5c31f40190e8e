//! L208: rules that policyTypes leaves out.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::items;
use crate::lint::found::Found;
use crate::lint::selectors::Way;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L208",
    severity: Severity::Error,
    title: "rules that policyTypes leaves out",
    why: "Rules of a way that `policyTypes` does not name do nothing: all traffic of that way stays as it was.",
    fix: "Add the missing type to `policyTypes`, or take the rules away.",
    source: "<https://kubernetes.io/docs/concepts/services-networking/network-policies/>",
    consumers: &[Consumer::Cluster],
    example: "policyTypes: [Ingress]\negress: [{…}]",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    let types = object.get(&["spec", "policyTypes"]);
    if !object.is("networking.k8s.io", "NetworkPolicy") || types.is_none() {
        return;
    }
    for (_, rules, _, name) in Way::ALL {
        let Some(node) = object.get(&["spec", rules]).filter(|node| !items(Some(node)).is_empty()) else { continue };
        if !items(types).iter().any(|t| t.text() == Some(name)) {
            found.add(
                &RULE,
                object.place(node),
                format!("`policyTypes` has no {name}: the rules of `{rules}` do nothing"),
            );
        }
    }
}
