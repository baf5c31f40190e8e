//! The review with what was on the left and what is on the right.

use similar::{ChangeTag, TextDiff};

use super::ReviewReport;
use super::text::{Paint, head, title};
use crate::report::visible;
use crate::review::group::Group;

/// How wide a side is, in characters.
const WIDTH: usize = 76;

/// The whole report.
pub fn write(report: &ReviewReport, colour: bool) -> String {
    let paint = Paint(colour);
    let mut out = head(report, paint);
    for group in &report.review.groups {
        out.push('\n');
        out.push_str(&title(group, paint));
        rows(group, paint, &mut out);
    }
    out
}

/// The lines of a unified diff in two columns.
fn rows(group: &Group, paint: Paint, out: &mut String) {
    let (mut left, mut right): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for text in group.diff.lines().chain(["@@"]) {
        let (mark, rest) = text.split_at_checked(1).unwrap_or((text, ""));
        match mark {
            "-" => left.push(rest),
            "+" => right.push(rest),
            "@" => {
                flush(&mut left, &mut right, paint, out);
                out.push_str(&format!("  {}\n", paint.place(&"·".repeat(WIDTH * 2 + 3))));
            }
            _ => {
                flush(&mut left, &mut right, paint, out);
                row(rest, rest, ' ', paint, out);
            }
        }
    }
}

fn flush(left: &mut Vec<&str>, right: &mut Vec<&str>, paint: Paint, out: &mut String) {
    let diff = TextDiff::from_slices(left, right);
    // Lines that became others stand beside each other; nothing is equal here.
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for change in diff.iter_all_changes() {
        match change.tag() {
            ChangeTag::Delete => old.push(change.value()),
            ChangeTag::Insert => new.push(change.value()),
            ChangeTag::Equal => {}
        }
    }
    for index in 0..old.len().max(new.len()) {
        let (a, b) = (old.get(index), new.get(index));
        let mark = match (a, b) {
            (Some(_), Some(_)) => '|',
            (Some(_), None) => '<',
            _ => '>',
        };
        row(a.unwrap_or(&""), b.unwrap_or(&""), mark, paint, out);
    }
    left.clear();
    right.clear();
}

fn row(left: &str, right: &str, mark: char, paint: Paint, out: &mut String) {
    let (left, right) = (fitted(left), fitted(right));
    let (a, b) = if mark == ' ' { (left, right) } else { (paint.bad(&left), paint.good(&right)) };
    out.push_str(format!("  {a} {mark} {b}").trim_end());
    out.push('\n');
}

/// Exactly so wide.
fn fitted(text: &str) -> String {
    let text = visible(text);
    let n = text.chars().count();
    if n > WIDTH {
        return text.chars().take(WIDTH - 1).chain(['…']).collect();
    }
    format!("{text}{}", " ".repeat(WIDTH - n))
}
