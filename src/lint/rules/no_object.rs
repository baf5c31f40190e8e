//! L103: a document is no Kubernetes object.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::File;
use crate::lint::file::{Object, items};
use crate::lint::found::Found;
use crate::lint::layout::Role;
use crate::yaml::shape::list;
use crate::yaml::{Node, Value};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L103",
    severity: Severity::Error,
    title: "a document is no Kubernetes object",
    why: "Flux fails the whole folder for a YAML file that holds anything else. Argo CD leaves such a file out in \
          silence, but fails the whole Application where an object stands before it or the file is JSON.",
    fix: "Move what is no object to a folder that is not read as manifests, or give it another ending than `.yaml`, \
          `.yml` and `.json`.",
    source: "getObjsFromYAMLOrJSON in reposerver/repository/repository.go of argoproj/argo-cd; scanManifests in \
          kustomize/kustomize_generator.go of fluxcd/pkg",
    consumers: &[Consumer::Argo, Consumer::Flux, Consumer::Kubectl],
    example: "replicas: 3\nimage: web",
    in_units: true,
    check: Check::File(check),
};

fn check(file: &File<'_>, found: &mut Found) {
    if !matches!(file.role, Role::Manifest | Role::Listed) || is_for_forges(file.inside) {
        return;
    }
    for document in &file.documents {
        inspect(file, document, 0, found);
    }
}

/// What forges keep in hidden folders is no manifest, and Flux leaves most of it out by itself.
fn is_for_forges(path: &str) -> bool {
    path.split('/').rev().skip(1).any(|part| part.starts_with('.'))
}

fn inspect(file: &File<'_>, node: &Node<'_>, depth: usize, found: &mut Found) {
    let what = match &node.value {
        Value::Map(_) => match Object::of(file, node) {
            None => {
                let missing = ["apiVersion", "kind"].into_iter().filter(|key| node.get(key).is_none());
                match list(missing) {
                    none if none == "nothing" => "a value that is no text for `apiVersion` or `kind`".to_owned(),
                    missing => format!("a map without {missing}").replace(" or ", " and "),
                }
            }
            // What kustomize reads has no name, and is no manifest of a cluster.
            Some(object) if object.group == "kustomize.config.k8s.io" => return,
            Some(object) if object.is_list() && depth < 3 => {
                items(node.get("items")).iter().for_each(|item| inspect(file, item, depth + 1, found));
                return;
            }
            Some(object) if object.name().is_empty() && object.get(&["metadata", "generateName"]).is_none() => {
                format!("{} without `metadata.name`", object.kind)
            }
            Some(_) => return,
        },
        Value::List(_) => "a list".to_owned(),
        Value::Scalar { .. } => "a single value".to_owned(),
    };
    found.add(&RULE, file.at(node.span), format!("expected a Kubernetes object, found {what}"));
}
