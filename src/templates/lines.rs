//! From a line of what a template made back to the line of the template.

use std::sync::Arc;

use minijinja::Value;

use crate::parse::Document;
use crate::place::{Place, Span};

/// A line of a template; 0 is the file as a whole.
pub fn place(template: &Document<Arc<str>>, line: u32) -> Place {
    let starts = template.content.split_inclusive('\n').scan(0usize, |at, text| {
        let start = *at;
        *at += text.len();
        Some((start, text))
    });
    let Some((start, text)) = starts.into_iter().nth((line as usize).saturating_sub(1)).filter(|_| line > 0) else {
        return Place::file(Arc::clone(&template.file));
    };
    let indent = text.len() - text.trim_start().len();
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (from, to) = (start + indent, start + text.trim_end().len());
    template.at(Span { line, column: number(indent + 1), start: number(from), end: number(to.max(from)) })
}

/// Begins and ends the number of a line in the marked copy. Nobody types these: they are private to us.
const MARKS: [char; 2] = ['\u{f8f0}', '\u{f8f1}'];

/// The line of the template that made line `line` of `text`, as well as can be told: the template is rendered again with
/// its lines numbered, and the line that reads the same is looked up. Only done for messages.
pub fn origin(template: &Document<Arc<str>>, values: &Value, text: &str, line: u32) -> Place {
    let source = &*template.content;
    let same = |wanted: u32| place(template, wanted);
    let Some(wanted) = text.lines().nth((line as usize).saturating_sub(1)) else { return same(line) };
    let marked = numbered(source);
    let Ok(made) = super::bare().render_str(&marked, values) else { return same(0) };
    let mut current = 0;
    let mut best: Option<(u32, u32)> = None;
    for (index, text) in made.lines().enumerate() {
        let mut plain = String::new();
        let mut parts = text.split(MARKS[0]);
        plain.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let (number, rest) = part.split_once(MARKS[1]).unwrap_or(("", part));
            current = number.parse().unwrap_or(current);
            plain.push_str(rest);
        }
        let distance = line.abs_diff(u32::try_from(index + 1).unwrap_or(u32::MAX));
        if plain.trim() == wanted.trim() && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, current));
        }
    }
    same(best.map_or(0, |(_, line)| line))
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
