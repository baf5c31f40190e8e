//! Policies on files: pods, and the pods that workloads are to have, with the place of each container.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::json::Json;
use super::pod::List;
use super::review::{self, Breach};
use super::standing::{Standing, told};
use crate::contract::admission::Mode;
use crate::diagnostic::Findings;
use crate::parse;
use crate::place::{Place, Span};
use crate::yaml::{self, Node, Value};

/// Kinds that have pods, and where their pods' `spec` stands.
const WITH_PODS: [(&str, &[&str]); 9] = [
    ("Pod", &["spec"]),
    ("PodTemplate", &["template", "spec"]),
    ("ReplicationController", &["spec", "template", "spec"]),
    ("ReplicaSet", &["spec", "template", "spec"]),
    ("Deployment", &["spec", "template", "spec"]),
    ("StatefulSet", &["spec", "template", "spec"]),
    ("DaemonSet", &["spec", "template", "spec"]),
    ("Job", &["spec", "template", "spec"]),
    ("CronJob", &["spec", "jobTemplate", "spec", "template", "spec"]),
];

/// API versions of these kinds.
const VERSIONS: [&str; 3] = ["v1", "apps/v1", "batch/v1"];

/// What is known of the namespace of a manifest, which may not state it.
pub type Whose<'a> = &'a dyn Fn(Option<&str>) -> Namespace<'a>;

/// Where a manifest goes.
#[derive(Clone, Copy)]
pub struct Namespace<'a> {
    /// How the policies stand there.
    pub standing: Standing<'a>,
    /// Limits by resource that its LimitRange gives to containers without: before any webhook is asked.
    pub defaults: &'a BTreeMap<String, String>,
}

/// Looks at all documents of a file and says how many pods it saw. AdmissionReviews are judged as the API server meant them.
pub fn review(file: &Arc<str>, bytes: &[u8], whose: Whose<'_>, findings: &mut Findings) -> usize {
    let Some(text) = parse::text(file, bytes, findings) else { return 0 };
    let documents = match yaml::read(text) {
        Ok(documents) => documents,
        Err(unreadable) => {
            parse::report_unreadable(file, unreadable, findings);
            return 0;
        }
    };
    documents.iter().map(|document| object(file, document, whose, findings)).sum()
}

fn object(file: &Arc<str>, node: &Node<'_>, whose: Whose<'_>, findings: &mut Findings) -> usize {
    let text = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default();
    if let ("v1", "List", Some(Node { value: Value::List(items), .. })) =
        (text("apiVersion"), text("kind"), node.get("items"))
    {
        return items.iter().map(|item| object(file, item, whose, findings)).sum();
    }
    if (text("apiVersion"), text("kind")) == ("admission.k8s.io/v1", "AdmissionReview") {
        let Some(request) = node.get("request") else {
            findings.error("T012", Place::new(file, node.span), "the AdmissionReview has no request");
            return 0;
        };
        let spec = request.get("object").and_then(|object| object.get("spec"));
        let Namespace { standing, .. } = whose(request.get("namespace").and_then(Node::text));
        match review::request(&Json::from(&yaml::json(file, request, findings))) {
            Ok(breaches) => report(file, spec.unwrap_or(request), &breaches, standing, findings),
            Err(why) => drop(findings.error("T013", Place::new(file, request.span), why)),
        }
        return 1;
    }
    let with_pods = WITH_PODS.iter().find(|(kind, _)| *kind == text("kind") && VERSIONS.contains(&text("apiVersion")));
    let Some((_, path)) = with_pods else { return 0 };
    let spec = path.iter().try_fold(node, |node, step| node.get(step));
    let Some(spec) = spec else { return 0 };
    let name = node.get("metadata").and_then(|metadata| metadata.get("namespace")).and_then(Node::text);
    let Namespace { standing, defaults } = whose(name);
    let mut pod = yaml::json(file, spec, findings);
    fill(&mut pod, defaults);
    match review::spec(&Json::from(&pod)) {
        Ok(breaches) => report(file, spec, &breaches, standing, findings),
        Err(why) => drop(findings.error("T013", Place::new(file, spec.span), why)),
    }
    1
}

fn report(file: &Arc<str>, spec: &Node<'_>, breaches: &[Breach], standing: Standing<'_>, findings: &mut Findings) {
    let places = places(spec);
    for (breach, mode) in told(breaches, &standing) {
        let at = places.get(&(breach.list, breach.container.as_str())).copied().unwrap_or(spec.span);
        let at = Place::new(file, at);
        match mode {
            Mode::Deny => findings.error(breach.policy.id, at, breach.message()),
            Mode::Warn => findings.warning(breach.policy.id, at, breach.message()),
            // Nobody is told, here as there.
            Mode::Audit | Mode::Off => continue,
        }
        .hint(breach.policy.fix);
    }
}

/// Gives containers the limits that they do not state, as the API server does before it asks anybody.
///
/// Source: `PodMutateFunc` of Kubernetes' `plugin/pkg/admission/limitranger/admission.go`
fn fill(spec: &mut serde_json::Value, defaults: &BTreeMap<String, String>) {
    if defaults.is_empty() {
        return;
    }
    for list in [List::Init, List::Main] {
        for container in spec[list.field()].as_array_mut().into_iter().flatten().filter(|c| c.is_object()) {
            let resources = &mut container["resources"];
            if !(resources.is_null() || resources.is_object()) {
                continue;
            }
            let limits = &mut resources["limits"];
            if limits.is_null() || limits.is_object() {
                for (resource, amount) in defaults {
                    let limit = &mut limits[resource.as_str()];
                    if limit.is_null() {
                        *limit = amount.as_str().into();
                    }
                }
            }
        }
    }
}

/// Where the name of each container stands.
fn places<'n>(spec: &'n Node<'_>) -> BTreeMap<(List, &'n str), Span> {
    let mut places = BTreeMap::new();
    for list in [List::Init, List::Main, List::Ephemeral] {
        let Some(Value::List(containers)) = spec.get(list.field()).map(|node| &node.value) else { continue };
        for name in containers.iter().filter_map(|container| container.get("name")) {
            places.entry((list, name.text().unwrap_or_default())).or_insert(name.span);
        }
    }
    places
}
