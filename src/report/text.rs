//! The report for people: problems with the line that they are in, then what is stale.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Level, Origin, Renderer, Snippet, renderer::DecorStyle};

use super::{ChangedFile, Report, count, line, visible};
use crate::diagnostic::{Diagnostic, Severity};
use crate::inputs::Inputs;
use crate::names::passwords;
use crate::place::{Place, Span};

/// How many problems are printed with their excerpts; of the rest there is a count.
const MOST_PROBLEMS: usize = 50;

/// How many stale files are listed.
const MOST_FILES: usize = 50;

/// How many objects are listed with what becomes of them.
const MOST_OBJECTS: usize = 50;

/// How many lines of diff are printed in all.
const MOST_LINES: usize = 200;

/// The longest line that an excerpt shows, in characters.
const MOST_COLUMNS: usize = 200;

/// The whole report; empty where there is nothing to say.
pub fn write(report: &Report, inputs: &Inputs, colour: bool) -> String {
    let mut out = String::new();
    // Errors first: they are what stops the run.
    let mut ordered: Vec<&Diagnostic> = report.diagnostics.iter().collect();
    ordered.sort_by_key(|d| std::cmp::Reverse(d.severity));
    for diagnostic in ordered.iter().take(MOST_PROBLEMS) {
        if report.brief {
            let (at, rule) = (line(&diagnostic.at.to_string()), diagnostic.rule);
            out.push_str(&format!("{at}: {}: {rule}\n", line(&diagnostic.message)));
            continue;
        }
        out.push_str(&problem(diagnostic, inputs, colour));
        out.push_str("\n\n");
    }
    if ordered.len() > MOST_PROBLEMS {
        let more = ordered.len() - MOST_PROBLEMS;
        out.push_str(&format!("… and {}; `--output json` has them all\n\n", count(more, "more problem")));
    }
    changes(&report.changes, &mut out);
    for object in report.objects.iter().filter_map(|object| object.line.as_ref()).take(MOST_OBJECTS) {
        out.push_str(&format!("{}\n", line(object)));
    }
    let nothing = report.diagnostics.is_empty() && report.changes.is_empty();
    if !nothing {
        out.push_str(&report.verdict());
        out.push('\n');
        if let Some(remedy) = &report.remedy {
            out.push_str(&format!("{remedy}\n"));
        }
    }
    for note in &report.notes {
        out.push_str(&format!("{}\n", line(note)));
    }
    out
}

fn changes(changes: &[ChangedFile], out: &mut String) {
    let mut lines = 0;
    for change in changes.iter().take(MOST_FILES) {
        let cause = change.cause.as_ref().map(|c| format!("  (from {c})")).unwrap_or_default();
        out.push_str(&format!("{:<10} {}{cause}\n", change.kind.as_str(), line(&change.path)));
        for line in change.diff.iter().flat_map(|diff| diff.lines()) {
            if lines < MOST_LINES {
                out.push_str(&format!("    {}\n", visible(line)));
            } else if lines == MOST_LINES {
                out.push_str("    …\n");
            }
            lines += 1;
        }
    }
    if changes.len() > MOST_FILES {
        out.push_str(&format!("… and {}; `--list` has them all\n", count(changes.len() - MOST_FILES, "more file")));
    }
    if !changes.is_empty() {
        out.push('\n');
    }
}

fn problem(diagnostic: &Diagnostic, inputs: &Inputs, colour: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = line(&diagnostic.message);
    let title = level.primary_title(message.as_str()).id(diagnostic.rule);
    let main = excerpt(&diagnostic.at, inputs, diagnostic.hidden);
    let others: Vec<_> = diagnostic.related.iter().map(|(at, why)| (excerpt(at, inputs, false), line(why))).collect();
    let hint = diagnostic.hint.as_deref().map(visible);
    let note = diagnostic.said.as_ref().map(|said| line(&said.note));

    let kind = AnnotationKind::Primary;
    let mut group = match main.snippet(kind, None) {
        Some(snippet) => title.element(snippet),
        None => title.element(main.origin()),
    };
    for (other, why) in &others {
        group = match other.snippet(AnnotationKind::Context, Some(why)) {
            Some(snippet) => group.element(snippet),
            None => group.element(other.origin()).element(Level::NOTE.message(why.as_str())),
        };
    }
    if let Some(note) = &note {
        group = group.element(Level::NOTE.message(note.as_str()));
    }
    if let Some(hint) = &hint {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.decor_style(DecorStyle::Ascii).render(&[group])
}

/// The line of a place, made fit to be seen.
struct Excerpt {
    path: String,
    span: Span,
    line: String,
    from: usize,
    to: usize,
}

fn excerpt(at: &Place, inputs: &Inputs, hide: bool) -> Excerpt {
    let mut excerpt = Excerpt { path: line(&at.path), span: at.span, line: String::new(), from: 0, to: 0 };
    let Some(text) = inputs.text(&at.path).filter(|_| at.span.line > 0) else { return excerpt };
    let start = floor(text, at.span.start as usize);
    let begin = text[..start].rfind('\n').map_or(0, |i| i + 1);
    let end = text[start..].find('\n').map_or(text.len(), |i| start + i);
    let stop = floor(text, at.span.end as usize).clamp(start, end);
    // A long line is cut to what surrounds the place.
    let before = text[begin..start].chars().count();
    let skip = before.saturating_sub(MOST_COLUMNS / 2);
    let passwords = passwords(&text[begin..end]).into_iter().map(|range| begin + range.start..begin + range.end);
    let hidden: Vec<Range<usize>> = passwords.chain(hide.then_some(start..stop)).collect();
    for (offset, c) in text[begin..end].char_indices().skip(skip).take(MOST_COLUMNS) {
        let offset = begin + offset;
        if offset == start {
            excerpt.from = excerpt.line.len();
        }
        match c {
            _ if hidden.iter().any(|range| range.contains(&offset)) => excerpt.line.push('*'),
            '\t' => excerpt.line.push(' '),
            '\r' => {}
            c if crate::emit::is_visible(c.encode_utf8(&mut [0; 4])) => excerpt.line.push(c),
            _ => excerpt.line.push('\u{fffd}'),
        }
        if offset < stop {
            excerpt.to = excerpt.line.len();
        }
    }
    if start == end {
        excerpt.from = excerpt.line.len();
    }
    excerpt.to = excerpt.to.max(excerpt.from);
    excerpt
}

/// The nearest place before `offset` where a character begins.
fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

impl Excerpt {
    fn snippet<'a>(&'a self, kind: AnnotationKind, label: Option<&'a String>) -> Option<Snippet<'a, Annotation<'a>>> {
        if self.span.line == 0 || self.line.trim().is_empty() {
            return None;
        }
        let mut annotation = kind.span(self.from..self.to);
        if let Some(label) = label {
            annotation = annotation.label(label.as_str());
        }
        let snippet = Snippet::source(self.line.as_str()).path(self.path.as_str());
        Some(snippet.line_start(self.span.line as usize).annotation(annotation))
    }

    fn origin(&self) -> Origin<'_> {
        let origin = Origin::path(self.path.as_str());
        if self.span.line == 0 {
            return origin;
        }
        origin.line(self.span.line as usize).char_column(self.span.column as usize)
    }
}
