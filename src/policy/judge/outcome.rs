//! What becomes of many objects: of each, of all in a namespace together, and what nobody looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::case::Case;
use super::guardrails::Guardrails;
use super::verdict::Judged;
use super::{Layer, own, quota};
use crate::diagnostic::{Diagnostic, Findings, Said};
use crate::place::Place;
use crate::policy::manifests::{Manifest, Surroundings};
use crate::policy::standing::Standing;

/// What is known of the namespace that a manifest states, or of the one for those that state none.
pub type Whose<'a> = &'a dyn Fn(Option<&str>) -> Option<Surroundings<'a>>;

/// What becomes of objects.
#[derive(Default)]
pub struct Outcome {
    /// Of each that could be judged, with its place among the manifests.
    pub judged: Vec<(usize, Judged)>,
    /// Of all in a namespace together.
    pub together: Vec<Diagnostic>,
    /// What was not looked at, and what else is to be known; a sentence each.
    pub notes: Vec<String>,
}

/// Judges all of them. What cannot be judged is a finding.
pub fn judge(manifests: &[Manifest<'_>], whose: Whose<'_>, findings: &mut Findings) -> Outcome {
    let mut outcome = Outcome::default();
    let nowhere = Surroundings { standing: Standing::UNLESS_SAID, guardrails: None };
    let mut by_namespace: BTreeMap<Option<&str>, Vec<&Manifest<'_>>> = BTreeMap::new();
    for (index, manifest) in manifests.iter().enumerate() {
        let namespace = manifest.namespace.as_deref();
        by_namespace.entry(namespace).or_default().push(manifest);
        let judged = manifest.judge(whose(namespace).unwrap_or(nowhere), findings);
        outcome.judged.extend(judged.map(|judged| (index, judged)));
    }
    for (namespace, manifests) in &by_namespace {
        if let Some(Surroundings { standing, guardrails: Some(guardrails) }) = whose(*namespace) {
            let around = Surroundings { standing, guardrails: Some(guardrails) };
            let cases: Vec<Case<'_>> = manifests.iter().filter_map(|manifest| manifest.case(around)).collect();
            together(&cases, guardrails, *namespace, manifests[0], &mut outcome.together);
        }
    }
    outcome.notes = notes(&by_namespace, whose, manifests);
    outcome
}

fn together(
    cases: &[Case<'_>],
    guardrails: &Guardrails,
    namespace: Option<&str>,
    first: &Manifest<'_>,
    all: &mut Vec<Diagnostic>,
) {
    let mut findings = Findings::default();
    let object = namespace.map_or_else(|| "all objects".to_owned(), |name| format!("all objects of {name}"));
    for message in quota::together(cases, guardrails) {
        let found = findings.warning("A503", Place::new(&first.file, first.node.span), message);
        let note = format!("{} warns of {object}, counted together", Layer::Quota.name());
        found.said = Some(Box::new(Said { layer: Layer::Quota.id(), object: object.clone(), first: false, note }));
    }
    all.extend(findings.into_found());
}

/// How many names a note lists.
const MOST: usize = 5;

fn listed(names: BTreeSet<&str>) -> String {
    let more = names.len().saturating_sub(MOST);
    let mut text = names.into_iter().take(MOST).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

fn notes(
    by_namespace: &BTreeMap<Option<&str>, Vec<&Manifest<'_>>>,
    whose: Whose<'_>,
    manifests: &[Manifest<'_>],
) -> Vec<String> {
    let mut notes = Vec::new();
    let mut blind: Vec<&str> = Layer::ALL.into_iter().filter(|l| l.needs_namespace()).map(Layer::name).collect();
    let (mut unknown, mut has_nameless, mut has_own, mut idle) = (BTreeSet::new(), false, false, false);
    for (namespace, those) in by_namespace {
        let is_all_requests = those.iter().all(|manifest| manifest.is_request());
        match whose(*namespace) {
            Some(around) => idle |= around.guardrails.is_some_and(|guardrails| !guardrails.has_engine),
            // Whoever sent a request has passed the layers before.
            None if is_all_requests => {}
            None => {
                unknown.extend(*namespace);
                has_nameless |= namespace.is_none();
                has_own |= those.iter().any(|manifest| own::KINDS.contains(&&*manifest.kind));
            }
        }
    }
    if has_own {
        blind.push("whom NetworkPolicies and RoleBindings may name");
    }
    let blind = blind.join(", ");
    if has_nameless {
        notes.push(format!(
            "not looked at, for objects that name no namespace: {blind}; `--tenant NAME` says whose they are"
        ));
    }
    if !unknown.is_empty() {
        notes.push(format!(
            "not looked at, in namespaces that are no tenant's in tenants/ ({}): {blind}",
            listed(unknown)
        ));
    }
    if idle {
        notes.push("nobody carries the policies out: the Platform's `admission.engines` is empty".to_owned());
    }
    let foreign: BTreeSet<&str> = manifests.iter().filter(|m| !m.is_known()).map(|m| m.kind.as_str()).collect();
    if !foreign.is_empty() {
        notes.push(format!("core validation is not modelled for: {}", listed(foreign)));
    }
    notes
}
