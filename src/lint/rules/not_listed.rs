//! L126: a manifest that no kustomization lists.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::File;
use crate::lint::found::Found;
use crate::lint::layout::Role;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L126",
    severity: Severity::Warning,
    title: "a manifest that no kustomization lists",
    why: "In a folder with a kustomization, kustomize, Flux and Argo CD read what it lists and nothing else: the \
          manifest is never applied, and nobody is told.",
    fix: "List it under `resources`, or take it away.",
    source: "<https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/resource/>; scanManifests in \
          kustomize/kustomize_generator.go of fluxcd/pkg",
    consumers: &[Consumer::Argo, Consumer::Flux, Consumer::Kubectl],
    example: "role.yaml beside a kustomization.yaml that does not name it",
    in_units: false,
    check: Check::File(check),
};

fn check(file: &File<'_>, found: &mut Found) {
    // That its folder has a kustomization is said by the layout.
    if let Role::Unlisted = file.role
        && let Some(object) = file.objects().iter().find(|object| !object.name().is_empty())
    {
        found.add(&RULE, object.at(), format!("no kustomization lists the file of {}", object.title()));
    }
}
