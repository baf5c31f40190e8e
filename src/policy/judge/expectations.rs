//! Expectations: what a platform team wants to become of manifests, held against what becomes of them.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::verdict::Judged;
use super::{Check::Layer as ByLayer, Layer, Rule};
use crate::contract::At;
use crate::diagnostic::{Diagnostic, Findings};
use crate::parse;
use crate::place::{Place, Span};
use crate::policy::manifests::Manifest;
use crate::yaml::{self, Node, Value, decode::decode, shape::Shape};

/// The name of the file that makes a folder one of expectations.
pub const FILE: &str = "expectations.yaml";

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "A901",
        title: "an object that is judged otherwise than expected",
        why: "A change of a tier, a policy or a manifest has changed what becomes of the object.",
        fix: "Take the change back, or write down what is expected now.",
        check: ByLayer,
        refused: &[],
    },
    Rule {
        id: "A902",
        title: "an expectation of nothing, or of several",
        why: "An expectation that no object meets would hold for ever, whatever becomes of anything.",
        fix: "Name one object of the folder: `Kind/name`, or `Kind/namespace/name`.",
        check: ByLayer,
        refused: &[],
    },
    Rule {
        id: "A903",
        title: "an object that nothing is expected of",
        why: "Whoever adds a manifest to a folder wants something to become of it.",
        fix: "Add an entry to the folder's expectations.yaml, or take the manifest out.",
        check: ByLayer,
        refused: &[],
    },
    Rule {
        id: "A904",
        title: "expectations of nobody's namespace",
        why: "What is expected depends on the tier of a tenant; without the tenant, nothing can be held against it.",
        fix: "Name a tenant of tenants/, and a namespace of one.",
        check: ByLayer,
        refused: &[],
    },
];

/// What is expected of the manifests of a folder.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectations {
    /// The tenant in whose own namespace manifests are judged that name none.
    #[serde(default)]
    pub tenant: Option<At<String>>,
    /// The namespace for them instead.
    #[serde(default)]
    pub namespace: Option<At<String>>,
    /// What is expected, object by object.
    pub expect: Vec<At<Expectation>>,
}

/// What is expected of one object.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectation {
    /// `Kind/name`, or `Kind/namespace/name`.
    pub object: At<String>,
    /// What becomes of it.
    pub verdict: At<Verdict>,
    /// Who speaks first.
    #[serde(default)]
    pub layer: Option<At<LayerName>>,
    /// The id of a rule, policy or control that one of the reasons has.
    #[serde(default)]
    pub rule: Option<At<String>>,
    /// A part of what is said.
    #[serde(default)]
    pub message: Option<At<String>>,
}

/// What becomes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nobody says anything.
    Admitted,
    /// Somebody refuses it, or its pods.
    Refused,
    /// Nobody refuses it, and somebody warns.
    Warned,
}

/// A layer, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LayerName {
    /// Core validation.
    CoreValidation,
    /// The LimitRange.
    LimitRange,
    /// Pod Security.
    PodSecurity,
    /// The policies.
    Policies,
    /// The quota.
    ResourceQuota,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Verdict::Admitted => "admitted",
            Verdict::Refused => "refused",
            Verdict::Warned => "warned",
        }
    }
}

impl LayerName {
    fn layer(self) -> Layer {
        match self {
            LayerName::CoreValidation => Layer::Validation,
            LayerName::LimitRange => Layer::LimitRange,
            LayerName::PodSecurity => Layer::PodSecurity,
            LayerName::Policies => Layer::Policies,
            LayerName::ResourceQuota => Layer::Quota,
        }
    }
}

/// Reads a file of expectations; `None`: what is wrong with it was reported.
pub fn read(file: &Arc<str>, bytes: &[u8], findings: &mut Findings) -> Option<Expectations> {
    let text = parse::text(file, bytes, findings)?;
    let documents = match yaml::read(text) {
        Ok(documents) => documents,
        Err(unreadable) => {
            parse::report_unreadable(file, unreadable, findings);
            return None;
        }
    };
    let [document] = documents.as_slice() else {
        let about = format!("expected one document, found {}", documents.len());
        findings.error("T013", Place::file(Arc::clone(file)), about);
        return None;
    };
    let schema = crate::schema::of::<Expectations>();
    let before = findings.errors();
    Shape::of(&schema, &schema).check("expectations", document, file, findings);
    twice(document, file, findings);
    if findings.errors() > before {
        return None;
    }
    match decode::<Expectations>(document) {
        Ok(expectations) => Some(expectations),
        Err(mismatch) => {
            findings.error("T013", Place::new(file, mismatch.span), mismatch.message);
            None
        }
    }
}

