//! SARIF 2.1.0, as code scanning reads it: paths relative to the root, stable rule ids, at most 5,000 results.
//!
//! Source: <https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Report;
use crate::lint;
use crate::policy::pod_security::CONTROLS;
use crate::policy::restrictions::RESTRICTIONS;
use crate::policy::{POLICIES, judge};
use crate::report::json::severity;
use crate::rules;

/// The most results; code scanning shows no more of a run.
const MOST: usize = 5000;

/// Id of what `render --check` finds; the input rules have their own.
const STALE: &str = "stale";

/// The whole report.
pub fn write(report: &Report) -> String {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut fingerprint = |rule: &str, path: &str, message: &str| {
        let key = format!("{rule}:{path}:{message}");
        let n = seen.entry(key.clone()).or_default();
        *n += 1;
        format!("{:016x}:{n}", fnv(&key))
    };
    let mut results: Vec<Value> = Vec::new();
    for d in report.diagnostics.iter().take(MOST) {
        let hint = d.hint.as_ref().map(|h| format!("\n{h}")).unwrap_or_default();
        let mut result = json!({
            "ruleId": d.rule,
            "level": severity(d.severity),
            "message": {"text": format!("{}{hint}", d.message)},
            "locations": [location(&d.at.path, d.at.span.line, d.at.span.column)],
            "partialFingerprints": {"mtp/v1": fingerprint(d.rule, &d.at.path, &d.message)},
        });
        if let Some(said) = &d.said {
            result["properties"] = json!({"layer": said.layer, "object": said.object, "first": said.first});
        }
        results.push(result);
    }
    for change in report.changes.iter().take(MOST.saturating_sub(results.len())) {
        let kind = change.kind.as_str();
        results.push(json!({
            "ruleId": STALE,
            "level": "error",
            "message": {"text": format!("{kind}: not what tenants/ renders to")},
            "locations": [location(&change.path, 1, 1)],
            "partialFingerprints": {"mtp/v1": fingerprint(STALE, &change.path, kind)},
        }));
    }
    let stale = json!({
        "id": STALE,
        "shortDescription": {"text": "rendered/ is stale"},
        "fullDescription": {"text": "What is in rendered/ is not what tenants/ renders to."},
        "help": {"text": "Run `mtp render` and commit the result."},
    });
    let describe = |id: &str, title: &str, why: &str, fix: &str| {
        json!({
            "id": id,
            "shortDescription": {"text": title},
            "fullDescription": {"text": why},
            "help": {"text": fix},
        })
    };
    let rules: Vec<Value> = if report.command == "lint" {
        lint::rules::RULES.iter().map(|rule| describe(rule.id, rule.title, rule.why, rule.fix)).collect()
    } else if report.command.starts_with("policy ") {
        let judged = judge::all().map(|rule| describe(rule.id, rule.title, rule.why, rule.fix));
        let policies = POLICIES.iter().map(|policy| describe(policy.id, policy.title, policy.why, policy.fix));
        let lists = RESTRICTIONS.iter().map(|list| describe(list.id, list.title, list.why, list.fix));
        let read = rules::all().map(|rule| describe(rule.id, rule.title, rule.why, rule.fix));
        let standards = CONTROLS.iter().map(|control| describe(control.id, control.title, control.why, control.fix));
        judged.chain(policies).chain(lists).chain(standards).chain(read).collect()
    } else {
        rules::all().map(|rule| describe(rule.id, rule.title, rule.why, rule.fix)).chain([stale]).collect()
    };
    let driver = json!({
        "name": "mtp",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules,
    });
    let whole = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    });
    super::visible_json(&whole)
}

fn location(path: &str, line: u32, column: u32) -> Value {
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(path), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": line.max(1), "startColumn": column.max(1)},
    }})
}

/// A path as part of a URI (RFC 3986).
fn uri(path: &str) -> String {
    let safe = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b);
    path.bytes().map(|b| if safe(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// FNV-1a: a hash that stays the same from run to run, which is all that is asked of it here.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}
