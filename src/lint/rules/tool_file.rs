//! L124: a file of another tool among plain manifests.

use std::sync::Arc;

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::Tree;
use crate::lint::found::Found;
use crate::lint::layout::{KUSTOMIZATIONS, split};
use crate::place::Place;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L124",
    severity: Severity::Error,
    title: "a file of another tool among plain manifests",
    why: "Where a folder is read as plain manifests, a kustomization is taken for an object without a name and fails \
          the Application, and a Chart.yaml, a values file or jsonnet is taken for what it is not; without `directory`, Argo CD takes the whole folder for that tool's.",
    fix: "Move it away; plain manifests need no kustomization.",
    source: "docs/user-guide/tool_detection.md and docs/user-guide/directory.md of argoproj/argo-cd; Discover in \
          util/app/discovery/discovery.go",
    consumers: &[Consumer::Argo, Consumer::Flux],
    example: "rendered/tenants/acme/kustomization.yaml",
    in_units: false,
    check: Check::Tree(check),
};

fn check(tree: &Tree, found: &mut Found) {
    for path in &tree.layout.files {
        let name = split(path).1;
        if !KUSTOMIZATIONS.contains(&name) && name != "Chart.yaml" && !name.ends_with(".jsonnet") {
            continue;
        }
        let flux = tree.layout.own(path).is_some_and(|folder| folder.contains("gitops/flux"));
        if tree.layout.own(path).is_some() && !flux {
            let message = format!("`{name}` stands in a folder that is read as plain manifests");
            found.add(&RULE, Place::file(Arc::clone(path)), message);
            continue;
        }
        let reader = tree
            .readers(path)
            .find(|reader| reader.argo && reader.directory && (reader.recurses || split(path).0 == reader.folder));
        if let Some(reader) = reader.filter(|_| KUSTOMIZATIONS.contains(&name)) {
            let message = format!("`{name}` is taken for a manifest by an Application with `directory`");
            found
                .add(&RULE, Place::file(Arc::clone(path)), message)
                .related(reader.at.clone(), "which reads this folder");
        }
    }
}
