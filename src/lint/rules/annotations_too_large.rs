//! L114: annotations that are too large.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::entries;
use crate::lint::found::Found;
use crate::yaml::Node;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L114",
    severity: Severity::Error,
    title: "annotations that are too large",
    why: "The API server refuses an object whose annotations have more than 256 KiB together.",
    fix: "Keep the data in a ConfigMap or elsewhere.",
    source: "ValidateAnnotations in k8s.io/apimachinery/pkg/api/validation/objectmeta.go",
    consumers: &[Consumer::Cluster],
    example: "an annotation of 300 KiB",
    in_units: false,
    check: Check::Object(check),
};

/// `TotalAnnotationSizeLimitB`.
const MOST: usize = 256 * 1024;

fn check(object: &Object<'_>, found: &mut Found) {
    let Some(node) = object.get(&["metadata", "annotations"]).filter(|_| object.file.text.len() > MOST) else { return };
    let length = |node: &Node<'_>| node.text().map_or(0, str::len);
    let bytes: usize = entries(Some(node)).iter().map(|(key, value)| length(key) + length(value)).sum();
    if bytes > MOST {
        let message = format!("expected at most {MOST} bytes of annotations, found {bytes}");
        found.add(&RULE, object.place(node), message);
    }
}
