//! L110: a List.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::File;
use crate::lint::file::Object;
use crate::lint::found::Found;
use crate::lint::layout::Role;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L110",
    severity: Severity::Warning,
    title: "a List",
    why: "A `List` exists in no cluster: each consumer unfolds it by itself, messages name the file instead of the \
          object, and one item that is no object fails them all.",
    fix: "Write the items as documents of their own, with `---` between them.",
    source: "EachListItem in reposerver/repository/repository.go of argoproj/argo-cd; accumulateResources in \
          kustomize",
    consumers: &[Consumer::Argo, Consumer::Flux, Consumer::Kubectl],
    example: "kind: List\nitems: […]",
    in_units: true,
    check: Check::File(check),
};

fn check(file: &File<'_>, found: &mut Found) {
    for object in file.documents.iter().filter_map(|document| Object::of(file, document)) {
        if object.is_list() && matches!(file.role, Role::Manifest | Role::Listed) {
            found.add(&RULE, object.at(), format!("a {} is unfolded by whoever applies it", object.kind));
        }
    }
}
