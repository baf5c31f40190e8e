//! The shelf of lint rules: what Argo CD, Flux or kubectl do wrong or in silence with a file (`L1…`), and mistakes that
//! platforms of many tenants make (`L2…`); one file a rule.
//!
//! A row is a rule; `mtp explain ID` prints it, and each has a case under `tests/lint/`. The rows that concern Argo CD are, taken
//! together, what it reads of a directory.

mod all_namespaces;
mod annotations_too_large;
mod blocks_itself;
mod bound_to_everybody;
mod cluster_admin_bound;
mod empty_grant;
mod encoding;
mod ephemeral_forgotten;
mod everything_granted;
mod except_outside;
mod generated_name;
mod hidden;
mod json_several;
mod key_twice;
mod left_out_by_flux;
mod limit_range;
mod link_leaves;
mod list_of_objects;
mod listed_and_missing;
mod metadata_reachable;
mod name_ignored;
mod never_in_namespace;
mod no_dns;
mod no_namespace;
mod no_object;
mod no_plural;
mod no_text;
mod not_listed;
mod not_recursed;
mod nothing_in_it;
mod object_twice;
mod one_family;
mod open_to_all;
mod opt_out;
mod order;
mod placeholder_ca;
mod pod_security_missing;
mod pod_security_misspelt;
mod quantity;
mod quota_twice;
mod removed_version;
mod secret_in_plain_text;
mod selects_by_name;
mod selects_nothing;
mod side_effects;
mod skip_marker;
mod slow_webhook;
mod too_large;
mod too_large_to_remember;
mod too_much_together;
mod tool_file;
mod type_missing;
mod unknown_quota;
mod unknown_resource;
mod unknown_subresource;
mod unknown_verb;
mod unreadable;
mod variable;

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
pub const RULES: &[&Rule] = &[
    &skip_marker::RULE,
    &unreadable::RULE,
    &no_object::RULE,
    &json_several::RULE,
    &left_out_by_flux::RULE,
    &encoding::RULE,
    &nothing_in_it::RULE,
    &key_twice::RULE,
    &no_text::RULE,
    &list_of_objects::RULE,
    &generated_name::RULE,
    &removed_version::RULE,
    &too_large::RULE,
    &annotations_too_large::RULE,
    &too_large_to_remember::RULE,
    &too_much_together::RULE,
    &order::RULE,
    &object_twice::RULE,
    &no_namespace::RULE,
    &secret_in_plain_text::RULE,
    &link_leaves::RULE,
    &hidden::RULE,
    &variable::RULE,
    &tool_file::RULE,
    &listed_and_missing::RULE,
    &not_listed::RULE,
    &not_recursed::RULE,
    &selects_nothing::RULE,
    &selects_by_name::RULE,
    &all_namespaces::RULE,
    &open_to_all::RULE,
    &metadata_reachable::RULE,
    &one_family::RULE,
    &except_outside::RULE,
    &type_missing::RULE,
    &no_dns::RULE,
    &unknown_resource::RULE,
    &no_plural::RULE,
    &unknown_subresource::RULE,
    &unknown_verb::RULE,
    &empty_grant::RULE,
    &name_ignored::RULE,
    &everything_granted::RULE,
    &never_in_namespace::RULE,
    &cluster_admin_bound::RULE,
    &bound_to_everybody::RULE,
    &opt_out::RULE,
    &blocks_itself::RULE,
    &placeholder_ca::RULE,
    &slow_webhook::RULE,
    &side_effects::RULE,
    &ephemeral_forgotten::RULE,
    &unknown_quota::RULE,
    &quota_twice::RULE,
    &quantity::RULE,
    &limit_range::RULE,
    &pod_security_missing::RULE,
    &pod_security_misspelt::RULE,
];

/// The rule of that id.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id.eq_ignore_ascii_case(id))
}
