//! What a change means, in the forms that people and machines read; one file a form.
//!
//! A verdict and counts come first in each of them. None depends on the clock, on absolute paths or on the order in which
//! threads finished, and nothing that people typed becomes more than text in any of them.

mod github;
mod gitlab;
mod html;
mod json;
mod markdown;
mod sarif;
mod side_by_side;
mod summary;
mod text;

use std::collections::BTreeSet;
use std::sync::Arc;

use time::OffsetDateTime;

use super::{Format, count};
use crate::place::Place;
use crate::review::finding::Finding;
use crate::review::map::Map;
use crate::review::{Cause, Decision, Review, Severity};

/// What `mtp diff` found, and between what.
#[derive(Debug)]
pub struct ReviewReport {
    /// The name of the Platform; empty for folders of manifests.
    pub name: String,
    /// Where the root lies in its repository, for those who show findings at lines of it; empty: at its top.
    pub prefix: String,
    /// The earlier side.
    pub base: Named,
    /// The later side.
    pub head: Named,
    /// The time at which approvals were judged.
    pub at: Option<OffsetDateTime>,
    /// What was found.
    pub review: Review,
    /// Who reaches whom, where it is known.
    pub map: Option<Map>,
}

/// One side of a change.
#[derive(Debug, Clone)]
pub struct Named {
    /// What people call it: `origin/main`, `worktree`, a folder.
    pub name: String,
    /// The commit, in hexadecimal digits.
    pub commit: Option<String>,
}

/// Findings of one rule that are decided alike, the one that concerns most first.
pub struct Block<'r> {
    /// The findings; there is one at least.
    pub findings: Vec<&'r Finding>,
}

impl ReviewReport {
    /// The report in a form, in one part or, for Markdown, in as many as a comment needs.
    pub fn write(&self, format: Format, colour: bool) -> Vec<String> {
        match format {
            Format::Text => vec![text::write(self, colour)],
            Format::SideBySide => vec![side_by_side::write(self, colour)],
            Format::Summary => vec![summary::write(self)],
            Format::Json => vec![json::write(self)],
            Format::Markdown => markdown::write(self),
            Format::Github => vec![github::write(self)],
            Format::Gitlab => vec![gitlab::write(self)],
            Format::Sarif => vec![sarif::write(self)],
            Format::Html => vec![html::write(self)],
        }
    }

    /// The first line of every form.
    pub fn verdict(&self) -> String {
        if self.review.is_empty() {
            return "no changes".to_owned();
        }
        let counts = &self.review.counts;
        let (denied, approved, all) = (self.review.denied(), self.review.approved(), self.review.findings.len());
        let mut parts = Vec::new();
        if denied > 0 {
            parts.push(format!("{} {} denied", count(denied, "finding"), if denied == 1 { "is" } else { "are" }));
        }
        if approved > 0 {
            parts.push(format!("{approved} approved"));
        }
        if all > denied + approved {
            let more = if denied + approved > 0 { " to note" } else { ", none denied" };
            parts.push(format!("{}{more}", count(all - denied - approved, "finding")));
        }
        let objects = counts.added + counts.changed + counts.removed;
        if objects == 0 {
            parts.push("no object differs".to_owned());
        } else {
            let verb = if objects == 1 { "differs" } else { "differ" };
            let whose = match counts.tenants_changed {
                0 => String::new(),
                n => format!(" in {}", count(n, "tenant")),
            };
            parts.push(format!("{} {verb}{whose}", count(objects, "object")));
        }
        parts.join("; ")
    }

    /// The path of a place in the repository.
    pub fn path(&self, at: &Place) -> String {
        if self.prefix.is_empty() { at.path.to_string() } else { format!("{}/{}", self.prefix, at.path) }
    }

    /// From where to where.
    pub fn sides(&self) -> String {
        let side = |named: &Named| match &named.commit {
            Some(commit) if *commit != named.name => {
                format!("{} ({})", named.name, commit.get(..12).unwrap_or(commit))
            }
            _ => named.name.clone(),
        };
        format!("from {} to {}", side(&self.base), side(&self.head))
    }

    /// How many objects come, differ and go: `1 added, 2 changed, 1 removed, 3 of them by the tool`.
    pub fn objects(&self) -> String {
        let counts = &self.review.counts;
        let tool =
            if counts.by_tool > 0 { format!(", {} of them by the tool alone", counts.by_tool) } else { String::new() };
        format!("objects: {} added, {} changed, {} removed{tool}", counts.added, counts.changed, counts.removed)
    }

