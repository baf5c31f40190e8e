//! What the rules have found: problems with their places, and the edits that put some of them right.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::rules::Rule;
use crate::diagnostic::{Diagnostic, Findings, Severity};
use crate::place::{Place, Span};

/// Bytes of a file that are to be others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// The file.
    pub path: Arc<str>,
    /// What is replaced.
    pub span: Span,
    /// What is to stand there.
    pub text: String,
    /// The rule that asks for it.
    pub rule: &'static str,
}

/// What the rules have found so far.
#[derive(Debug, Default)]
pub struct Found {
    findings: Findings,
    edits: Vec<Edit>,
}

impl Found {
    /// Records a problem as bad as its rule says, with the rule's fix as the hint.
    pub fn add(&mut self, rule: &Rule, at: Place, message: impl Into<String>) -> &mut Diagnostic {
        let added = match rule.severity {
            Severity::Error => self.findings.error(rule.id, at, message),
            Severity::Warning => self.findings.warning(rule.id, at, message),
        };
        added.hint(rule.fix)
    }

    /// Records a problem of a rule that is certain elsewhere, and here a guess.
    pub fn warn(&mut self, rule: &Rule, at: Place, message: impl Into<String>) -> &mut Diagnostic {
        self.findings.warning(rule.id, at, message).hint(rule.fix)
    }

    /// Records how the last problem is put right without asking anybody.
    pub fn edit(&mut self, rule: &Rule, path: &Arc<str>, span: Span, text: impl Into<String>) {
        self.edits.push(Edit { path: Arc::clone(path), span, text: text.into(), rule: rule.id });
    }

    /// Forgets how things could be put right.
    pub fn drop_edits(&mut self) {
        self.edits.clear();
    }

    /// Keeps the edits of what stands in the text of their file as one word on one line. A block scalar ends in a line break, a tag
    /// says what the text is, and what an alias stands for is others' too: none of them is replaced for certain.
    pub fn keep_certain(&mut self, text: &str) {
        let word = |edit: &Edit| text.get(edit.span.start as usize..edit.span.end as usize);
        let certain =
            |word: &str| !word.contains(['\n', '\r']) && !word.starts_with(['|', '>', '!', '&', '*', '{', '[']);
        let tagged = |edit: &Edit| {
            let line = text[..edit.span.start as usize].rsplit('\n').next().unwrap_or_default();
            line.trim_end().rsplit([' ', '[', ',', '{']).next().is_some_and(|before| before.starts_with(['!', '&']))
        };
        self.edits.retain(|edit| word(edit).is_some_and(certain) && !tagged(edit));
    }

    /// Takes over what was found elsewhere.
    pub fn merge(&mut self, mut more: Found) {
        self.findings.merge(more.findings);
        self.edits.append(&mut more.edits);
    }

    /// All of it, without the rules that are ignored and what `keep` does not want.
    pub fn into_parts(
        self,
        ignored: &BTreeSet<String>,
        keep: impl Fn(&Diagnostic) -> bool,
    ) -> (Vec<Diagnostic>, Vec<Edit>) {
        let mut diagnostics = self.findings.into_sorted();
        diagnostics.retain(|d| !ignored.contains(d.rule) && keep(d));
        let mut edits = self.edits;
        // What has no place, or nothing in it, is nothing that could be replaced.
        edits.retain(|edit| !ignored.contains(edit.rule) && edit.span.start < edit.span.end);
        edits.sort();
        edits.dedup();
        (diagnostics, edits)
    }
}

/// The text of a file with the edits made. Of two that overlap, the first is made: the second stands in the next run.
pub fn edited(text: &str, edits: &[Edit]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for edit in edits {
        let (start, end) = (edit.span.start as usize, edit.span.end as usize);
        let Some(between) = text.get(done..start).filter(|_| text.is_char_boundary(end) && start <= end) else {
            continue;
        };
        out.push_str(between);
        // In JSON a word without quotes is none; what its author quoted stays quoted.
        let quote = text[start..].chars().next().filter(|c| matches!(c, '"' | '\'') && end > start + 1);
        let bare = !edit.text.is_empty() && !edit.text.starts_with(['"', '\'']);
        match quote.filter(|_| bare) {
            Some(quote) => out.extend([quote.to_string().as_str(), &edit.text, quote.to_string().as_str()]),
            None => out.push_str(&edit.text),
        }
        done = end;
    }
    out.push_str(&text[done..]);
    out
}
