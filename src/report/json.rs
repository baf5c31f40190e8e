//! The report for programs. `formatVersion` grows when a field changes its meaning or goes; new fields may come.

use serde_json::{Value, json};

use super::{ObjectVerdict, Report};
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
            if let Some(said) = &d.said {
                problem["layer"] = json!(said.layer);
                problem["object"] = json!(said.object);
                problem["first"] = json!(said.first);
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
    let mut whole = json!({
        "formatVersion": 1,
        "command": report.command,
        "verdict": report.verdict(),
        "errors": errors,
        "warnings": warnings,
        "upToDate": report.same,
        "problems": problems,
        "changes": changes,
    });
    if !report.objects.is_empty() {
        whole["objects"] = report.objects.iter().map(object).collect();
    }
    if !report.notes.is_empty() {
        whole["notes"] = json!(report.notes);
    }
    super::visible_json(&whole)
}

fn object(of: &ObjectVerdict) -> Value {
    let mut value = place(&of.at);
    value["object"] = json!(of.object);
    value["verdict"] = json!(of.verdict);
    for (key, word) in [("whom", of.whom), ("layer", of.layer)] {
        if let Some(word) = word {
            value[key] = json!(word);
        }
    }
    value
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
