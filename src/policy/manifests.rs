//! Policies on files: pods, and the pods that workloads are to have, with the place of each container.

use std::sync::Arc;

use super::json::Json;
use super::pod::List;
use super::review::{self, Breach};
use super::standing::Standing;
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

/// How the policies stand in a namespace, which may not be stated.
pub type Whose<'a> = &'a dyn Fn(Option<&str>) -> Standing<'a>;

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
        let standing = whose(request.get("namespace").and_then(Node::text));
        match review::request(&Json::from(&yaml::json(file, request, findings))) {
            Ok(breaches) => report(file, spec.unwrap_or(request), breaches, standing, findings),
            Err(why) => drop(findings.error("T013", Place::new(file, request.span), why)),
        }
        return 1;
    }
    let with_pods = WITH_PODS.iter().find(|(kind, _)| *kind == text("kind") && VERSIONS.contains(&text("apiVersion")));
    let Some((_, path)) = with_pods else { return 0 };
    let spec = path.iter().try_fold(node, |node, step| node.get(step));
    let Some(spec) = spec else { return 0 };
    let standing = whose(node.get("metadata").and_then(|metadata| metadata.get("namespace")).and_then(Node::text));
    report(file, spec, review::spec(&Json::from(&yaml::json(file, spec, findings))), standing, findings);
    1
}

fn report(file: &Arc<str>, spec: &Node<'_>, breaches: Vec<Breach>, standing: Standing<'_>, findings: &mut Findings) {
    for breach in breaches {
        let at = Place::new(file, place(spec, breach.list, &breach.container).unwrap_or(spec.span));
        match standing.mode(breach.index) {
            Mode::Deny => findings.error(breach.policy.id, at, breach.message()),
            Mode::Warn => findings.warning(breach.policy.id, at, breach.message()),
            // Nobody is told, here as there.
            Mode::Audit | Mode::Off => continue,
        }
        .hint(breach.policy.fix);
    }
}

/// Where the name of a container stands.
fn place(spec: &Node<'_>, list: List, name: &str) -> Option<Span> {
    let Value::List(containers) = &spec.get(list.field())?.value else { return None };
    let named = containers.iter().filter_map(|container| container.get("name"));
    named.filter(|n| n.text() == Some(name)).map(|n| n.span).next()
}
