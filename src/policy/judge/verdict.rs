//! Objections as what people and programs read: each with its place, its layer, and who is heard first.

use std::sync::Arc;

use super::{Layer, Objection, Whom};
use crate::diagnostic::{Diagnostic, Findings, Said};
use crate::place::{Place, Span};
use crate::report::ObjectVerdict;
use crate::yaml::{Node, Value};

/// What becomes of an object, and why.
pub struct Judged {
    /// As a line of the report.
    pub verdict: ObjectVerdict,
    /// What the layers have against it, in the order in which it is heard.
    pub diagnostics: Vec<Diagnostic>,
}

/// The object as it is called in messages, and where it stands.
pub struct Named<'a> {
    /// `Deployment shop/web`
    pub called: &'a str,
    /// Its file.
    pub file: &'a Arc<str>,
    /// The whole of it.
    pub node: &'a Node<'a>,
    /// Where paths of objections begin.
    pub within: &'a Node<'a>,
    /// Whether its lines are shown to nobody.
    pub is_secret: bool,
}

/// What the objections make of an object; they are in the order in which they are heard.
pub fn judge(named: &Named<'_>, objections: Vec<Objection>) -> Judged {
    let refusing: Vec<(Whom, Layer)> = {
        let mut all: Vec<_> = objections.iter().filter(|o| o.refuses).map(|o| (o.whom, o.layer)).collect();
        all.dedup();
        all
    };
    let first = refusing.first().copied();
    let called = named.called;
    let mut findings = Findings::default();
    for objection in &objections {
        let Objection { layer, refuses, whom, path, message, fix, .. } = objection;
        let at = Place::new(named.file, locate(named.within, path));
        let found = if *refuses {
            findings.error(objection.rule, at, message.as_str())
        } else {
            findings.warning(objection.rule, at, message.as_str())
        };
        found.hidden_if(named.is_secret);
        if !fix.is_empty() {
            found.hint(fix.as_str());
        }
        let speaks_first = *refuses && first == Some((*whom, *layer));
        let (name, verb) = (layer.name(), verb(*layer, *refuses));
        let of = whom.part().map_or_else(|| called.to_owned(), |part| format!("the {part} of {called}"));
        let note = match first {
            Some((_, before)) if *refuses && !speaks_first => {
                format!("{name} {verb} {of} too, after {}", before.name())
            }
            _ if *refuses => format!("{name} {verb} {of}, before all others"),
            _ => format!("{name} {verb} of {of}"),
        };
        found.said = Some(Box::new(Said { layer: layer.id(), object: called.to_owned(), first: speaks_first, note }));
    }
    let verdict = match first {
        Some(_) => "refused",
        None if objections.is_empty() => "admitted",
        None => "warned",
    };
    let mut layers: Vec<&str> = refusing.iter().map(|(_, layer)| layer.name()).collect();
    // Of its pods and of its claims alike.
    layers.dedup();
    let line = first.map(|(whom, _)| {
        let subject = whom.part().map_or_else(|| called.to_owned(), |part| format!("{called}: each of its {part}"));
        format!("{subject} is refused by {}", layers.join(", after that by "))
    });
    let verdict = ObjectVerdict {
        at: Place::new(named.file, named.node.span),
        object: called.to_owned(),
        verdict,
        whom: first.map(|(whom, _)| whom.part().unwrap_or("object")),
        layer: first.map(|(_, layer)| layer.id()).or_else(|| objections.first().map(|o| o.layer.id())),
        line,
    };
    // In the order in which they were found, which is that of the layers.
    Judged { verdict, diagnostics: findings.into_found() }
}

fn verb(layer: Layer, refuses: bool) -> &'static str {
    match (layer, refuses) {
        (Layer::Policies, true) => "refuse",
        (Layer::Policies, false) => "warn",
        (_, true) => "refuses",
        (_, false) => "warns",
    }
}

/// The place of `spec.containers[0].image` in an object, or of what is nearest to it.
pub fn locate(node: &Node<'_>, path: &str) -> Span {
    let mut at = node;
    let mut span = node.span;
    for step in steps(path) {
        let next = match &at.value {
            Value::List(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
            Value::Map(entries) => {
                let entry = entries.iter().find(|(key, _)| key.text() == Some(step));
                // A map or a list begins a line below its key, which is what people look for.
                if let Some((key, value)) = entry {
                    span = if matches!(value.value, Value::Scalar { .. }) { value.span } else { key.span };
                }
                entry.map(|(_, value)| value)
            }
            Value::Scalar { .. } => None,
        };
        let Some(next) = next else { break };
        if matches!(at.value, Value::List(_)) {
            span = next.get("name").map_or(next.span, |name| name.span);
        }
        at = next;
    }
    span
}

/// `spec`, `containers`, `0`, `image`; what stands in brackets is one step, dots and all.
fn steps(path: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        rest = rest.trim_start_matches('.');
        if let Some(inside) = rest.strip_prefix('[') {
            let end = inside.find(']').unwrap_or(inside.len());
            all.push(&inside[..end]);
            rest = inside.get(end + 1..).unwrap_or_default();
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            all.push(&rest[..end]);
            rest = &rest[end..];
        }
    }
    all.retain(|step| !step.is_empty());
    all
}

#[cfg(test)]
mod tests {
    #[test]
    fn paths_are_walked_as_kubernetes_writes_them() {
        assert_eq!(super::steps("spec.containers[0].name"), ["spec", "containers", "0", "name"]);
        assert_eq!(super::steps("limits[nvidia.com/gpu]"), ["limits", "nvidia.com/gpu"]);
        assert_eq!(super::steps(""), [""; 0]);
        let text = "spec:\n  containers:\n    - image: a\n      name: web\n";
        let node = &crate::yaml::read(text).expect("YAML")[0];
        let line = |path: &str| {
            let span = super::locate(node, path);
            (span.line, span.column)
        };
        assert_eq!(line("spec.containers[0].name"), (4, 13));
        assert_eq!(line("spec.containers[0].command"), (4, 13), "the nearest that has a name");
        assert_eq!(line("spec.volumes"), (1, 1));
        assert_eq!(line("spec.containers"), (2, 3));
    }
}
