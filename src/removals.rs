//! `removals`: a tenant's Namespace leaves in two steps, and never by accident.
//!
//! Deleting a Namespace deletes everything in it, volumes too. So only one that was rendered as retired before may go;
//! renaming one is removing it.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Findings};
use crate::objects::meta;
use crate::place::Place;
use crate::rendered::{HEADER, Rendered};
use crate::tree::{is_leftover, source};
use crate::yaml::{self, Node};

/// What the two-step rule says about a change from `before` (files that differ or go, by path) to `after`.
pub fn removals(before: &BTreeMap<String, Vec<u8>>, after: &Rendered) -> Vec<Diagnostic> {
    let mut findings = Findings::default();
    let mut gone: Vec<(&String, &[u8], Namespace)> = Vec::new();
    // What a killed run left behind was never applied.
    for (path, bytes) in before.iter().filter(|(path, _)| !is_leftover(path)) {
        match namespaces(bytes) {
            Ok(found) => gone.extend(found.into_iter().map(|namespace| (path, bytes.as_slice(), namespace))),
            // Read or not, it may be a Namespace that somebody works in.
            Err(Unreadable) => drop(
                findings
                    .error("T801", Place::file(path.as_str()), "nobody can tell which Namespace is in it")
                    .hint("put the file back as it was, with `git checkout`, and render again"),
            ),
        }
    }
    if gone.is_empty() {
        return findings.into_sorted();
    }
    let kept: BTreeMap<&str, Option<&str>> = after
        .plan()
        .into_iter()
        .flat_map(|plan| {
            let tenants = plan.tenants.iter().flat_map(|t| t.namespaces.iter().map(|n| (&*n.name, Some(&*t.name))));
            tenants.chain([(&*plan.platform.namespace, None)])
        })
        .collect();
    for (path, bytes, namespace) in gone {
        let name = &namespace.name;
        let at = || Place::file(path.as_str());
        let written =
            |tenant: &str| format!("tenant `{tenant}`{}", source(bytes).map(|s| format!(" ({s})")).unwrap_or_default());
        match (kept.get(name.as_str()), &namespace.tenant) {
            (Some(owner), tenant) if *owner == tenant.as_deref() => {}
            // Whatever is in it would be the other's: Secrets, volumes, pods. Retiring alone does not empty it.
            (Some(_), tenant) => {
                let of = tenant.as_deref().map_or("the platform".to_owned(), &written);
                findings.error("T801", at(), format!("Namespace `{name}` would go to somebody else")).hint(format!(
                    "all that is in it is of {of}. Retire it there, take it out with a later change, and give its name \
                     away with another one, once it is gone from the cluster"
                ));
            }
            (None, _) if namespace.retired => {}
            (None, Some(tenant)) => {
                findings.error("T801", at(), format!("Namespace `{name}` would be removed")).hint(format!(
                    "everything in it would be deleted. Put it back into {} with `state: retired`, render and merge that, \
                     and take it out with a later change; a new name is a removal too",
                    written(tenant)
                ));
            }
            (None, None) => {
                findings.error("T801", at(), format!("Namespace `{name}` would be removed")).hint(format!(
                    "everything in it would be deleted. If that is meant, delete {path} in a commit of its own, which \
                     reviewers see"
                ));
            }
        }
    }
    findings.into_sorted()
}

/// A Namespace of ours in a file of ours.
struct Namespace {
    name: String,
    tenant: Option<String>,
    retired: bool,
}

/// A file of ours with a Namespace in it that cannot be made out.
struct Unreadable;

/// The Namespaces of a file. Each document is read on its own, and only if it may be one: a file of ours may hold more than
/// the reader of input takes.
fn namespaces(bytes: &[u8]) -> Result<Vec<Namespace>, Unreadable> {
    let text = String::from_utf8_lossy(bytes);
    if !text.contains("Namespace") {
        return Ok(Vec::new());
    }
    let conflicted = crate::tree::is_conflicted(bytes);
    // In a conflict, what is common to both sides may be no YAML: each side is read on its own.
    let sides = if conflicted { sides(&text) } else { vec![text.into_owned()] };
    let is_ours = conflicted || bytes.starts_with(HEADER.as_bytes());
    let mut all = Vec::new();
    for document in sides.iter().flat_map(|side| side.split("\n---\n")) {
        let says = |line: &str| line.starts_with("kind:") && line.contains("Namespace");
        if !document.lines().any(says) {
            continue;
        }
        match yaml::read(document) {
            Ok(nodes) => all.extend(nodes.iter().filter_map(namespace)),
            Err(_) if is_ours => return Err(Unreadable),
            Err(_) => {}
        }
    }
    Ok(all)
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
