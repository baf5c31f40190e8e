//! The review as annotations of GitHub Actions: the first ten errors and the first ten warnings, and the verdict.
//!
//! Source: <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>

use super::{ReviewReport, decision, place, whom};
use crate::report::github::{data, property};
use crate::report::{line, visible};
use crate::review::finding::Finding;
use crate::review::{Decision, Severity};

/// The most annotations of a kind that a step shows; one is the verdict's.
const MOST: usize = 9;

/// The longest message, in characters: GitHub cuts what is longer, anywhere.
const LONGEST: usize = 1000;

/// The whole report.
pub fn write(report: &ReviewReport) -> String {
    let mut out = String::new();
    let denied = |f: &&Finding| matches!(f.decision, Decision::Denied(_));
    let errors = report.review.findings.iter().filter(denied);
    let warnings = report.review.findings.iter().filter(|f| !denied(f) && f.severity >= Severity::Warning);
    errors.take(MOST).for_each(|finding| out.push_str(&annotation("error", finding, report)));
    warnings.take(MOST).for_each(|finding| out.push_str(&annotation("warning", finding, report)));
    let level = if report.review.denied() > 0 { "error" } else { "notice" };
    out.push_str(&format!("::{level} title=mtp diff::{}\n", data(&report.verdict())));
    out
}

fn annotation(level: &str, finding: &Finding, report: &ReviewReport) -> String {
    let title = property(&format!("{} {} ({})", finding.rule.id, finding.rule.title, decision(finding)));
    // What people typed is on one line: only we begin another one.
    let whom = whom(finding, 5).map(|whom| format!("\n{}", line(&whom))).unwrap_or_default();
    let approve = finding
        .approval()
        .map(|text| format!("\nto let it pass, below spec.review.approvals:\n{text}"))
        .unwrap_or_default();
    // What nobody sees is spelt out before it is cut, so that no escape is cut in two.
    let text: String = visible(&format!("{}{whom}{approve}", line(&finding.message))).chars().take(LONGEST).collect();
    let at = match place(finding) {
        // Without a line the annotation would not show among the changed files.
        Some(at) => format!("file={},line={},", property(&report.path(at)), at.span.line.max(1)),
        None => String::new(),
    };
    format!("::{level} {at}title={title}::{}\n", data(&text))
}
