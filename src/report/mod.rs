//! What a command found, in the forms that people and machines read; one file a form.
//!
//! No report depends on the clock, on absolute paths or on the order in which threads finished.

pub mod github;
mod json;
pub mod markdown;
pub mod review;
mod sarif;
pub mod sync;
pub mod text;

use crate::diagnostic::{Diagnostic, Severity};
use crate::inputs::Inputs;
use crate::place::Place;
use crate::tree::ChangeKind;

/// What a command found.
#[derive(Debug, Default)]
pub struct Report {
    /// The command: `validate`, `render`, `render --check`.
    pub command: &'static str,
    /// Problems in files that people write.
    pub diagnostics: Vec<Diagnostic>,
    /// Files of `rendered/` that are not as they are to be.
    pub changes: Vec<ChangedFile>,
    /// How many files are as they are to be.
    pub same: usize,
    /// The one command that puts things right.
    pub remedy: Option<String>,
    /// Whether people get a line for each problem, without excerpts.
    pub brief: bool,
    /// What becomes of each object; of `policy review` alone.
    pub objects: Vec<ObjectVerdict>,
    /// What is to be known of the whole, a sentence each.
    pub notes: Vec<String>,
}

/// What becomes of one object.
#[derive(Debug)]
pub struct ObjectVerdict {
    /// Where it stands.
    pub at: Place,
    /// Its kind, namespace and name: `Deployment shop/web`.
    pub object: String,
    /// `admitted`, `warned`, `refused`
    pub verdict: &'static str,
    /// Whether it is refused itself (`object`), or will get none of its pods (`pods`).
    pub whom: Option<&'static str>,
    /// Id of the layer that speaks first.
    pub layer: Option<&'static str>,
    /// All that as a sentence; none where there is nothing to say.
    pub line: Option<String>,
}

/// A file of `rendered/` that is not as it is to be.
#[derive(Debug)]
pub struct ChangedFile {
    /// Path relative to the root.
    pub path: String,
    /// What is the matter with it.
    pub kind: ChangeKind,
    /// Where in `tenants/` it comes from: `tenants/acme.yaml:3:9`.
    pub cause: Option<String>,
    /// Unified diff of a changed file, bounded.
    pub diff: Option<String>,
}

/// The forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people, with excerpts.
    Text,
    /// For programs; has a version.
    Json,
    /// Annotations of GitHub Actions.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// For comments on pull requests.
    Markdown,
    /// Code Quality of GitLab; of reviews alone.
    Gitlab,
    /// A page; of reviews alone.
    Html,
    /// For people, in two columns; of reviews alone.
    SideBySide,
    /// For people in a hurry; of reviews alone.
    Summary,
}

impl Format {
    /// All of them, by the name that `--output` takes.
    pub const ALL: [(&str, Format); 9] = [
        ("text", Format::Text),
        ("json", Format::Json),
        ("github", Format::Github),
        ("sarif", Format::Sarif),
        ("markdown", Format::Markdown),
        ("gitlab", Format::Gitlab),
        ("html", Format::Html),
        ("side-by-side", Format::SideBySide),
        ("summary", Format::Summary),
    ];

    /// Whether every command has this form, and not `mtp diff` alone.
    pub fn is_general(self) -> bool {
        !matches!(self, Format::Gitlab | Format::Html | Format::SideBySide | Format::Summary)
    }
}

impl Report {
    /// How many errors, how many warnings.
    pub fn counts(&self) -> (usize, usize) {
        let errors = self.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
        (errors, self.diagnostics.len() - errors)
    }

    /// The first line of every form: what it is, and how many.
    pub fn verdict(&self) -> String {
        let (errors, warnings) = self.counts();
        let files = self.diagnostics.iter().map(|d| &d.at.path).collect::<std::collections::BTreeSet<_>>().len();
        let problems = match (errors, warnings) {
            (0, 0) => None,
            (0, w) => Some(count(w, "warning")),
            (e, 0) => Some(count(e, "error")),
            (e, w) => Some(format!("{} and {}", count(e, "error"), count(w, "warning"))),
        };
        let problems = problems.map(|p| format!("{p} in {}", count(files, "file")));
        match (problems, self.changes.is_empty()) {
            (None, true) => "no problems".to_owned(),
            (Some(problems), true) => problems,
            (None, false) => self.stale(),
            (Some(problems), false) => format!("{problems}; {}", self.stale()),
        }
    }

    /// How many files are stale, by kind.
    fn stale(&self) -> String {
        let kinds = [
            ChangeKind::Changed,
            ChangeKind::Missing,
            ChangeKind::Orphaned,
            ChangeKind::Conflicted,
            ChangeKind::Leftover,
            ChangeKind::Foreign,
        ];
        let counted = kinds.iter().filter_map(|kind| {
            let n = self.changes.iter().filter(|c| c.kind == *kind).count();
            (n > 0).then(|| format!("{n} {}", kind.as_str()))
        });
        let list: Vec<String> = counted.collect();
        format!("rendered/ is stale: {}, {} up to date", list.join(", "), self.same)
    }

    /// The report in a form; `colour` is for people at a terminal.
    pub fn write(&self, format: Format, inputs: &Inputs, colour: bool) -> String {
        match format {
            // What `mtp diff` alone has is refused before: see `Shell::report`.
            Format::Text | Format::Gitlab | Format::Html | Format::SideBySide | Format::Summary => {
                text::write(self, inputs, colour)
            }
            Format::Json => json::write(self),
            Format::Github => github::write(self),
            Format::Sarif => sarif::write(self),
            Format::Markdown => markdown::write(self),
        }
    }
}

/// The lines in which two texts differ, with some around them and without a head; `cut` stands for those beyond `most`.
pub fn unified(before: &str, after: &str, around: usize, most: usize, cut: &str) -> String {
    let diff = similar::TextDiff::from_lines(before, after);
    let text = diff.unified_diff().context_radius(around).missing_newline_hint(false).to_string();
    let mut lines: Vec<&str> = text.lines().take(most + 1).collect();
    if let Some(last) = lines.get_mut(most) {
        *last = cut;
    }
    lines.join("\n") + "\n"
}

/// `1 error`, `2 errors`.
pub fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// An error with what led to it, each said once: many a library's error says its own cause as well.
pub fn causes(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(|cause| cause.to_string()) {
        if told.is_empty() {
            told = cause;
        } else if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

/// Text that cannot steer a terminal or deceive a reader: what nobody sees is spelt out.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || crate::emit::is_visible(c.encode_utf8(&mut [0; 4])) {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    out
}

/// The same on one line: whoever typed it does not begin another one.
pub fn line(text: &str) -> String {
    visible(text).replace('\n', "\\n")
}

/// JSON for programs that nobody can be deceived by either: what nobody sees is escaped as JSON escapes it, so that a
/// reader of it gets the author's own text.
pub fn visible_json(value: &serde_json::Value) -> String {
    let text = format!("{value:#}\n");
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // Such characters stand in strings alone.
        if c == '\n' || crate::emit::is_visible(c.encode_utf8(&mut [0; 4])) {
            out.push(c);
        } else {
            out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::causes;

    #[test]
    fn what_an_error_says_of_its_cause_is_not_said_again() {
        let error = anyhow!("no such file").context("cannot read `a`: no such file").context("cannot connect");
        assert_eq!(causes(&error), "cannot connect: cannot read `a`: no such file");
        assert_eq!(causes(&anyhow!("alone")), "alone");
    }
}
