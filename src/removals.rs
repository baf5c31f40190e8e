//! `removals`: a tenant's Namespace leaves in two steps, and never by accident.
//!
//! Deleting a Namespace deletes everything in it, volumes too. So only one that was rendered as retired before may go;
//! renaming one is removing it.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Findings};
use crate::objects::meta;
use crate::place::Place;
use crate::rendered::Rendered;
use crate::tree::source;
use crate::yaml::{self, Node};

/// What the two-step rule says about a change from `before` (files that differ or go, by path) to `after`.
pub fn removals(before: &BTreeMap<String, Vec<u8>>, after: &Rendered) -> Vec<Diagnostic> {
    let mut findings = Findings::default();
    let gone: Vec<(&String, &[u8], Namespace)> = before
        .iter()
        .flat_map(|(path, bytes)| namespaces(bytes).into_iter().map(move |n| (path, bytes.as_slice(), n)))
        .collect();
    if gone.is_empty() {
        return Vec::new();
    }
    let kept: BTreeSet<&str> = after
        .plan()
        .into_iter()
        .flat_map(|plan| {
            let tenants = plan.tenants.iter().flat_map(|t| t.namespaces.iter().map(|n| &*n.name));
            tenants.chain([&*plan.platform.namespace])
        })
        .collect();
    for (path, bytes, namespace) in gone {
        if kept.contains(namespace.name.as_str()) || namespace.retired {
            continue;
        }
        let name = &namespace.name;
        let gone = findings.error("T801", Place::file(path.as_str()), format!("Namespace `{name}` would be removed"));
        gone.hint(match (&namespace.tenant, source(bytes)) {
            (Some(tenant), source) => format!(
                "everything in it would be deleted. Put it back into tenant `{tenant}`{} with `state: retired`, render and \
                 merge that, and take it out with a later change; a new name is a removal too",
                source.map(|s| format!(" ({s})")).unwrap_or_default()
            ),
            (None, _) => format!(
                "everything in it would be deleted. If that is meant, delete {path} in a commit of its own, which reviewers see"
            ),
        });
    }
    findings.into_sorted()
}

/// A Namespace of ours in a file of ours.
struct Namespace {
    name: String,
    tenant: Option<String>,
    retired: bool,
}

fn namespaces(bytes: &[u8]) -> Vec<Namespace> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Vec::new() };
    if !text.contains("kind: Namespace") {
        return Vec::new();
    }
    // In a conflict, what is common to both sides may be no YAML: each side is read on its own.
    let sides = if crate::tree::is_conflicted(bytes) { sides(text) } else { vec![text.to_owned()] };
    sides
        .iter()
        .flat_map(|side| yaml::read(side).unwrap_or_default().iter().filter_map(namespace).collect::<Vec<_>>())
        .collect()
}

/// The two sides of a file with conflict marks.
fn sides(text: &str) -> Vec<String> {
    let (mut ours, mut theirs, mut side) = (String::new(), String::new(), 0);
    for line in text.lines() {
        match line.get(..7) {
            Some("<<<<<<<") => side = 1,
            Some("|||||||") => side = 3,
            Some("=======") if side != 0 => side = 2,
            Some(">>>>>>>") => side = 0,
            _ => {
                if side < 2 {
                    ours.extend([line, "\n"]);
                }
                if side % 2 == 0 {
                    theirs.extend([line, "\n"]);
                }
            }
        }
    }
    vec![ours, theirs]
}

fn namespace(node: &Node<'_>) -> Option<Namespace> {
    if node.get("kind")?.text()? != "Namespace" || node.get("apiVersion")?.text()? != "v1" {
        return None;
    }
    let metadata = node.get("metadata")?;
    let label = |key: &str| metadata.get("labels")?.get(key)?.text();
    if label(meta::MANAGED_BY) != Some(meta::K8S_MTP) {
        return None;
    }
    Some(Namespace {
        name: metadata.get("name")?.text()?.to_owned(),
        tenant: label(meta::TENANT).map(str::to_owned),
        retired: label(meta::STATE) == Some("retired"),
    })
}
