//! L119: no namespace.

use std::collections::BTreeSet;

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::Tree;
use crate::lint::api::of_kind;
use crate::lint::found::Found;
use crate::lint::layout::Role;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L119",
    severity: Severity::Warning,
    title: "no namespace",
    why: "An object without `metadata.namespace` goes wherever whoever applies it happens to be: the current \
          namespace of kubectl, the destination of the Application, or it is refused by Flux.",
    fix: "State `metadata.namespace`.",
    source: "docs/user-guide/app_deletion.md and spec.destination.namespace of argoproj/argo-cd; spec.targetNamespace \
          of fluxcd/kustomize-controller",
    consumers: &[Consumer::Argo, Consumer::Flux, Consumer::Kubectl],
    example: "kind: Role\nmetadata:\n  name: reader",
    in_units: true,
    check: Check::Tree(check),
};

fn check(tree: &Tree, found: &mut Found) {
    let customs = tree.facts.customs.iter().filter(|custom| custom.namespaced);
    let customs: BTreeSet<(&str, &str)> = customs.map(|c| (c.group.as_str(), c.kind.as_str())).collect();
    // Which kustomization is built on which is not followed: any that gives a namespace may be the one.
    let by_kustomize = tree.layout.kustomizations.values().any(|kustomization| kustomization.namespace);
    for object in tree.facts.objects.iter().filter(|object| object.namespace.is_empty() && !object.name.is_empty()) {
        let namespaced = of_kind(&object.group, &object.kind).is_some_and(|kind| kind.namespaced)
            || customs.contains(&(object.group.as_ref(), object.kind.as_ref()));
        if !namespaced {
            continue;
        }
        let path = &object.at.path;
        let given =
            tree.readers(path).any(|reader| reader.namespace) || by_kustomize && tree.layout.role(path) == Role::Listed;
        if !given {
            let message = format!("{} {} states no namespace", object.kind, object.name);
            found.add(&RULE, object.at.clone(), message);
        }
    }
}
