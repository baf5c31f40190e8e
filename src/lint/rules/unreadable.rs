//! L102: the file cannot be read.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::File;
use crate::lint::found::Found;
use crate::place::Span;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L102",
    severity: Severity::Error,
    title: "the file cannot be read",
    why: "Flux fails the whole folder for one file that is no YAML, Argo CD the whole Application where the file \
          looks like a manifest (and else leaves it out in silence), and kubectl leaves out what follows the mistake.",
    fix: "Correct the place that the message names.",
    source: "getObjsFromYAMLOrJSON in reposerver/repository/repository.go of argoproj/argo-cd; scanManifests in \
          kustomize/kustomize_generator.go of fluxcd/pkg",
    consumers: &[Consumer::Argo, Consumer::Flux, Consumer::Kubectl, Consumer::Cluster],
    example: "key: [1, 2",
    in_units: true,
    check: Check::File(check),
};

fn check(file: &File<'_>, found: &mut Found) {
    if let Some(mistake) = &file.mistake {
        found.add(&RULE, file.at(mistake.span), format!("this is no YAML: {}", mistake.message));
    } else if file.path.ends_with(".json") && file.json.is_none() {
        let at = Span { line: 1, column: 1, ..Span::default() };
        found.add(&RULE, file.at(at), "this is no JSON");
    }
}