/// Keys that stand there twice: readers take one of them, and not all the same.
fn twice(node: &Node<'_>, file: &Arc<str>, findings: &mut Findings) {
    match &node.value {
        Value::Map(entries) => {
            for (index, (key, value)) in entries.iter().enumerate() {
                if let Some(text) = key.text()
                    && entries[..index].iter().any(|(other, _)| other.text() == Some(text))
                {
                    findings.error("T005", Place::new(file, key.span), format!("the key `{text}` stands here again"));
                }
                twice(value, file, findings);
            }
        }
        Value::List(items) => items.iter().for_each(|item| twice(item, file, findings)),
        Value::Scalar { .. } => {}
    }
}

/// An object, and what has become of it.
pub type Became<'a> = (&'a Manifest<'a>, &'a Judged);

/// Holds what became of a folder's objects against what is expected of them.
pub fn check(file: &Arc<str>, expectations: &Expectations, became: &[Became<'_>], findings: &mut Findings) {
    let mut expected = vec![false; became.len()];
    for expectation in &expectations.expect {
        let at = Place::new(file, expectation.object.span);
        let name = &expectation.object.value;
        let named: Vec<usize> = (0..became.len()).filter(|index| is_called(became[*index].0, name)).collect();
        match named.as_slice() {
            [] => {
                let found = findings.error("A902", at, format!("{name}: there is no such object in this folder"));
                let all = became.iter().map(|(manifest, _)| address(manifest));
                let all: Vec<String> = all.collect();
                if let Some(close) = crate::yaml::shape::closest(name, all.iter().map(String::as_str)) {
                    found.hint(format!("did you mean `{close}`?"));
                }
            }
            [only] if expected[*only] => {
                findings.error("A902", at, format!("{name}: something is expected of it before"));
            }
            [only] => {
                expected[*only] = true;
                if let Some((span, why)) = differs(expectation, became[*only].1) {
                    findings.error("A901", Place::new(file, span), format!("{name}: {why}"));
                }
            }
            several => {
                several.iter().for_each(|index| expected[*index] = true);
                let about = format!("{name}: there are {} of that name in this folder", several.len());
                findings.error("A902", at, about).hint("write `Kind/namespace/name`");
            }
        }
    }
    for ((manifest, _), _) in became.iter().zip(expected).filter(|(_, expected)| !expected) {
        let place = Place::new(&manifest.file, manifest.node.span);
        findings.error("A903", place, format!("{}: nothing is expected of it", address(manifest)));
    }
}

/// `Pod/web`, `Pod/shop/web`
fn address(manifest: &Manifest<'_>) -> String {
    match &manifest.namespace {
        Some(namespace) => format!("{}/{namespace}/{}", manifest.kind, manifest.name),
        None => format!("{}/{}", manifest.kind, manifest.name),
    }
}

fn is_called(manifest: &Manifest<'_>, name: &str) -> bool {
    address(manifest) == name || format!("{}/{}", manifest.kind, manifest.name) == name
}

/// How what became of an object differs, and which part of the expectation says otherwise.
fn differs(expected: &Expectation, judged: &Judged) -> Option<(Span, String)> {
    let verdict = &judged.verdict;
    let found = match (verdict.verdict, judged.diagnostics.first()) {
        ("admitted", _) | (_, None) => "admitted".to_owned(),
        (word, Some(first)) => {
            let layer = verdict.layer.unwrap_or_default();
            format!("{word} by {layer} ({}: {})", first.rule, first.message)
        }
    };
    let wanted = expected.verdict.value.as_str();
    if verdict.verdict != wanted {
        return Some((expected.verdict.span, format!("expected {wanted}, found {found}")));
    }
    if let Some(layer) = &expected.layer {
        let wanted = layer.value.layer().id();
        if verdict.layer != Some(wanted) {
            return Some((layer.span, format!("expected {wanted} to speak first, found {found}")));
        }
    }
    // One reason has to be all that is said of it.
    let fits = |diagnostic: &&Diagnostic| {
        expected.rule.as_ref().is_none_or(|rule| rule.value == diagnostic.rule)
            && expected.message.as_ref().is_none_or(|part| diagnostic.message.contains(&part.value))
    };
    let wants_reason = expected.rule.as_ref().or(expected.message.as_ref());
    if let Some(part) = wants_reason
        && !judged.diagnostics.iter().any(|diagnostic| fits(&diagnostic))
    {
        let [rule, message] = [&expected.rule, &expected.message].map(|part| part.as_ref().map(|p| p.value.as_str()));
        let wanted = match (rule, message) {
            (Some(rule), Some(message)) => format!("{rule} with `{message}`"),
            (Some(rule), None) => rule.to_owned(),
            (None, message) => format!("`{}`", message.unwrap_or_default()),
        };
        return Some((part.span, format!("expected the reason {wanted}, found {found}")));
    }
    None
}
