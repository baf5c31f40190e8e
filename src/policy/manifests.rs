//! Manifests of others: read with their places, told apart, and judged by the layers of a cluster.

use std::sync::Arc;

use serde_json::Value as Plain;

use super::json::Json;
use super::judge::case::{Case, has_pods};
use super::judge::guardrails::Guardrails;
use super::judge::verdict::{self, Judged, Named};
use super::judge::{self, decoding, policies};
use super::review;
use super::standing::Standing;
use crate::diagnostic::Findings;
use crate::parse;
use crate::place::Place;
use crate::yaml::{self, Node, Value};

/// What is known of where a manifest goes.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// How the policies stand there.
    pub standing: Standing<'a>,
    /// What stands in the namespace; `None`: nothing is known of it.
    pub guardrails: Option<&'a Guardrails>,
}

/// An object in a file.
pub struct Manifest<'a> {
    /// The file.
    pub file: Arc<str>,
    /// The object, with places.
    pub node: Node<'a>,
    /// The object as kubectl would send it; of an AdmissionReview, its request.
    pub value: Plain,
    /// Its kind; `AdmissionReview` too.
    pub kind: String,
    /// Its group and version.
    pub api_version: String,
    /// Its name; of an AdmissionReview, that of the pod.
    pub name: String,
    /// The namespace that it states.
    pub namespace: Option<String>,
}

/// Groups of what is written like an object, and is none: no API server has them.
const NO_OBJECTS: [&str; 3] = ["kustomize.config.k8s.io/", "config.k8s.io/", "multitenant.k8s-mtp.io/"];

/// All objects of a file.
pub fn read<'a>(file: &Arc<str>, bytes: &'a [u8], findings: &mut Findings) -> Vec<Manifest<'a>> {
    let Some(text) = parse::text(file, bytes, findings) else { return Vec::new() };
    let documents = match yaml::read(text) {
        Ok(documents) => documents,
        Err(unreadable) => {
            parse::report_unreadable(file, unreadable, findings);
            return Vec::new();
        }
    };
    let mut all = Vec::new();
    documents.into_iter().for_each(|document| object(file, document, &mut all, findings));
    all
}

fn object<'a>(file: &Arc<str>, node: Node<'a>, all: &mut Vec<Manifest<'a>>, findings: &mut Findings) {
    let text = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default().to_owned();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    if api_version.is_empty() || kind.is_empty() || NO_OBJECTS.iter().any(|group| api_version.starts_with(group)) {
        return;
    }
    if (api_version.as_str(), kind.as_str()) == ("v1", "List") {
        let Value::Map(entries) = node.value else { return };
        let items = entries.into_iter().find(|(key, _)| key.text() == Some("items"));
        if let Some((_, Node { value: Value::List(items), .. })) = items {
            items.into_iter().for_each(|item| object(file, item, all, findings));
        }
        return;
    }
    let stated = |node: &Node<'_>, key: &str| {
        let value = node.get("metadata").and_then(|metadata| metadata.get(key)).and_then(Node::text);
        value.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let called = |node: &Node<'_>| stated(node, "name").or_else(|| stated(node, "generateName")).unwrap_or_default();
    if (api_version.as_str(), kind.as_str()) == ("admission.k8s.io/v1", "AdmissionReview") {
        let Some(request) = node.get("request") else {
            findings.error("T012", Place::new(file, node.span), "the AdmissionReview has no request");
            return;
        };
        let value = yaml::json(file, request, findings);
        let name = request.get("object").map(called).unwrap_or_default();
        let namespace = request.get("namespace").and_then(Node::text).map(str::to_owned);
        all.push(Manifest { file: Arc::clone(file), value, kind, api_version, name, namespace, node });
        return;
    }
    // Of what is only counted, nothing but its name matters.
    let mut others = Findings::default();
    let is_read = decoding::is_known(&api_version, &kind) || has_pods(&api_version, &kind);
    let value = yaml::json(file, &node, if is_read { &mut *findings } else { &mut others });
    let (name, namespace) = (called(&node), stated(&node, "namespace"));
    all.push(Manifest { file: Arc::clone(file), value, kind, api_version, name, namespace, node });
}

impl Manifest<'_> {
    /// `Deployment shop/web`
    pub fn called(&self) -> String {
        let name = if self.name.is_empty() { "without a name" } else { &self.name };
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}/{name}", self.kind),
            None => format!("{} {name}", self.kind),
        }
    }

    /// Whether it is a request that an API server has sent, and not an object.
    pub fn is_request(&self) -> bool {
        self.kind == "AdmissionReview"
    }

    /// Whether validation knows its kind.
    pub fn is_known(&self) -> bool {
        self.is_request() || decoding::is_known(&self.api_version, &self.kind)
    }

    /// Its case, in these surroundings; a request has none.
    pub fn case<'c>(&'c self, around: Surroundings<'c>) -> Option<Case<'c>> {
        (!self.is_request()).then(|| Case::new(&self.value, around.guardrails, around.standing))
    }

    /// What becomes of it. A request is judged as the API server means it: by the policies alone, which it asks.
    pub fn judge(&self, around: Surroundings<'_>, findings: &mut Findings) -> Option<Judged> {
        let called = self.called();
        let is_secret = self.kind == "Secret";
        let named = Named { called: &called, file: &self.file, node: &self.node, within: &self.node, is_secret };
        if let Some(case) = self.case(around) {
            return Some(verdict::judge(&named, judge::objections(&case)));
        }
        let request = Json::from(&self.value);
        let node = self.node.get("request").unwrap_or(&self.node);
        let within = node.get("object").and_then(|object| object.get("spec")).unwrap_or(node);
        match review::request(&request) {
            Ok(breaches) => {
                let mut objections = policies::objections(&breaches, &around.standing, &request["object"]["spec"]);
                objections.extend(policies::named_in_request(&self.value, &around.standing));
                Some(verdict::judge(&Named { within, ..named }, objections))
            }
            Err(why) => {
                findings.error("T013", Place::new(&self.file, node.span), why);
                None
            }
        }
    }
}