    /// Findings by rule.
    pub fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks: Vec<Block<'_>> = Vec::new();
        for finding in &self.review.findings {
            match blocks.last_mut() {
                Some(block) if alike(block.findings[0], finding) => block.findings.push(finding),
                _ => blocks.push(Block { findings: vec![finding] }),
            }
        }
        blocks
    }
}

fn alike(a: &Finding, b: &Finding) -> bool {
    a.rule.id == b.rule.id && decision(a) == decision(b) && a.severity == b.severity
}

impl Block<'_> {
    /// How the findings of a block are to each other: `the same in 212 tenants; 3 differ: a, b, c`. Nothing for one finding.
    pub fn spread(&self) -> Option<String> {
        let (first, rest) = self.findings.split_first()?;
        if rest.is_empty() || first.tenants.len() < 2 {
            return None;
        }
        let others = rest.iter().flat_map(|finding| &finding.tenants).filter(|name| !first.tenants.contains(*name));
        let others: BTreeSet<&Arc<str>> = others.collect();
        if others.is_empty() {
            return None;
        }
        let differ = if others.len() == 1 { "differs" } else { "differ" };
        Some(format!(
            "the same in {}; {} {differ}: {}",
            count(first.tenants.len(), "tenant"),
            others.len(),
            listed(others.iter().map(|name| &***name), 20)
        ))
    }
}

/// What becomes of a finding, in a word.
pub fn decision(finding: &Finding) -> &'static str {
    match finding.decision {
        Decision::Noted => "noted",
        Decision::Denied(_) => "denied",
        Decision::Approved(_) => "approved",
    }
}

/// What brought a change about, where no author did alone.
pub fn by_tool(cause: Cause) -> &'static str {
    match cause {
        Cause::Author => "",
        Cause::Tool => ", by the tool",
        Cause::Both => ", in part by the tool",
    }
}

/// A severity, in a word.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    }
}

/// The first names of a list, and how many more there are.
pub fn listed<'n>(names: impl Iterator<Item = &'n str>, most: usize) -> String {
    let mut names = names.peekable();
    let mut list: Vec<String> = names.by_ref().take(most).map(str::to_owned).collect();
    let more = names.count();
    if more > 0 {
        list.push(format!("and {more} more"));
        let last = list.pop().unwrap_or_default();
        return format!("{} {last}", list.join(", "));
    }
    list.join(", ")
}

/// Whom a finding concerns: `212 tenants: a, b and 210 more (230 namespaces)`.
pub fn whom(finding: &Finding, most: usize) -> Option<String> {
    let namespaces = finding.namespaces.len();
    let inside = match namespaces {
        0 => String::new(),
        1 => format!(" ({})", finding.namespaces.iter().next().map(|n| &**n).unwrap_or_default()),
        n => format!(" ({n} namespaces)"),
    };
    if finding.tenants.is_empty() {
        return (namespaces > 0).then(|| format!("{}{inside}", count(namespaces, "namespace")));
    }
    let names = listed(finding.tenants.iter().map(|name| &**name), most);
    Some(format!("{}: {names}{inside}", count(finding.tenants.len(), "tenant")))
}

/// Who let a finding pass, until when and why, a line an approval.
pub fn approvals(finding: &Finding) -> Vec<String> {
    let Decision::Approved(by) = &finding.decision else { return Vec::new() };
    let each = by.iter().map(|a| format!("approved by {} until {}: {} ({})", a.who, a.until, a.reason, a.at));
    each.collect()
}

/// Where to look first: a place of the finding that pull requests show, of `tenants/` rather than of elsewhere.
pub fn place(finding: &Finding) -> Option<&Place> {
    let input = finding.places.iter().find(|at| at.path.starts_with(crate::inputs::TENANTS));
    input.or(finding.places.first())
}

/// What of both sides of a finding is worth a line: what differs, where both have lines in common.
pub fn sides(finding: &Finding) -> [Vec<&str>; 2] {
    fn only<'l>(lines: &'l [String], others: &[String]) -> Vec<&'l str> {
        lines.iter().filter(|line| !others.contains(line)).map(String::as_str).collect()
    }
    [only(&finding.before, &finding.after), only(&finding.after, &finding.before)]
}
