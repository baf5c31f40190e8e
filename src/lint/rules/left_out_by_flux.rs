//! L105: a manifest is left out by Flux.

use std::sync::Arc;

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::Tree;
use crate::lint::found::Found;
use crate::lint::layout::Role;
use crate::place::Place;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L105",
    severity: Severity::Error,
    title: "a manifest is left out by Flux",
    why: "Flux reads `.yaml` and `.yml` alone: what stands in a `.json` or `.jsonnet` file below the path of a \
          Kustomization is never applied, and nobody is told.",
    fix: "Write it as YAML, or list it in a kustomization.yaml.",
    source: "scanManifests in kustomize/kustomize_generator.go of fluxcd/pkg",
    consumers: &[Consumer::Flux],
    example: "apps/service.json, and a Kustomization with path: ./apps",
    in_units: true,
    check: Check::Tree(check),
};

fn check(tree: &Tree, found: &mut Found) {
    for path in tree.layout.files.iter().filter(|path| path.ends_with(".json") || path.ends_with(".jsonnet")) {
        let plain = tree.layout.role(path) == Role::Manifest && tree.layout.kustomization(path).is_none();
        if plain && let Some(reader) = tree.readers(path).find(|reader| !reader.argo) {
            let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
            let message = format!("Flux leaves out what ends in `.{ending}`");
            found
                .add(&RULE, Place::file(Arc::clone(path)), message)
                .related(reader.at.clone(), "which reads this folder");
        }
    }
}
