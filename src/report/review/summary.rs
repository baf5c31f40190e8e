//! The review in a few lines: the verdict, a line a finding, a line a change.

use std::collections::BTreeMap;

use super::{ReviewReport, decision, severity, whom};
use crate::report::{count, line};

/// How many tenants have a line of their own.
const MOST: usize = 50;

/// The whole report.
pub fn write(report: &ReviewReport) -> String {
    let mut out = format!("{}\n{}\n{}\n", report.verdict(), line(&report.sides()), report.objects());
    for finding in &report.review.findings {
        let word = match decision(finding) {
            "noted" => severity(finding.severity),
            word => word,
        };
        let whom = whom(finding, 3).map(|whom| format!(" ({})", line(&whom))).unwrap_or_default();
        out.push_str(&format!("{word} {} {}: {}{whom}\n", finding.rule.id, finding.rule.title, line(&finding.message)));
    }
    // By tenant: how many objects of it come, differ and go.
    let mut tenants: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for group in &report.review.groups {
        for tenant in &group.tenants {
            *tenants.entry(tenant).or_default().entry(group.what.as_str()).or_default() += 1;
        }
    }
    for (tenant, kinds) in tenants.iter().take(MOST) {
        let kinds: Vec<String> = kinds.iter().map(|(what, n)| format!("{n} {what}")).collect();
        out.push_str(&format!("tenant {}: {}\n", line(tenant), kinds.join(", ")));
    }
    if tenants.len() > MOST {
        out.push_str(&format!("… and {}\n", count(tenants.len() - MOST, "more tenant")));
    }
    out
}
