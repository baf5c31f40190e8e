//! What is rendered is accepted without a warning and stored as it was meant, by every minor version that is supported.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::client::Client;
use crate::control_plane::{ControlPlane, MINORS};
use crate::fixture::install;
use crate::manifests::{Document, Resources, apply, cases, sample};
use crate::stored::differences;

#[test]
fn by_1_34() {
    accepted(MINORS[0]);
}

#[test]
fn by_1_35() {
    accepted(MINORS[1]);
}

#[test]
fn by_1_36() {
    accepted(MINORS[2]);
}

#[test]
fn by_1_37() {
    accepted(MINORS[3]);
}

/// Applies the sample and all cases, one over the other, as a cluster sees a platform change: dry, for real, and again.
fn accepted(minor: &'static str) {
    let plane = ControlPlane::start(minor);
    let client = plane.client();
    let mut sets = vec![("the sample".to_owned(), sample(minor))];
    // Cases are of other versions, too: what this one does not have, it is not given.
    let has = |document: &Document| minor >= "1.36" || !document.kind().starts_with("MutatingAdmissionPolicy");
    sets.extend(cases().into_iter().map(|(name, all)| (name, all.into_iter().filter(has).collect())));
    assert!(sets.len() > 50 && sets.iter().all(|(_, documents)| !documents.is_empty()), "the cases are gone");
    let mut found = Vec::new();
    let mut resources = Resources::of(&client);
    // By path, what was applied last: cases have most of their objects in common.
    let mut applied: BTreeMap<String, &str> = BTreeMap::new();
    for (name, documents) in &sets {
        install(&plane, &client, documents, &mut resources);
        let mut problems = Vec::new();
        for document in documents {
            if applied.insert(document.path(&resources), &document.text) != Some(&document.text) {
                check(&client, &resources, document, &mut problems);
            }
        }
        prune(&client, &resources, documents, &mut applied);
        found.extend(problems.into_iter().map(|problem| format!("{name}: {problem}")));
    }
    found.extend(client.warnings());
    assert!(found.is_empty(), "{} with Kubernetes {minor}:\n{}", found.len(), found.join("\n"));
}

fn check(client: &Client, resources: &Resources, document: &Document, problems: &mut Vec<String>) {
    let what = format!("{} {}/{}", document.kind(), document.namespace(), document.name());
    let dry = apply(client, resources, document, true);
    let first = apply(client, resources, document, false);
    for answer in [&dry, &first] {
        if !matches!(answer.status, 200 | 201) {
            problems.push(format!("{what}: {} {}", answer.status, answer.message()));
            return;
        }
    }
    if !is_settled(client, resources, document, &first.body) {
        problems.push(format!("{what}: applying it again changes it"));
    }
    let stored = client.get(&document.path(resources)).ok();
    problems.extend(differences(&document.value, &stored).into_iter().map(|d| format!("{what}{d}")));
}

/// Whether one more apply leaves an object's version as it is. Controllers may write its status in between, but not for ever.
fn is_settled(client: &Client, resources: &Resources, document: &Document, first: &Value) -> bool {
    let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
    let mut before = version(first);
    for _ in 0..50 {
        let again = version(&apply(client, resources, document, false).ok());
        if again == before {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
        before = version(&client.get(&document.path(resources)).ok());
    }
    false
}

/// Removes what earlier sets left in the namespaces of this one, as whoever applies `rendered/` does.
fn prune(client: &Client, resources: &Resources, documents: &[Document], applied: &mut BTreeMap<String, &str>) {
    let wanted: BTreeSet<String> = documents.iter().map(|d| d.path(resources)).collect();
    let namespaces: BTreeSet<&str> = documents.iter().map(Document::namespace).collect();
    let namespace =
        |path: &str| path.split_once("/namespaces/").and_then(|(_, rest)| Some(rest.split_once('/')?.0.to_owned()));
    // In no namespace, and in the way of every pod: the webhook of a set, which does not run here.
    let is_webhook = |path: &str| path.starts_with("/apis/admissionregistration.k8s.io/");
    let is_left = |path: &String| {
        let in_namespace = namespace(path).is_some_and(|n| namespaces.contains(n.as_str()));
        !wanted.contains(path) && (in_namespace || is_webhook(path))
    };
    let left: Vec<String> = applied.keys().filter(|path| is_left(path)).cloned().collect();
    for path in left {
        client.delete(&path).ok();
        applied.remove(&path);
    }
}
