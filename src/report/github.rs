//! Annotations of GitHub Actions: at most ten errors and ten warnings a step are shown, so the first ten of each are
//! written, and the verdict says how many there are.
//!
//! Source: <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>

use super::{Report, visible};
use crate::diagnostic::Severity;
use crate::report::json::severity;

/// The most annotations of a kind.
const MOST: usize = 10;

/// The whole report.
pub fn write(report: &Report) -> String {
    let mut out = String::new();
    for kind in [Severity::Error, Severity::Warning] {
        for d in report.diagnostics.iter().filter(|d| d.severity == kind).take(MOST) {
            // Without a line the annotation would not show among the changed files.
            let (line, column) = (d.at.span.line.max(1), d.at.span.column.max(1));
            let hint = d.hint.as_ref().map(|h| format!("\n{h}")).unwrap_or_default();
            let note = d.said.as_ref().map(|said| format!("\n{}", said.note)).unwrap_or_default();
            let title = d.said.as_ref().map_or_else(|| d.rule.to_owned(), |said| format!("{} {}", said.layer, d.rule));
            out.push_str(&format!(
                "::{} file={},line={line},col={column},title={}::{}\n",
                severity(kind),
                property(&d.at.path),
                property(&title),
                data(&format!("{}{note}{hint}", d.message)),
            ));
        }
    }
    for change in report.changes.iter().take(MOST) {
        let cause = change.cause.as_ref().map(|c| format!(", from {c}")).unwrap_or_default();
        let message = format!("{}{cause}", change.kind.as_str());
        out.push_str(&format!(
            "::error file={},line=1,title=rendered/ is stale::{}\n",
            property(&change.path),
            data(&message)
        ));
    }
    let level = if report.counts().0 > 0 || !report.changes.is_empty() { "error" } else { "notice" };
    out.push_str(&format!("::{level} title=mtp {}::{}\n", property(report.command), data(&report.verdict())));
    out
}

/// Text of an annotation.
pub fn data(text: &str) -> String {
    visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of an annotation.
pub fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
