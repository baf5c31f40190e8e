//! L101: a text that makes Argo CD leave the file out.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::File;
use crate::lint::found::Found;
use crate::parse::SKIP_MARKER;
use crate::place::Span;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L101",
    severity: Severity::Error,
    title: "the file is left out by Argo CD",
    why: "Argo CD leaves out every file that has the text `+argocd:skip-file-rendering` anywhere, be it in a value; what it \
          applied before is pruned.",
    fix: "Take the text out, or move what is not meant for Argo CD to a folder that it does not read.",
    source: "getPotentiallyValidManifestFile in reposerver/repository/repository.go of argoproj/argo-cd",
    consumers: &[Consumer::Argo],
    example: "description: see +argocd:skip-file-rendering",
    in_units: true,
    check: Check::File(check),
};

fn check(file: &File<'_>, found: &mut Found) {
    if let Some(at) = file.text.find(SKIP_MARKER) {
        let span = Span {
            end: u32::try_from(at + SKIP_MARKER.len()).unwrap_or(u32::MAX),
            ..Span::at(file.text.as_bytes(), at)
        };
        found.add(&RULE, file.at(span), format!("Argo CD leaves the whole file out for the text `{SKIP_MARKER}`"));
    }
}
