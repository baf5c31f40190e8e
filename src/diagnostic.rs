//! `Diagnostic`: a problem in what an author wrote. Collected, never thrown: one run reports them all.

use crate::place::Place;

/// How bad it is. Ordered: an error weighs more than a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; rendering goes on and the exit code stays 0.
    Warning,
    /// Nothing is rendered.
    Error,
}

/// One problem, in the author's words. The message is a fact (lower case, no full stop) that names what was found and
/// what was expected; the hint is the fix, where there is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Where the author finds it.
    pub at: Place,
    /// Id of a row of [`crate::rules::RULES`].
    pub rule: &'static str,
    /// Whether it stops the run.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Other places that belong to it, each with a word on why.
    pub related: Vec<(Place, String)>,
    /// Whether what stands there is shown to nobody: it may hold a password.
    pub hidden: bool,
    /// Who says so of which object, where a cluster is asked in thought; boxed, since few problems are of that kind.
    pub said: Option<Box<Said>>,
}

/// Who refuses or warns of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// The layer of the cluster, by its id: `pod-security`.
    pub layer: &'static str,
    /// The object: `Deployment shop/web`.
    pub object: String,
    /// Whether whoever asks hears of this layer, because none before it refuses.
    pub first: bool,
    /// The same as a sentence: `Pod Security refuses the pods of Deployment shop/web`.
    pub note: String,
}

impl Diagnostic {
    /// Adds the fix.
    pub fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(shortened(hint.into(), MOST_CHARACTERS));
        self
    }

    /// Keeps what stands there out of reports, which go further than the file that somebody wrote it to.
    pub fn hidden(&mut self) -> &mut Self {
        self.hidden = true;
        self
    }

    /// [`Diagnostic::hidden`], where that is so.
    pub fn hidden_if(&mut self, hidden: bool) -> &mut Self {
        self.hidden |= hidden;
        self
    }

    /// Adds another place that belongs to the problem, such as the first of two that collide.
    pub fn related(&mut self, at: Place, why: impl Into<String>) -> &mut Self {
        self.related.push((at, why.into()));
        self
    }
}

/// What a stage has found so far.
#[derive(Debug, Default)]
pub struct Findings {
    all: Vec<Diagnostic>,
    errors: usize,
}

impl Findings {
    /// Records an error and returns it, so that a hint can be added.
    pub fn error(&mut self, rule: &'static str, at: Place, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Severity::Error, rule, at, message.into())
    }

    /// Records a warning and returns it, so that a hint can be added.
    pub fn warning(&mut self, rule: &'static str, at: Place, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Severity::Warning, rule, at, message.into())
    }

    /// Whether an error is among them.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many errors there are.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// Takes over what was found elsewhere.
    pub fn merge(&mut self, mut more: Findings) {
        self.errors += more.errors;
        self.all.append(&mut more.all);
    }

    /// Takes over what another stage has found.
    pub fn extend(&mut self, more: impl IntoIterator<Item = Diagnostic>) {
        for diagnostic in more {
            self.errors += usize::from(diagnostic.severity == Severity::Error);
            self.all.push(diagnostic);
        }
    }

    /// All of them, in the order of files and lines, each once.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.all.sort();
        self.all.dedup();
        self.all
    }

    /// All of them, in the order in which they were found.
    pub fn into_found(self) -> Vec<Diagnostic> {
        self.all
    }

    fn push(&mut self, severity: Severity, rule: &'static str, at: Place, message: String) -> &mut Diagnostic {
        let message = shortened(message, MOST_CHARACTERS);
        self.errors += usize::from(severity == Severity::Error);
        self.all.push(Diagnostic {
            at,
            rule,
            severity,
            message,
            hint: None,
            related: Vec::new(),
            hidden: false,
            said: None,
        });
        let last = self.all.len() - 1;
        &mut self.all[last]
    }
}

/// Whether an error is among `diagnostics`.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.severity == Severity::Error)
}

/// The longest message, in characters: what authors typed is repeated in it, and may be a megabyte.
const MOST_CHARACTERS: usize = 500;

/// A text of at most so many characters, with `…` for what was cut off.
pub fn shortened(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
