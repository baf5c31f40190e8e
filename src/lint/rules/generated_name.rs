//! L111: generateName.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::found::Found;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L111",
    severity: Severity::Error,
    title: "generateName",
    why: "What has a new name each time cannot be applied: kubectl and Flux refuse it, and Argo CD makes another one \
          at each sync.",
    fix: "Give it a `metadata.name`; for a job that is to run at each sync, make it a hook of Argo CD.",
    source: "<https://github.com/kubernetes/kubernetes/issues/44501>; docs/user-guide/resource_hooks.md of \
          argoproj/argo-cd",
    consumers: &[Consumer::Argo, Consumer::Flux, Consumer::Kubectl],
    example: "metadata:\n  generateName: migrate-",
    in_units: true,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    let Some(node) = object.get(&["metadata", "generateName"]).filter(|_| object.name().is_empty()) else { return };
    let hooks = ["argocd.argoproj.io/hook", "helm.sh/hook"];
    if hooks.iter().all(|hook| object.get(&["metadata", "annotations", hook]).is_none()) {
        found.add(&RULE, object.place(node), format!("a {} with `generateName` cannot be applied", object.kind));
    }
}
