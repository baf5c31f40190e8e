//! This repository's own sample: between them, its documents use every field there is, but for what excludes what they have.

use std::collections::BTreeSet;

use serde::Deserialize as _;
use serde_json::Value;

use k8s_mtp::cli::Exit;

use crate::mtp::{Folder, repository};
use crate::reviews::{commit, git};

/// What the sample cannot have, and the case whose documents have all of it: beside its engines, another one; and what a plain
/// pod, which runs in every tenant, would have to say.
const ELSEWHERE: [(&str, &str); 2] =
    [("Platform.spec.sync", "tests/cases/sync-https"), ("Tenant.spec.restrict.hostUsers", "tests/cases/lists")];

/// The documents of a kind, below `tenants/` of a folder.
fn documents(folder: &str, kind: &str) -> Vec<Value> {
    let folder = repository().join(folder).join("tenants");
    let files = walkdir::WalkDir::new(folder).into_iter().map(|e| e.expect("an entry"));
    let files =
        files.filter(|e| e.file_type().is_file() && !e.path().components().any(|c| c.as_os_str() == "templates"));
    let texts: Vec<String> = files.map(|e| std::fs::read_to_string(e.path()).expect("a file")).collect();
    let all = texts.iter().flat_map(|text| serde_yaml::Deserializer::from_str(text));
    let all = all.map(|d| serde_json::to_value(serde_yaml::Value::deserialize(d).expect("YAML")).expect("JSON"));
    all.filter(|document| document["kind"] == kind).collect()
}

/// Paths of all fields that a schema knows; `[]` stands for an entry of a list or of a map with free keys.
fn known(root: &Value, schema: &Value, path: &str, all: &mut BTreeSet<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).expect("a definition");
        return known(root, target, path, all);
    }
    for part in schema["anyOf"].as_array().into_iter().flatten() {
        known(root, part, path, all);
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        all.insert(path.clone());
        known(root, field, &path, all);
    }
    for inner in [&schema["items"], &schema["additionalProperties"]].into_iter().filter(|inner| inner.is_object()) {
        known(root, inner, &format!("{path}[]"), all);
    }
}

/// Paths of all fields that a value has, with `[]` for entries of lists and, besides their own names, of maps.
fn used(value: &Value, path: &str, all: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| used(item, &format!("{path}[]"), all)),
        Value::Object(fields) => {
            for (name, field) in fields {
                all.insert(format!("{path}.{name}"));
                used(field, &format!("{path}.{name}"), all);
                used(field, &format!("{path}[]"), all);
            }
        }
        _ => {}
    }
}

#[test]
fn uses_every_field() {
    let mut unused: Vec<String> = Vec::new();
    for kind in ["Platform", "Tier", "Tenant"] {
        let schema = repository().join(format!("schemas/{}.json", kind.to_lowercase()));
        let schema: Value = serde_json::from_slice(&std::fs::read(schema).expect("a schema")).expect("JSON");
        let (mut known_, mut used_) = (BTreeSet::new(), BTreeSet::new());
        known(&schema, &schema, kind, &mut known_);
        documents("", kind).iter().for_each(|document| used(document, kind, &mut used_));
        for (part, case) in ELSEWHERE {
            assert!(!used_.contains(part), "the sample has {part} itself");
            let mut elsewhere = BTreeSet::new();
            documents(case, kind).iter().for_each(|document| used(document, kind, &mut elsewhere));
            used_.extend(elsewhere.into_iter().filter(|path| path.starts_with(part)));
        }
        assert!(known_.len() > 10, "{kind} has few fields");
        // Accepted for files of older versions; the published tenant has it.
        let wanted = |path: &&String| kind == "Tenant" || **path != format!("{kind}.metadata.namespace");
        unused.extend(known_.difference(&used_).filter(wanted).cloned());
    }
    assert!(unused.is_empty(), "{unused:#?}");
}

/// What README shows of the change by which the sample's aurora came to reach the license server.
#[test]
fn readme_shows_what_a_change_of_the_sample_means() {
    let folder = Folder::empty();
    crate::mtp::copy(&repository().join("tenants"), &folder.join("tenants"));
    let [with, all] = ["tenants/aurora.yaml", "tenants/platform.yaml"].map(|path| folder.read(path));
    let cut = |text: &str, from: &str, to: &str| {
        let (before, rest) = text.split_once(from).unwrap_or_else(|| panic!("the sample has no {from:?}"));
        let end = rest.find(to).unwrap_or_else(|| panic!("the sample has no {to:?}"));
        format!("{before}{}", &rest[end..])
    };
    folder.write("tenants/aurora.yaml", cut(&with, "  egress:\n", "  # What the engine"));
    folder.write("tenants/platform.yaml", cut(&all, "    approvals:\n", "    # What the nodes"));
    let commit = || {
        assert_eq!(folder.mtp(&["render"]).exit, Exit::Clean);
        commit(folder.path(), "x");
    };
    git(folder.path(), &["init", "--quiet"]);
    commit();
    folder.write("tenants/aurora.yaml", with);
    folder.write("tenants/platform.yaml", all);
    commit();
    let said = folder.mtp(&["diff", "--base", "HEAD~1", "--head", "HEAD"]).out;
    let readme = std::fs::read_to_string(repository().join("README.md")).expect("README.md");
    let start = readme.find("$ mtp diff --base ").expect("the example");
    let (_, rest) = readme[start..].split_once('\n').expect("a command");
    // Commits have names of their own each time.
    let plain = |text: &str| -> String {
        let lines = text.lines().filter(|line| !line.starts_with("from "));
        lines.map(|line| format!("{line}\n")).collect()
    };
    assert_eq!(plain(&said), plain(rest.split("```").next().expect("its output")));
}
