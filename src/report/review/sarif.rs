//! The review as SARIF 2.1.0, as code scanning reads it.
//!
//! Source: <https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>

use serde_json::{Value, json};

use super::{ReviewReport, decision, whom};
use crate::place::Place;
use crate::report::visible_json;
use crate::review::finding::Finding;
use crate::review::rules::RULES;
use crate::review::{Decision, Severity};

/// The most results that code scanning shows of a run, and the most places of one.
const MOST: usize = 5000;
const MOST_PLACES: usize = 10;

/// The whole report.
pub fn write(report: &ReviewReport) -> String {
    let results: Vec<Value> = report.review.findings.iter().take(MOST).map(|finding| result(finding, report)).collect();
    let rules = RULES.iter().map(|rule| {
        json!({
            "id": rule.id,
            "name": rule.name,
            "shortDescription": {"text": rule.title},
            "fullDescription": {"text": rule.why},
            "help": {"text": format!("An example: {}", rule.example)},
            "properties": {"tags": [rule.class.as_str()]},
        })
    });
    let whole = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "mtp diff",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
            }},
            "properties": {"verdict": report.verdict()},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    visible_json(&whole)
}

fn result(finding: &Finding, report: &ReviewReport) -> Value {
    let level = match (&finding.decision, finding.severity) {
        (Decision::Denied(_), _) => "error",
        (_, Severity::Error | Severity::Warning) => "warning",
        (_, Severity::Notice) => "note",
    };
    let whom = whom(finding, 10).map(|whom| format!("\n{whom}")).unwrap_or_default();
    let mut places: Vec<Value> = finding.places.iter().take(MOST_PLACES).map(|at| location(at, report)).collect();
    if places.is_empty() {
        // Code scanning drops what stands nowhere.
        places.push(location(&Place::file(crate::inputs::TENANTS), report));
    }
    json!({
        "ruleId": finding.rule.id,
        "level": level,
        "message": {"text": format!("{} ({}): {}{whom}", finding.rule.title, decision(finding), finding.message)},
        // One result is one alert: the other lines that bring it about are told beside the first.
        "locations": &places[..1],
        "relatedLocations": &places[1..],
        "partialFingerprints": {"mtp/v1": finding.id},
    })
}

fn location(at: &Place, report: &ReviewReport) -> Value {
    let region = json!({"startLine": at.span.line.max(1), "startColumn": at.span.column.max(1)});
    json!({"physicalLocation": {"artifactLocation": {"uri": uri(&report.path(at))}, "region": region}})
}

/// A path as a relative reference: whatever is no plain letter of a path is escaped.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
