//! The review as a Code Quality report of GitLab: findings at the lines that bring them about.
//!
//! Source: <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>

use serde_json::{Value, json};

use super::{ReviewReport, place, whom};
use crate::report::visible_json;
use crate::review::finding::Finding;
use crate::review::{Decision, Severity};

/// The whole report.
pub fn write(report: &ReviewReport) -> String {
    let each = report.review.findings.iter().filter_map(|finding| one(finding, report));
    visible_json(&Value::Array(each.collect()))
}

fn one(finding: &Finding, report: &ReviewReport) -> Option<Value> {
    let at = place(finding)?;
    let severity = match (&finding.decision, finding.severity) {
        (Decision::Denied(_), _) => "blocker",
        (_, Severity::Error) => "major",
        (_, Severity::Warning) => "minor",
        (_, Severity::Notice) => "info",
    };
    let whom = whom(finding, 5).map(|whom| format!(" ({whom})")).unwrap_or_default();
    Some(json!({
        "description": format!("{}: {}{whom}", finding.rule.title, finding.message),
        "check_name": finding.rule.name,
        // The same finding has the same print in every run, so that GitLab tells what is new.
        "fingerprint": finding.id,
        "severity": severity,
        "location": {"path": report.path(at), "lines": {"begin": at.span.line.max(1)}},
    }))
}
