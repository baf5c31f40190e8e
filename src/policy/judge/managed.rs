//! What is the platform's: nobody changes what is rendered but who applies it, and nobody else makes what says that it is. It is
//! the check of [`crate::objects::policies::managed`] once more, for whoever is neither.

use serde_json::Value;

use super::case::Case;
use super::guardrails::Guardrails;
use super::{Check::Layer as ByLayer, Layer, Objection, Rule, Whom};
use crate::objects::meta::{K8S_MTP, MANAGED_BY};

/// The rows.
pub const RULES: &[Rule] = &[Rule {
    id: "A404",
    title: "an object that is the platform's",
    why: "What is rendered stays as it was reviewed, and only who applies `rendered/` changes it. What says that it is rendered, \
          and is not, nobody could take away again but the platform.",
    fix: "Give it a name that is not rendered in the namespace, and leave the label `app.kubernetes.io/managed-by: k8s-mtp` out.",
    check: ByLayer,
    refused: &[],
}];

/// Whether an object says that it is rendered.
pub fn is_marked(object: &Value) -> bool {
    object["metadata"]["labels"][MANAGED_BY] == K8S_MTP
}

/// Whether one of that group, kind and name is rendered.
pub fn is_known(group: &str, kind: &str, object: &Value, around: &Guardrails) -> bool {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    around.rendered.contains(&(group.to_owned(), kind.to_owned(), name.to_owned()))
}

/// Whether an object is what is rendered, as far as it says so itself: whoever changes that has reviews to pass.
pub fn is_rendered(case: &Case<'_>, around: &Guardrails) -> bool {
    is_marked(case.value) && is_known(case.group(), case.kind, case.value, around)
}

/// What the guard of what is rendered has against an object that is not, where what is rendered stands.
pub fn ask(case: &Case<'_>) -> Option<Objection> {
    let around = case.around?;
    let is_guarded = around.guarded.contains(&(case.group().to_owned(), case.kind.to_owned()));
    let is_marked = is_marked(case.value);
    // One of the two alone: somebody's own that says otherwise, or somebody's own in the place of what is rendered.
    if !is_guarded || is_marked == is_known(case.group(), case.kind, case.value, around) {
        return None;
    }
    let path = if is_marked { format!("metadata.labels[{MANAGED_BY}]") } else { "metadata.name".to_owned() };
    let name = case.value["metadata"]["name"].as_str().unwrap_or_default();
    Some(Objection {
        layer: Layer::Policies,
        rule: RULES[0].id,
        refuses: true,
        whom: Whom::Object,
        path,
        message: format!("{} {name} is managed by the platform", case.resource()),
        fix: RULES[0].fix.to_owned(),
    })
}
