//! L115: an object that is too large for client-side apply.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::json_length;
use crate::lint::found::Found;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L115",
    severity: Severity::Warning,
    title: "an object that is too large for client-side apply",
    why: "kubectl, and Argo CD without `ServerSideApply=true`, keep what they applied in an annotation, and \
          annotations have at most 256 KiB: the apply is refused.",
    fix: "Apply it on the server's side: `kubectl apply --server-side`, or `syncOptions: [ServerSideApply=true]`; \
          Flux always does.",
    source: "docs/user-guide/sync-options.md of argoproj/argo-cd, \"Server-Side Apply\"",
    consumers: &[Consumer::Argo, Consumer::Kubectl],
    example: "a CustomResourceDefinition of 300 KiB",
    in_units: false,
    check: Check::Object(check),
};

/// `TotalAnnotationSizeLimitB`, which the annotation of the last applied object counts towards.
const MOST: usize = 256 * 1024;

fn check(object: &Object<'_>, found: &mut Found) {
    let told = ["argocd.argoproj.io/sync-options"].iter().any(|key| {
        let options = object.text(&["metadata", "annotations", key]);
        options.contains("ServerSideApply=true") || options.contains("Replace=true")
    });
    if object.file.text.len() > MOST && !told {
        let bytes = json_length(object.node);
        if bytes > MOST {
            let message = format!("expected at most {MOST} bytes for client-side apply, found {bytes}");
            found.add(&RULE, object.at(), message);
        }
    }
}
