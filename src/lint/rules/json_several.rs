//! L104: several values in a JSON file.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::File;
use crate::lint::found::Found;
use crate::place::Span;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L104",
    severity: Severity::Error,
    title: "several values in a JSON file",
    why: "Argo CD takes a JSON file for one object and fails the whole Application where more follow.",
    fix: "Make a file of each, or one `List`; YAML may hold several documents.",
    source: "getObjsFromYAMLOrJSON in reposerver/repository/repository.go of argoproj/argo-cd",
    consumers: &[Consumer::Argo],
    example: "{\"kind\": \"Namespace\", …}\n{\"kind\": \"Role\", …}",
    in_units: true,
    check: Check::File(check),
};

fn check(file: &File<'_>, found: &mut Found) {
    if let Some(several) = file.json.filter(|values| *values > 1) {
        let at = Span { line: 1, column: 1, ..Span::default() };
        found.add(&RULE, file.at(at), format!("expected one value in a JSON file, found {several}"));
    }
}
