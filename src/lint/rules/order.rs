//! L117: an object before what it needs.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::Tree;
use crate::lint::found::Found;
use crate::lint::layout::By;
use crate::place::Place;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L117",
    severity: Severity::Warning,
    title: "an object before what it needs",
    why: "kubectl applies files in the order of their names and documents in the order of the file: an object in a \
          Namespace, or of a custom kind, that comes later is refused at the first apply. Argo CD and Flux sort them.",
    fix: "Name the file so that it comes first, or apply twice.",
    source: "<https://kubernetes.io/docs/concepts/workloads/management/>; ssa/sort.go of fluxcd/pkg",
    consumers: &[Consumer::Kubectl],
    example: "a-role.yaml in a Namespace that b-namespace.yaml makes",
    in_units: true,
    check: Check::Tree(check),
};

fn check(tree: &Tree, found: &mut Found) {
    // Whoever deploys with Argo CD or Flux, or by our layout, has them sorted.
    let objects = tree.facts.objects.iter().map(|object| (&object.at.path, object));
    for (_, objects) in tree.units(objects).into_iter().filter(|(unit, _)| unit.by == By::Guess) {
        let namespaces = objects.iter().filter(|o| o.kind.as_ref() == "Namespace" && o.group.is_empty());
        let namespaces: BTreeMap<&str, &Place> = namespaces.map(|o| (o.name.as_ref(), &o.at)).collect();
        let customs = tree.facts.customs.iter().map(|c| ((c.group.as_str(), c.kind.as_str()), &c.at));
        let customs: BTreeMap<(&str, &str), &Place> = customs.collect();
        // One finding for each Namespace or kind that comes too late.
        let mut told = BTreeSet::new();
        for object in objects {
            let namespace = namespaces.get(object.namespace.as_ref()).map(|at| ("the Namespace", *at));
            let custom = customs.get(&(object.group.as_ref(), object.kind.as_ref()));
            let needs = namespace.into_iter().chain(custom.map(|at| ("the CustomResourceDefinition", *at)));
            for (what, at) in needs.filter(|(_, at)| **at > object.at) {
                if told.insert(at) {
                    let message = format!("{} {} stands before {what} that it needs", object.kind, object.name);
                    found.add(&RULE, object.at.clone(), message).related(at.clone(), "applied later");
                }
            }
        }
    }
}
