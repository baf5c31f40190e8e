//! L123: text that Flux replaces.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::Tree;
use crate::lint::found::Found;
use crate::lint::readers::Substitutes;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L123",
    severity: Severity::Error,
    title: "text that Flux replaces",
    why: "A Kustomization with `postBuild` replaces `${…}` in every value, scripts in ConfigMaps too; a variable that \
          is not set fails the whole folder since Flux 2.9, and becomes nothing before.",
    fix: "Write `$${…}`, annotate the object with `kustomize.toolkit.fluxcd.io/substitute: disabled`, or set the \
          variable in `postBuild.substitute`.",
    source: "docs/spec/v1/kustomizations.md of fluxcd/kustomize-controller, \"Post build variable substitution\"",
    consumers: &[Consumer::Flux],
    example: "data:\n  run.sh: echo ${HOME}",
    in_units: true,
    check: Check::Tree(check),
};

fn check(tree: &Tree, found: &mut Found) {
    for object in &tree.facts.objects {
        let Some((variables, at)) = &object.variables else { continue };
        let mut readers = tree.readers(&object.at.path).filter(|reader| reader.substitutes.is_some()).peekable();
        if readers.peek().is_none() {
            // Nobody here replaces it; who does may stand in another repository.
            if !tree.readers(&object.at.path).any(|reader| reader.argo) {
                let message =
                    format!("`${{{}}}` is replaced where a Kustomization of Flux has `postBuild`", variables[0]);
                found.warn(&RULE, at.clone(), message);
            }
            continue;
        }
        for reader in readers {
            let Some(Substitutes { known, more }) = &reader.substitutes else { continue };
            if let Some(unset) = variables.iter().find(|variable| !more && !known.contains(*variable)) {
                let message = format!("`${{{unset}}}` is replaced by Flux, and nothing sets it");
                found.add(&RULE, at.clone(), message).related(reader.at.clone(), "whose `postBuild` replaces");
            }
        }
    }
}
