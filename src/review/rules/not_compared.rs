//! R902: something could not be compared.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::names::is_in_domain;
use crate::review::Change;
use crate::review::finding::{Findings, Severity, Told};
use crate::review::reach::Policy;
use crate::review::unit::NETWORKING;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R902",
    name: "not-compared",
    title: "not compared",
    class: Class::Unknown,
    severity: Severity::Error,
    why: "What could not be read on one side may hide anything.",
    example: "The base's tenants/ does not render with this mtp, so that policies and exemptions cannot be compared.",
    approvable: true,
    check: Check::Change(check),
};

fn check(change: &Change<'_>, found: &mut Findings) {
    for why in &change.unknown {
        found.add(Told::new(&RULE, why.as_str()));
    }
    for pair in &change.pairs {
        let sides = [&pair.before, &pair.after].into_iter().flatten();
        let is_policy = pair.id.is(NETWORKING, "NetworkPolicy");
        let message = if is_policy && sides.clone().any(|manifest| Policy::read(&manifest.value).is_none()) {
            format!("{} is none that the API server would take", pair.id)
        } else if OTHERS.iter().any(|group| is_in_domain(&pair.id.group, group)) {
            format!("no rule looks at {}.{}", pair.id.kind, pair.id.group)
        } else {
            continue;
        };
        let told = Told::new(&RULE, message).object(&pair.id).tenant(pair.tenant()).cause(pair.cause);
        found.add(match pair.last() {
            Some(manifest) => told.at(change.edits.cause(manifest, "", change.plans[1])),
            None => told,
        });
    }
}

/// Groups of other people's kinds that open networks or APIs, or decide on them.
const OTHERS: [&str; 11] = [
    "apiregistration.k8s.io",
    "cilium.io",
    "extensions",
    "gatekeeper.sh",
    "istio.io",
    "kyverno.io",
    "linkerd.io",
    "openshift.io",
    "policy.networking.k8s.io",
    "projectcalico.org",
    "submariner.io",
];
