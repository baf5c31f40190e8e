//! The report for a comment on a pull request: verdict first, then problems, then stale files; below 65,536 characters.

use super::{Report, visible};
use crate::report::json::severity;

/// What GitHub takes as a comment, less some room for the last lines.
const MOST_BYTES: usize = 60_000;

/// The whole report.
pub fn write(report: &Report) -> String {
    let mut out = format!("<!-- mtp {} -->\n**{}**\n", report.command, escape(&report.verdict()));
    let problems = report.diagnostics.iter().map(|d| {
        let hint = d.hint.as_ref().map(|h| format!(" — {}", escape(h))).unwrap_or_default();
        let note = d.said.as_ref().map(|said| format!(" — {}", escape(&said.note))).unwrap_or_default();
        let (kind, at) = (severity(d.severity), code(&d.at.to_string()));
        format!("- {kind} {}: {} ({at}){note}{hint}\n", d.rule, escape(&d.message))
    });
    let files = report.changes.iter().map(|c| {
        let cause = c.cause.as_ref().map(|c| format!(" from {}", code(c))).unwrap_or_default();
        let fence = "`".repeat(longest_run(c.diff.as_deref().unwrap_or_default()).max(2) + 1);
        let diff = c.diff.as_ref().map(|d| format!("  {fence}diff\n{}  {fence}\n", indented(d))).unwrap_or_default();
        format!("- {} {}{cause}\n{diff}", c.kind.as_str(), code(&c.path))
    });
    let all: Vec<String> = problems.chain(files).collect();
    if !all.is_empty() {
        out.push('\n');
    }
    for (index, item) in all.iter().enumerate() {
        if out.len() + item.len() > MOST_BYTES {
            out.push_str(&format!("- … and {} more\n", all.len() - index));
            break;
        }
        out.push_str(item);
    }
    for note in &report.notes {
        out.push_str(&format!("\n{}\n", escape(note)));
    }
    if let Some(remedy) = &report.remedy {
        out.push_str(&format!("\n{}\n", escape(remedy)));
    }
    out
}

fn indented(text: &str) -> String {
    visible(text).lines().map(|line| format!("  {line}\n")).collect()
}

/// What ends a mention, a reference or a link before forges see one. They look for those in what is shown, where an escape
/// is no escape any more.
const APART: &str = "<!-- -->";

/// Text that stays text: no markup, no HTML, no mention, no link of its own.
pub fn escape(text: &str) -> String {
    let text = visible(text).replace('\n', " ");
    // Our messages put the author's words between backticks; they stay code. Of an odd number, somebody typed one: no code
    // then, and nothing that could be markup.
    // Longer runs would be paired with each other.
    let has_code = text.matches('`').count().is_multiple_of(2) && !text.contains("``");
    let mut out = String::with_capacity(text.len());
    let mut in_code = false;
    for (at, c) in text.char_indices() {
        match c {
            '`' if has_code => {
                in_code = !in_code;
                out.push(c);
            }
            c if in_code => out.push(c),
            '`' => out.push_str("&#96;"),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => out.extend(['\\', c]),
            '@' | '#' => {
                out.extend(['\\', c]);
                out.push_str(APART);
            }
            ':' if text[at..].starts_with("://") => {
                out.push(c);
                out.push_str(APART);
            }
            '.' if text[..at].to_ascii_lowercase().ends_with("www") => {
                out.push(c);
                out.push_str(APART);
            }
            c => out.push(c),
        }
    }
    out
}

/// Text between backticks, whatever it holds.
pub fn code(text: &str) -> String {
    let text = visible(text).replace('\n', " ");
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A fenced block, whatever the text holds.
pub fn fence(language: &str, text: &str) -> String {
    let marks = "`".repeat(longest_run(text).max(2) + 1);
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{marks}{language}\n{}{end}{marks}\n", visible(text))
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}
