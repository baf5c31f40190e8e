//! The choke point: what a template made becomes an object of the platform, or is refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::{Extra, MAX_OUTPUT, lines::Lines};
use crate::diagnostic::{Diagnostic, Findings};
use crate::emit::uncarried;
use crate::names::{is_dns_subdomain, is_label_value, is_qualified};
use crate::objects::meta;
use crate::parse::{Document, SKIP_MARKER};
use crate::place::{Place, Span};
use crate::plan::{NamespacePlan, PlatformPlan, TenantPlan};
use crate::rendered::{ObjectId, is_kubernetes_own};
use crate::rules::roles::is_isolating;
use crate::yaml::shape::{closest, list};
use crate::yaml::{self, Node, Value, plain};

/// Kinds of Kubernetes that templates may make: namespaced, and neither rights nor bounds nor secrets.
pub const KINDS: [(&str, &str); 17] = [
    ("v1", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Pod"),
    ("v1", "PodTemplate"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("coordination.k8s.io/v1", "Lease"),
    ("networking.k8s.io/v1", "Ingress"),
    ("policy/v1", "PodDisruptionBudget"),
    ("resource.k8s.io/v1", "ResourceClaim"),
    ("resource.k8s.io/v1", "ResourceClaimTemplate"),
];

/// Kinds of Kubernetes that are named like one of [`KINDS`], or that somebody may want here, and that stay closed.
const CLOSED: [&str; 7] =
    ["EndpointSlice", "Endpoints", "LimitRange", "Namespace", "NetworkPolicy", "PersistentVolume", "ResourceQuota"];

/// What a template is rendered for.
pub struct Scope<'a> {
    /// What holds for every tenant.
    pub platform: &'a PlatformPlan,
    /// The tenant.
    pub tenant: &'a TenantPlan,
    /// The namespace.
    pub namespace: &'a NamespacePlan,
    /// What the platform itself renders there.
    pub ours: &'a BTreeSet<ObjectId>,
    /// The template.
    pub template: &'a Document<Arc<str>>,
    /// What the template was given.
    pub values: &'a minijinja::Value,
}

/// What a look at one object found wrong, at a place of the made text.
struct Refusal<'f, 'a> {
    scope: &'f Scope<'a>,
    lines: Lines<'f>,
    findings: &'f mut Findings,
}

impl Refusal<'_, '_> {
    fn at(&self, span: Span) -> Place {
        self.lines.origin(span.line)
    }

    fn error(&mut self, rule: &'static str, span: Span, about: &str) -> &mut Diagnostic {
        let at = self.at(span);
        let about = format!("{about}, for `{}`", self.scope.namespace.name);
        self.findings.error(rule, at, about)
    }
}

/// The objects in `text`, each checked; what is wrong is reported at the template's line.
pub fn admit(text: &str, scope: &Scope<'_>, findings: &mut Findings) -> Vec<Extra> {
    let mut refusal = Refusal { scope, lines: Lines::new(scope.template, scope.values, text), findings };
    if text.len() > MAX_OUTPUT {
        let about = format!("the template makes {} bytes, expected at most {MAX_OUTPUT}", text.len());
        refusal.error("T706", Span::default(), &about);
        return Vec::new();
    }
    if let Some(offset) = text.find(SKIP_MARKER) {
        refusal.error(
            "T008",
            Span::at(text.as_bytes(), offset),
            &format!("the text `{SKIP_MARKER}` makes Argo CD skip the whole file"),
        );
        return Vec::new();
    }
    match yaml::read(text) {
        Ok(documents) => documents.iter().filter_map(|node| object(node, &mut refusal)).collect(),
        Err(unreadable) => {
            refusal.error("T702", unreadable.span, &format!("the result is no YAML: {}", unreadable.message));
            Vec::new()
        }
    }
}

fn object(node: &Node<'_>, refusal: &mut Refusal<'_, '_>) -> Option<Extra> {
    let (version, kind) = (node.get("apiVersion").and_then(Node::text), node.get("kind").and_then(Node::text));
    let name = node.get("metadata").and_then(|m| m.get("name"));
    let (Some(version), Some(kind), Some(name)) = (version, kind, name) else {
        let hint = "write apiVersion, kind and metadata.name";
        refusal.error("T702", node.span, "expected an object of Kubernetes").hint(hint);
        return None;
    };
    let (group, _) = version.rsplit_once('/').unwrap_or(("", version));
    let errors = refusal.findings.errors();
    for value in [node.get("apiVersion"), node.get("kind"), Some(name)].into_iter().flatten() {
        if !is_text(value) {
            let about = format!("`{}` is no text", value.text().unwrap_or_default());
            refusal.error("T702", value.span, &about).hint("put it in quotes");
        }
    }
    known_kind(node, version, group, kind, refusal);
    let text = name.text().unwrap_or_default();
    if !is_dns_subdomain(text) {
        refusal.error("T702", name.span, &format!("`{text}` is no name of an object"));
    }
    let id = ObjectId {
        group: group.to_owned().into(),
        kind: kind.to_owned().into(),
        namespace: Some(Arc::clone(&refusal.scope.namespace.name)),
        name: text.into(),
    };
    if refusal.scope.ours.contains(&id) {
        refusal.error("T705", name.span, &format!("{id} is the platform's own"));
    }
    metadata(node, refusal);
    let mut content = json(node, refusal);
    if refusal.findings.errors() > errors {
        return None;
    }
    complete(&mut content, refusal.scope, has_substitution(node));
    Some(Extra { id, content: Arc::new(content), at: refusal.at(node.span) })
}

fn known_kind(node: &Node<'_>, version: &str, group: &str, kind: &str, refusal: &mut Refusal<'_, '_>) {
    let custom = &refusal.scope.platform.doc.content.spec.templates.kinds;
    if KINDS.contains(&(version, kind)) || custom.iter().any(|k| k.group.value == group && k.kind.value == kind) {
        return;
    }
    let at = node.get("kind").map_or(node.span, |k| k.span);
    let refused = refusal.error("T703", at, &format!("no template makes a {kind} of `{version}`"));
    if (group, kind) == ("", "Secret") {
        refused.hint("a Secret would stand in git in plain text; use a kind that fetches or unseals it");
    } else if let Some((right, _)) = KINDS.iter().find(|(_, k)| *k == kind) {
        refused.hint(format!("write `apiVersion: {right}`"));
    } else if CLOSED.contains(&kind) || is_isolating(group) {
        refused.hint("rights, bounds, policies and what is the cluster's are not for templates");
    } else if let Some(close) = closest(kind, KINDS.iter().filter(|(v, _)| *v == version).map(|(_, k)| *k)) {
        refused.hint(format!("did you mean `{close}`?"));
    } else if is_kubernetes_own(group) {
        refused.hint(format!("the kinds are {}", list(KINDS.iter().map(|(_, k)| *k))));
    } else {
        refused.hint("the platform team can list a namespaced custom kind in the Platform's `templates.kinds`");
    }
}

/// Metadata that a template may write: its name, and labels and annotations that are not ours.
fn metadata(node: &Node<'_>, refusal: &mut Refusal<'_, '_>) {
    let Some(Value::Map(entries)) = node.get("metadata").map(|m| &m.value) else { return };
    for (key, value) in entries {
        match key.text().unwrap_or_default() {
            "name" => {}
            "namespace" if value.text() == Some(&refusal.scope.namespace.name) => {}
            "namespace" => {
                let found = value.text().unwrap_or_default().to_owned();
                refusal
                    .error("T704", value.span, &format!("expected the tenant's own namespace, found `{found}`"))
                    .hint("take `namespace` out; it is added");
            }
            field @ ("labels" | "annotations") => {
                // Ours are added to the map: to anything else they could not be.
                let Value::Map(entries) = &value.value else {
                    let about = format!("expected a map for `metadata.{field}`");
                    refusal.error("T704", value.span, &about).hint("write keys and values, or take it out");
                    continue;
                };
                for (key, value) in entries {
                    let text = key.text().unwrap_or_default();
                    if !is_text(value) {
                        let about = format!("the value of `{text}` in {field} is no text");
                        refusal.error("T704", value.span, &about).hint("put it in quotes");
                    }
                    let mark = [meta::MANAGED_BY, meta::PART_OF].contains(&text) || text.contains("k8s-mtp.io/");
                    if mark {
                        let about = format!("`{text}` in {field} is written by the platform alone");
                        refusal.error("T704", key.span, &about).hint("take it out; our labels are added");
                    } else if !is_qualified(text) || !plain::is_text(text) {
                        refusal.error("T502", key.span, &format!("`{text}` is no key of a label or annotation"));
                    }
                    if let Some(text) = value.text().filter(|text| field == "labels" && !is_label_value(text)) {
                        let about = format!("\"{}\" is no value of a label", text.escape_debug());
                        let hint = "63 letters, digits, `-`, `_` and `.` at most";
                        refusal.error("T502", value.span, &about).hint(hint);
                    }
                }
            }
            other => {
                let about = format!("no template writes `metadata.{other}`");
                refusal.error("T704", key.span, &about).hint("take it out");
            }
        }
    }
    if let Some(status) = node.get("status") {
        refusal.error("T704", status.span, "`status` is the server's").hint("take it out");
    }
    if let Value::Map(entries) = &node.value {
        entries.iter().for_each(|(_, below)| no_mark(below, refusal));
    }
}

/// Refuses the mark of ownership in the template of a pod, a Job, a claim or whatever else a controller makes of it.
fn no_mark(node: &Node<'_>, refusal: &mut Refusal<'_, '_>) {
    let mark = node.get("metadata").and_then(|m| m.get("labels")).and_then(|l| l.get(meta::MANAGED_BY));
    if let Some(mark) = mark.filter(|m| m.text() == Some(meta::K8S_MTP)) {
        let about = format!("`{}: {}` never stands in a pod template", meta::MANAGED_BY, meta::K8S_MTP);
        refusal.error("T704", mark.span, &about).hint("pods belong to their ReplicaSet; take it out");
    }
    match &node.value {
        Value::Scalar { .. } => {}
        Value::List(items) => items.iter().for_each(|item| no_mark(item, refusal)),
        Value::Map(entries) => entries.iter().for_each(|(_, value)| no_mark(value, refusal)),
    }
}

/// Whether it becomes text in JSON, as labels and annotations have to be; what readers disagree on is refused elsewhere.
fn is_text(node: &Node<'_>) -> bool {
    match &node.value {
        Value::Scalar { plain: false, .. } => true,
        Value::Scalar { text, .. } => {
            !(matches!(&**text, "true" | "false") || plain::is_null(text) || plain::is_decimal(text))
        }
        Value::List(_) | Value::Map(_) => false,
    }
}

/// What every object of ours has.
fn complete(content: &mut Json, scope: &Scope<'_>, substitution: bool) {
    let Some(metadata) = content.get_mut("metadata").and_then(Json::as_object_mut) else { return };
    metadata.insert("namespace".to_owned(), json!(&*scope.namespace.name));
    let labels = metadata.entry("labels").or_insert_with(|| json!({}));
    if let Json::Object(labels) = labels {
        labels.extend(meta::tenant_labels(&scope.tenant.name).into_iter().map(|(k, v)| (k, Json::String(v))));
    }
    if substitution && let Json::Object(annotations) = metadata.entry("annotations").or_insert_with(|| json!({})) {
        // Flux would replace `${…}` in it.
        annotations.insert("kustomize.toolkit.fluxcd.io/substitute".to_owned(), json!("disabled"));
    }
}

fn has_substitution(node: &Node<'_>) -> bool {
    match &node.value {
        Value::Scalar { text, .. } => text.contains("${"),
        Value::List(items) => items.iter().any(has_substitution),
        Value::Map(entries) => entries.iter().any(|(k, v)| has_substitution(k) || has_substitution(v)),
    }
}

/// The value as JSON; a scalar without quotes is what every reader takes it for, or it is refused.
fn json(node: &Node<'_>, refusal: &mut Refusal<'_, '_>) -> Json {
    match &node.value {
        Value::Scalar { text, plain: false } => {
            carried(text, node.span, refusal);
            Json::String(text.to_string())
        }
        Value::Scalar { text, plain: true } => scalar(text, node.span, refusal),
        Value::List(items) => items.iter().map(|item| json(item, refusal)).collect(),
        Value::Map(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let Value::Scalar { text, plain } = &key.value else {
                    refusal.error("T013", key.span, "expected text for a key, found a list or a map");
                    continue;
                };
                if let Some(reading) = plain::reading(text).filter(|_| *plain) {
                    let about = format!("the key {}", plain::disagreement(text, reading));
                    refusal.error("T007", key.span, &about).hint("put it in quotes");
                }
                carried(text, key.span, refusal);
                let value = json(value, refusal);
                if map.insert(text.to_string(), value).is_some() {
                    refusal.error("T005", key.span, &format!("the key `{text}` stands here again"));
                }
            }
            Json::Object(map)
        }
    }
}

/// Refuses text that would stop Flux, or Argo CD. Escapes are resolved by now: what is looked for in the rendered file may
/// not have stood in the template's text.
fn carried(text: &str, span: Span, refusal: &mut Refusal<'_, '_>) {
    if text.contains(SKIP_MARKER) {
        refusal.error("T008", span, &format!("the text `{SKIP_MARKER}` makes Argo CD skip the whole file"));
    }
    if let Some(why) = uncarried(text) {
        refusal.error("T016", span, &format!("the text {why}")).hint("take it out, or write it otherwise");
    }
}

fn scalar(text: &str, span: Span, refusal: &mut Refusal<'_, '_>) -> Json {
    carried(text, span, refusal);
    let reading = match plain::value(text) {
        Ok(value) => return value,
        Err(reading) => reading,
    };
    let about = plain::disagreement(text, reading);
    refusal.error("T007", span, &about).hint("put it in quotes");
    Json::Null
}
