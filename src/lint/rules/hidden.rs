//! L122: a manifest that nobody sees.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::File;
use crate::lint::found::Found;
use crate::lint::layout::Role;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L122",
    severity: Severity::Warning,
    title: "a manifest that nobody sees",
    why: "Argo CD, Flux and `kubectl apply -R` go into hidden folders and read hidden files, and most people's tools \
          do not show them.",
    fix: "Give the file and its folders names without a leading dot.",
    source: "getPotentiallyValidManifests in reposerver/repository/repository.go of argoproj/argo-cd; \
          docs/spec/v1/gitrepositories.md of fluxcd/source-controller, \"Default exclusions\"",
    consumers: &[Consumer::Argo, Consumer::Flux, Consumer::Kubectl],
    example: ".old/role.yaml",
    in_units: true,
    check: Check::File(check),
};

fn check(file: &File<'_>, found: &mut Found) {
    let hidden = file.inside.split('/').find(|part| part.starts_with('.'));
    let Some(hidden) = hidden.filter(|_| file.role == Role::Manifest) else { return };
    if let Some(object) = file.objects().first() {
        found.add(&RULE, object.at(), format!("`{hidden}` is hidden, and its manifests are applied all the same"));
    }
}
