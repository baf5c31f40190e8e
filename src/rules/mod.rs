//! The input rules: what an author may not write, why, and how to put it right.

/// One rule. Its id stands in every report and never changes its meaning; `mtp explain ID` prints the rest.
pub struct Rule {
    /// `T` and three digits.
    pub id: &'static str,
    /// What is refused, in a few words: `duplicate key`.
    pub title: &'static str,
    /// What would happen otherwise; one or more sentences.
    pub why: &'static str,
    /// How to put it right; one or more sentences.
    pub fix: &'static str,
}

/// All rules, by id.
pub const RULES: &[Rule] = &[Rule {
    id: "T001",
    title: "the file is no YAML",
    why: "A file that one YAML reader refuses and another guesses at has no certain meaning.",
    fix: "Correct the place that the message names; `mtp validate` shows the line.",
}];
