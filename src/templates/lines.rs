//! From a line of what a template made back to the line of the template.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;

use crate::parse::Document;
use crate::place::{Place, Span};

/// A line of a template; 0 is the file as a whole.
pub fn place(template: &Document<Arc<str>>, line: u32) -> Place {
    at(template, &lines(&template.content), line)
}

fn at(template: &Document<Arc<str>>, lines: &[(usize, &str)], line: u32) -> Place {
    let Some((start, text)) = (line as usize).checked_sub(1).and_then(|index| lines.get(index)) else {
        return Place::file(Arc::clone(&template.file));
    };
    // Without its end: of a blank line, that would be part of the indentation, and the place in the next line.
    let text = text.trim_end_matches(['\n', '\r']);
    let indent = text.len() - text.trim_start().len();
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (from, to) = (start + indent, start + text.trim_end().len());
    let column = text[..indent].chars().count() + 1;
    template.at(Span { line, column: number(column), start: number(from), end: number(to.max(from)) })
}

/// Each line and where it begins.
fn lines(text: &str) -> Vec<(usize, &str)> {
    let begins = |at: &mut usize, line: &'_ str| {
        let start = *at;
        *at += line.len();
        Some(start)
    };
    text.split_inclusive('\n').scan(0, begins).zip(text.split_inclusive('\n')).collect()
}

/// Begins and ends the number of a line in the marked copy. Nobody types these: they are private to us.
const MARKS: [char; 2] = ['\u{f8f0}', '\u{f8f1}'];

/// The lines of what a template made, and of the template; put side by side only where there is something to report, and
/// then once for all that is reported.
pub struct Lines<'s> {
    template: &'s Document<Arc<str>>,
    values: &'s Value,
    text: &'s str,
    known: OnceCell<Known<'s>>,
}

struct Known<'s> {
    own: Vec<(usize, &'s str)>,
    made: Vec<&'s str>,
    /// Lines of a copy that was made from a numbered template: where each stands in the copy, and the number before it.
    origins: BTreeMap<String, Vec<(u32, u32)>>,
}

impl<'s> Lines<'s> {
    /// What `template` made of `values`.
    pub fn new(template: &'s Document<Arc<str>>, values: &'s Value, text: &'s str) -> Self {
        Lines { template, values, text, known: OnceCell::new() }
    }

    /// The line of the template that made line `line`, as well as can be told: the template is rendered again with its
    /// lines numbered, and of the lines that read the same the nearest one is taken.
    pub fn origin(&self, line: u32) -> Place {
        let known = self.known.get_or_init(|| self.look());
        let same = |line| at(self.template, &known.own, line);
        let Some(wanted) = (line as usize).checked_sub(1).and_then(|index| known.made.get(index)) else {
            return same(0);
        };
        let Some(alike) = known.origins.get(wanted.trim()) else { return same(0) };
        let behind = alike.partition_point(|(at, _)| *at < line);
        let around = alike[behind.saturating_sub(1)..].iter().take(2);
        same(around.min_by_key(|(at, _)| line.abs_diff(*at)).map_or(0, |(_, line)| *line))
    }

    fn look(&self) -> Known<'s> {
        let source = &*self.template.content;
        let mut origins: BTreeMap<String, Vec<(u32, u32)>> = BTreeMap::new();
        let numbered = super::bare().render_str(&numbered(source), self.values).unwrap_or_default();
        let mut current = 0;
        for (at, text) in (1u32..).zip(numbered.lines()) {
            let mut parts = text.split(MARKS[0]);
            let mut plain = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                let (number, rest) = part.split_once(MARKS[1]).unwrap_or(("", part));
                current = number.parse().unwrap_or(current);
                plain.push_str(rest);
            }
            origins.entry(plain.trim().to_owned()).or_default().push((at, current));
        }
        Known { own: lines(source), made: self.text.lines().collect(), origins }
    }
}

/// The template with a number before each line that does not begin inside of a tag.
fn numbered(source: &str) -> String {
    let mut out = String::with_capacity(source.len() * 2);
    let mut open: Option<&str> = None;
    for (index, line) in source.split_inclusive('\n').enumerate() {
        if open.is_none() {
            out.push(MARKS[0]);
            out.push_str(&(index + 1).to_string());
            out.push(MARKS[1]);
        }
        out.push_str(line);
        let mut rest = line;
        loop {
            if let Some(close) = open {
                let Some(at) = rest.find(close) else { break };
                rest = &rest[at + 2..];
                open = None;
            } else {
                let begins = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];
                let first = begins.iter().filter_map(|(b, e)| Some((rest.find(b)?, *e))).min();
                let Some((at, close)) = first else { break };
                rest = &rest[at + 2..];
                open = Some(close);
            }
        }
    }
    out
}
