//! The report for programs. `formatVersion` grows when a field changes its meaning or goes; new fields may come.

use serde_json::{Value, json};

use super::Report;
use crate::diagnostic::Severity;
use crate::place::Place;

/// The whole report.
pub fn write(report: &Report) -> String {
    let (errors, warnings) = report.counts();
    let problems: Vec<Value> = report
        .diagnostics
        .iter()
        .map(|d| {
            let mut problem = place(&d.at);
            problem["rule"] = json!(d.rule);
            problem["severity"] = json!(severity(d.severity));
            problem["message"] = json!(d.message);
            if let Some(hint) = &d.hint {
                problem["hint"] = json!(hint);
            }
            if !d.related.is_empty() {
                let related = d.related.iter().map(|(at, why)| {
                    let mut related = place(at);
                    related["message"] = json!(why);
                    related
                });
                problem["related"] = related.collect();
            }
            problem
        })
        .collect();
    let changes: Vec<Value> =
        report.changes.iter().map(|c| json!({"path": c.path, "kind": c.kind.as_str(), "cause": c.cause})).collect();
    let whole = json!({
        "formatVersion": 1,
        "command": report.command,
        "verdict": report.verdict(),
        "errors": errors,
        "warnings": warnings,
        "upToDate": report.same,
        "problems": problems,
        "changes": changes,
    });
    super::visible_json(&whole)
}

/// A severity as all machine forms spell it.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn place(at: &Place) -> Value {
    let mut value = json!({"path": &*at.path});
    if at.span.line > 0 {
        value["line"] = json!(at.span.line);
        value["column"] = json!(at.span.column);
    }
    value
}
