//! The platform's policies, by the modes of the namespace and less what is exempt; and the labels that say whose a pod is.

use std::collections::BTreeMap;

use super::case::Case;
use super::{Check::Layer as ByLayer, Layer, Objection, Rule};
use crate::contract::admission::Mode;
use crate::objects::meta::TENANT;
use crate::policy::json::Json;
use crate::policy::pod::List;
use crate::policy::review::{self, Breach};
use crate::policy::standing::{Standing, told};

/// The rows; the policies themselves are rows of [`crate::policy::POLICIES`].
pub const RULES: &[Rule] = &[Rule {
    id: "A401",
    title: "a pod that says it is another tenant's",
    why: "NetworkPolicies go by the label: a pod with another tenant's name would be let in where that tenant is.",
    fix: "Take the label out: the webhook puts it there.",
    check: ByLayer,
    refused: &[],
}];

/// What the policies have against an object.
pub fn ask(case: &Case<'_>) -> Vec<Objection> {
    let Some(pod) = &case.pod else { return Vec::new() };
    let base = if pod.base.is_empty() { "spec".to_owned() } else { format!("{}.spec", pod.base) };
    let spec = Json::from(&pod.value["spec"]);
    // What cannot be judged is what validation refuses.
    let breaches = review::spec(&spec).unwrap_or_default();
    let mut all = objections(&breaches, &case.standing, &spec);
    for objection in &mut all {
        objection.whom = pod.whom;
        objection.path = format!("{base}.{}", objection.path);
    }
    if let Some(tenant) = case.around.and_then(|around| around.tenant.as_deref())
        && let Some(said) = pod.value["metadata"]["labels"][TENANT].as_str().filter(|said| *said != tenant)
    {
        all.push(Objection {
            layer: Layer::Policies,
            rule: "A401",
            refuses: true,
            whom: pod.whom,
            path: format!("{base}.metadata.labels[{TENANT}]").replacen("spec.metadata", "metadata", 1),
            message: format!("label {TENANT} of a pod is that of its namespace, {tenant}; found {said}"),
            fix: RULES[0].fix.to_owned(),
        });
    }
    all
}

/// Breaches of a pod as objections; paths are those within its `spec`.
pub fn objections(breaches: &[Breach], standing: &Standing<'_>, spec: &Json<'_>) -> Vec<Objection> {
    let places = places(spec);
    let told = told(breaches, standing).into_iter().filter_map(|(breach, mode)| {
        let refuses = match mode {
            Mode::Deny => true,
            Mode::Warn => false,
            // Nobody is told, here as there.
            Mode::Audit | Mode::Off => return None,
        };
        let index = places.get(&(breach.list, breach.container.as_str())).copied().unwrap_or_default();
        Some(Objection {
            layer: Layer::Policies,
            rule: breach.policy.id,
            refuses,
            whom: super::Whom::Object,
            path: format!("{}[{index}].name", breach.list.field()),
            message: breach.message(),
            fix: breach.policy.fix.to_owned(),
        })
    });
    told.collect()
}

/// Where each container stands, by its list and name; of two of one name, the first.
fn places<'s>(spec: &'s Json<'_>) -> BTreeMap<(List, &'s str), usize> {
    let mut places = BTreeMap::new();
    for list in [List::Init, List::Main, List::Ephemeral] {
        for (index, container) in spec[list.field()].items().iter().enumerate() {
            places.entry((list, container["name"].as_str().unwrap_or_default())).or_insert(index);
        }
    }
    places
}
