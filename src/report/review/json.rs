//! The review for programs. `formatVersion` grows when a field changes its meaning or goes; new fields may come.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Named, ReviewReport, decision, severity};
use crate::certs::due;
use crate::place::Place;
use crate::report::visible_json;
use crate::review::finding::Finding;
use crate::review::group::{Group, full_name};
use crate::review::map::Map;
use crate::review::{Cause, Decision, Severity};

/// How many objects and places a finding lists, and how many differences a change; of the rest there is a count.
const MOST: usize = 20;
const MOST_DIFFERENCES: usize = 200;

/// The whole report.
pub fn write(report: &ReviewReport) -> String {
    visible_json(&value(report))
}

/// The report as a value; the page is drawn from the same.
pub fn value(report: &ReviewReport) -> Value {
    let review = &report.review;
    let of = |severity: Severity| review.findings.iter().filter(|f| f.severity == severity).count();
    let counts = &review.counts;
    json!({
        "formatVersion": 1,
        "command": "diff",
        "name": report.name,
        "verdict": report.verdict(),
        "decision": if review.denied() > 0 { "denied" } else { "passed" },
        "base": named(&report.base),
        "head": named(&report.head),
        "at": report.at.map(due::written),
        "denies": review.denies.iter().map(|class| class.as_str()).collect::<Vec<_>>(),
        "counts": {
            "findings": review.findings.len(),
            "denied": review.denied(),
            "approved": review.approved(),
            "errors": of(Severity::Error),
            "warnings": of(Severity::Warning),
            "notices": of(Severity::Notice),
            "added": counts.added,
            "changed": counts.changed,
            "removed": counts.removed,
            "byTool": counts.by_tool,
            "tenantsChanged": counts.tenants_changed,
            "tenants": counts.tenants,
        },
        "findings": review.findings.iter().map(finding).collect::<Vec<_>>(),
        "changes": review.groups.iter().map(change).collect::<Vec<_>>(),
        "network": report.map.as_ref().map(network),
    })
}

fn names<'n>(all: impl IntoIterator<Item = &'n Arc<str>>) -> Vec<&'n str> {
    all.into_iter().map(|name| &**name).collect()
}

fn named(named: &Named) -> Value {
    json!({"name": named.name, "commit": named.commit})
}

fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Author => "author",
        Cause::Tool => "tool",
        Cause::Both => "both",
    }
}

fn finding(finding: &Finding) -> Value {
    let approvals: Vec<Value> = match &finding.decision {
        Decision::Approved(by) => by
            .iter()
            .map(|a| {
                let (path, line) = (&*a.at.path, a.at.span.line);
                json!({"who": a.who, "until": a.until.value, "reason": a.reason, "path": path, "line": line})
            })
            .collect(),
        Decision::Noted | Decision::Denied(_) => Vec::new(),
    };
    json!({
        "id": finding.id,
        "rule": finding.rule.id,
        "title": finding.rule.title,
        "class": finding.rule.class.as_str(),
        "severity": severity(finding.severity),
        "message": finding.message,
        "why": finding.rule.why,
        "decision": decision(finding),
        "approval": approvals.first(),
        "approvals": approvals,
        "cause": cause(finding.cause),
        "before": finding.before,
        "after": finding.after,
        "tenants": names(&finding.tenants),
        "namespaces": finding.namespaces.len(),
        "who": finding.who.iter().take(MOST).collect::<Vec<_>>(),
        "whoCount": finding.who.len(),
        "objects": finding.objects.iter().take(MOST).map(ToString::to_string).collect::<Vec<_>>(),
        "objectCount": finding.objects.len(),
        "places": finding.places.iter().take(MOST).map(place).collect::<Vec<_>>(),
        "placeCount": finding.places.len(),
        "approve": finding.approval(),
    })
}

fn place(at: &Place) -> Value {
    json!({"path": &*at.path, "line": at.span.line, "column": at.span.column})
}

fn change(group: &Group) -> Value {
    let differences = group.differences.iter().take(MOST_DIFFERENCES);
    let differences: Vec<Value> =
        differences.map(|d| json!({"path": d.path, "before": d.before, "after": d.after})).collect();
    json!({
        "change": group.what.as_str(),
        "group": group.group,
        "kind": group.kind,
        "name": group.name,
        "cause": cause(group.cause),
        "count": group.objects.len(),
        "objects": group.objects.iter().take(MOST).map(full_name).collect::<Vec<_>>(),
        "tenants": names(&group.tenants),
        "from": group.from,
        "hidden": group.differences.len() - differences.len(),
        "differences": differences,
        "diff": group.diff,
    })
}

fn network(map: &Map) -> Value {
    let pairs = map.pairs.iter().map(|reach| {
        let [before, after] = &reach.sides;
        json!({"from": &*reach.from, "to": &*reach.to, "before": before, "after": after})
    });
    let pairs: Vec<Value> = pairs.collect();
    let pictures = map.pictures.iter().map(|(tenant, edges)| {
        let edges: Vec<Value> = edges
            .iter()
            .map(|edge| {
                json!({
                    "direction": edge.direction,
                    "peer": edge.peer,
                    "kind": edge.kind,
                    "ports": [edge.ports],
                    "namespaces": names(&edge.namespaces),
                    "before": edge.sides[0],
                    "after": edge.sides[1],
                })
            })
            .collect();
        json!({"tenant": &**tenant, "edges": edges})
    });
    json!({
        "tenants": names(&map.tenants),
        "whole": map.is_whole,
        "pairs": pairs,
        "pictures": pictures.collect::<Vec<_>>(),
    })
}
