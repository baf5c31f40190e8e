//! L107: nothing in the file.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::File;
use crate::lint::found::Found;
use crate::lint::layout::Role;
use crate::place::Place;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L107",
    severity: Severity::Warning,
    title: "nothing in the file",
    why: "A file without an object is applied as nothing: if its text became a comment by mistake, Argo CD and Flux \
          prune what it held before.",
    fix: "Take the file away, or put the object back.",
    source: "getObjsFromYAMLOrJSON in reposerver/repository/repository.go of argoproj/argo-cd",
    consumers: &[Consumer::Argo, Consumer::Flux, Consumer::Kubectl],
    example: "# kind: ConfigMap",
    in_units: true,
    check: Check::File(check),
};

fn check(file: &File<'_>, found: &mut Found) {
    let is_yaml = !file.path.ends_with(".json") && !file.path.ends_with(".jsonnet");
    let plain = matches!(file.role, Role::Manifest | Role::Listed) && is_yaml;
    if plain && file.documents.is_empty() && file.mistake.is_none() {
        found.add(&RULE, Place::file(std::sync::Arc::clone(file.path)), "there is no object in this file");
    }
}
