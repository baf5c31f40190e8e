//! The review as comments on a pull request: as many as it takes, each below what GitHub takes and whole in itself.
//!
//! Each begins with a mark that no reader sees and that is the same in every run, so that whoever posts them finds and edits
//! those of the run before.

use super::{Block, ReviewReport, approvals, by_tool, decision, listed, severity, sides, whom};
use crate::report::markdown::{code, escape, fence};
use crate::report::{count, visible};
use crate::review::finding::Finding;
use crate::review::group::Group;

/// What GitHub takes as a comment is 65,536 characters; bytes are never fewer.
const MOST_BYTES: usize = 64_000;

/// The most parts: beyond that, nobody reads on.
const MOST_PARTS: usize = 8;

/// The longest diff of one change, and how many lines a finding shows of each side.
const MOST_DIFF: usize = 12_000;
const MOST_SIDES: usize = 12;

/// The parts.
pub fn write(report: &ReviewReport) -> Vec<String> {
    let mut parts = Parts { name: report.name.clone(), all: Vec::new(), current: String::new() };
    parts.add(&format!("**{}**\n\n{}\n", escape(&report.verdict()), escape(&report.sides())));
    if report.review.is_empty() {
        return parts.done();
    }
    parts.add(&format!("{}\n", escape(&report.objects())));
    for block in report.blocks() {
        parts.add(&heading(&block));
        block.findings.iter().for_each(|finding| parts.add(&one(finding)));
    }
    if !report.review.groups.is_empty() {
        parts.add("\n### What differs\n\n");
        report.review.groups.iter().for_each(|group| parts.add(&folded(group)));
    }
    parts.done()
}

/// The comments so far.
struct Parts {
    name: String,
    all: Vec<String>,
    current: String,
}

impl Parts {
    /// Adds a piece, which stays whole.
    fn add(&mut self, piece: &str) {
        if self.current.len() + piece.len() > MOST_BYTES {
            self.all.push(std::mem::take(&mut self.current));
        }
        self.current.push_str(piece);
    }

    fn done(mut self) -> Vec<String> {
        self.all.push(self.current);
        let left_out = self.all.len().saturating_sub(MOST_PARTS);
        self.all.truncate(MOST_PARTS);
        let last = self.all.len();
        let name = escape(&self.name);
        let each = self.all.into_iter().enumerate().map(|(index, text)| {
            let number = index + 1;
            let mut text = format!("<!-- mtp-diff {name}/{number} -->\n{text}");
            if number > 1 {
                text.push_str(&format!("\n_Part {number} of {last}._\n"));
            }
            if number == last && left_out > 0 {
                text.push_str("\n_There is more: `mtp diff --output html=PATH` has all of it._\n");
            }
            text
        });
        each.collect()
    }
}

fn heading(block: &Block<'_>) -> String {
    let first = block.findings[0];
    let word = match decision(first) {
        "denied" => "⛔ denied",
        "approved" => "✅ approved",
        _ => severity(first.severity),
    };
    let spread = block.spread().map(|spread| format!("{}\n\n", escape(&spread))).unwrap_or_default();
    format!("\n### {word}: {} ({}, {})\n\n{spread}", first.rule.title, first.rule.id, first.rule.class.as_str())
}

fn one(finding: &Finding) -> String {
    let mut text = format!("- **{}**\n", escape(&finding.message));
    let mut say = |line: String| text.push_str(&format!("  {line}\n"));
    if let Some(whom) = whom(finding, 20) {
        say(format!("<br>{}", escape(&whom)));
    }
    if !finding.who.is_empty() {
        say(format!("<br>{}", escape(&listed(finding.who.iter().map(String::as_str), 10))));
    }
    if !finding.places.is_empty() {
        let places: Vec<String> = finding.places.iter().take(5).map(|at| code(&at.to_string())).collect();
        let more = finding.places.len().saturating_sub(5);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        say(format!("<br>{}{more}", places.join(", ")));
    }
    for approval in approvals(finding) {
        say(format!("<br>✅ {}", escape(&approval)));
    }
    let mut text_of_sides = String::new();
    let [before, after] = sides(finding);
    for (lines, mark) in [(before, '-'), (after, '+')] {
        lines
            .iter()
            .take(MOST_SIDES)
            .for_each(|line| text_of_sides.push_str(&format!("{mark} {}\n", line.replace('\n', " "))));
        if lines.len() > MOST_SIDES {
            text_of_sides.push_str(&format!("{mark} … {} more\n", lines.len() - MOST_SIDES));
        }
    }
    if !text_of_sides.is_empty() {
        text.push_str(&format!("\n{}\n", indented(&fence("diff", &text_of_sides))));
    }
    if let Some(approval) = finding.approval() {
        let about = "To let it pass, in the same change, below `spec.review.approvals` of the Platform";
        let whole = format!("<details><summary>{about}</summary>\n\n{}\n</details>\n", fence("yaml", &approval));
        text.push_str(&format!("\n{}\n", indented(&whole)));
    }
    text
}

fn folded(group: &Group) -> String {
    let many = match group.objects.len() {
        1 => String::new(),
        n => format!(", the same {n} times in {}", count(group.tenants.len(), "tenant")),
    };
    let from = group.from.as_ref().map(|from| format!(", was {}", html(from))).unwrap_or_default();
    let cause = by_tool(group.cause);
    let title =
        format!("{} {} <code>{}</code>{from}{many}{cause}", group.what.as_str(), html(&group.kind), html(&group.name));
    let mut diff = String::new();
    for line in group.diff.lines() {
        if diff.len() + line.len() > MOST_DIFF {
            diff.push_str("@@ … @@\n");
            break;
        }
        diff.push_str(line);
        diff.push('\n');
    }
    let tenants = if group.tenants.len() > 1 {
        format!("{}\n\n", escape(&listed(group.tenants.iter().map(|name| &**name), 30)))
    } else {
        String::new()
    };
    format!("<details><summary>{title}</summary>\n\n{tenants}{}\n</details>\n\n", fence("diff", &diff))
}

/// Text in HTML that is no Markdown.
fn html(text: &str) -> String {
    let text = visible(text).replace('\n', " ");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "&#64;").replace('`', "&#96;")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
