//! The review for people at a terminal: the verdict, the findings, then what differs.

use super::{ReviewReport, approvals, by_tool, decision, listed, severity, sides, whom};
use crate::report::{count, line, visible};
use crate::review::finding::Finding;
use crate::review::group::{Group, What};

/// Colours by what is said; none where nobody wants them.
#[derive(Clone, Copy)]
pub struct Paint(pub bool);

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// What is refused, and what is gone.
    pub fn bad(self, text: &str) -> String {
        self.with("31", text)
    }

    /// What is let pass, and what is new.
    pub fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    /// What is to be looked at.
    pub fn odd(self, text: &str) -> String {
        self.with("33", text)
    }

    /// Where one is in a file.
    pub fn place(self, text: &str) -> String {
        self.with("36", text)
    }

    /// Headings.
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }
}

/// How many lines a finding shows of what was and what is, and how many groups and lines of diff there are in all.
const MOST_SIDES: usize = 8;
const MOST_GROUPS: usize = 60;
const MOST_LINES: usize = 1500;

/// The whole report.
pub fn write(report: &ReviewReport, colour: bool) -> String {
    let paint = Paint(colour);
    let mut out = head(report, paint);
    if report.review.groups.is_empty() {
        return out;
    }
    out.push('\n');
    let mut lines = 0;
    for (index, group) in report.review.groups.iter().enumerate() {
        if index >= MOST_GROUPS || lines > MOST_LINES {
            let more = report.review.groups.len() - index;
            out.push_str(&format!(
                "… and {}; `--output json` and `--output html=PATH` have them all\n",
                count(more, "more change")
            ));
            break;
        }
        if index > 0 {
            out.push('\n');
        }
        out.push_str(&title(group, paint));
        for text in group.diff.lines() {
            out.push_str(&format!("    {}\n", coloured(&visible(text), paint)));
            lines += 1;
        }
    }
    out
}

/// The verdict and the findings.
pub fn head(report: &ReviewReport, paint: Paint) -> String {
    let verdict = report.verdict();
    let verdict = match (report.review.denied(), report.review.approved()) {
        (0, 0) => paint.bold(&verdict),
        (0, _) => paint.good(&verdict),
        _ => paint.bad(&verdict),
    };
    let mut out = format!("{verdict}\n{}\n", line(&report.sides()));
    if report.review.is_empty() {
        return out;
    }
    out.push_str(&format!("{}\n", report.objects()));
    for block in report.blocks() {
        let first = block.findings[0];
        let word = match decision(first) {
            "denied" => paint.bad("denied"),
            "approved" => paint.good("approved"),
            _ => severity(first.severity).to_owned(),
        };
        let title = format!("{} {} [{}]", first.rule.id, first.rule.title, first.rule.class.as_str());
        let spread = block.spread().map(|spread| format!(": {}", line(&spread))).unwrap_or_default();
        out.push_str(&format!("\n{word}  {}{spread}\n", paint.bold(&title)));
        block.findings.iter().for_each(|finding| one(finding, paint, &mut out));
    }
    out
}

fn one(finding: &Finding, paint: Paint, out: &mut String) {
    let mut say = |text: String| out.push_str(&format!("  {text}\n"));
    say(line(&finding.message));
    if let Some(whom) = whom(finding, 10) {
        say(format!("  {}", line(&whom)));
    }
    if !finding.who.is_empty() {
        say(format!("  {}", line(&listed(finding.who.iter().map(String::as_str), 10))));
    }
    let [before, after] = sides(finding);
    for (lines, mark) in [(before, "-"), (after, "+")] {
        for text in lines.iter().take(MOST_SIDES) {
            let text = format!("{mark} {}", line(text));
            say(format!("  {}", if mark == "-" { paint.bad(&text) } else { paint.good(&text) }));
        }
        if lines.len() > MOST_SIDES {
            say(format!("  {mark} … {} more", lines.len() - MOST_SIDES));
        }
    }
    if !finding.places.is_empty() {
        let places: Vec<String> = finding.places.iter().map(ToString::to_string).collect();
        say(format!("  at {}", paint.place(&line(&listed(places.iter().map(String::as_str), 5)))));
    }
    approvals(finding).iter().for_each(|text| say(format!("  {}", paint.good(&line(text)))));
    if let Some(approval) = finding.approval() {
        say("  to let it pass, in the same change, below `spec.review.approvals` of the Platform:".to_owned());
        approval.lines().for_each(|text| say(format!("    {}", line(text))));
    }
}

/// What happens to whom.
pub fn title(group: &Group, paint: Paint) -> String {
    let word = match group.what {
        What::Removed => paint.bad("removed"),
        What::Added => paint.good("added"),
        What::Changed | What::Renamed => paint.odd(group.what.as_str()),
    };
    let many = match group.objects.len() {
        1 => String::new(),
        n => format!(", {n} times in {}", count(group.tenants.len(), "tenant")),
    };
    let from = group.from.as_ref().map(|from| format!(", was {}", line(from))).unwrap_or_default();
    let cause = by_tool(group.cause);
    format!("{word} {} {}{from}{many}{cause}\n", line(&group.kind), paint.bold(&line(&group.name)))
}

fn coloured(text: &str, paint: Paint) -> String {
    match text.as_bytes().first() {
        Some(b'-') => paint.bad(text),
        Some(b'+') => paint.good(text),
        Some(b'@') => paint.place(text),
        _ => text.to_owned(),
    }
}
