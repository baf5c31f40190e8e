//! The shelf of lint rules: what Argo CD, Flux or kubectl do wrong or in silence with a file (`L1…`), and mistakes that
//! platforms of many tenants make (`L2…`); one file a rule.
//!
//! A row is a rule; `mtp explain ID` prints it, and each has a case under `tests/lint/`. The rows that concern Argo CD are, taken
//! together, what it reads of a directory.

mod skip_marker;

use std::sync::Arc;

use super::Tree;
use super::file::{File, Object};
use super::found::Found;
use crate::diagnostic::Severity;
use crate::inputs::Input;

/// One rule. Its id stands in every report and never changes its meaning.
#[derive(Debug)]
pub struct Rule {
    /// `L` and three digits.
    pub id: &'static str,
    /// How bad it is; single findings may be less bad where they are a guess.
    pub severity: Severity,
    /// What it finds, in a few words.
    pub title: &'static str,
    /// What happens otherwise; one or more sentences.
    pub why: &'static str,
    /// How to put it right; one or more sentences.
    pub fix: &'static str,
    /// Where that is known from: an address, or a file of the consumer's source.
    pub source: &'static str,
    /// Whom it concerns.
    pub consumers: &'static [Consumer],
    /// What it finds, as it would be written.
    pub example: &'static str,
    /// Whether it matters only where somebody reads the folder as manifests.
    pub in_units: bool,
    /// What finds it.
    pub check: Check,
}

/// Who reads manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consumer {
    /// Argo CD, source of type directory.
    Argo,
    /// Flux, by its kustomize-controller, and `kubectl kustomize`.
    Flux,
    /// `kubectl apply`.
    Kubectl,
    /// The API server, or what runs in the cluster: whoever applies it.
    Cluster,
}

impl Consumer {
    /// How people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Consumer::Argo => "Argo CD",
            Consumer::Flux => "Flux",
            Consumer::Kubectl => "kubectl",
            Consumer::Cluster => "the cluster",
        }
    }
}

/// What finds the breach of a rule.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// A look at a file that may not be readable.
    Input(fn(&Arc<str>, &Input, &mut Found)),
    /// A look at a file.
    File(fn(&File<'_>, &mut Found)),
    /// A look at each object.
    Object(fn(&Object<'_>, &mut Found)),
    /// A look at what is kept of all files.
    Tree(fn(&Tree, &mut Found)),
}

/// All rules, by id.
pub const RULES: &[&Rule] = &[&skip_marker::RULE];

/// The rule of that id.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id.eq_ignore_ascii_case(id))
}
