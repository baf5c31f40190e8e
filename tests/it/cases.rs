//! The cases: each folder of `tests/cases/` is an input and what comes of it.
//!
//! `tenants/` is rendered; `rendered/` is what it gives, `expected.txt` what `mtp validate` and `mtp render` say. Where the
//! case has `before/tenants/`, that is rendered first, and then replaced by `tenants/`. Where it has `shows.txt`, only the
//! files of `rendered/` whose path holds one of its lines are kept and compared: those that the case is about.
//! With `at.txt`, `mtp render --check --at` says the rest.
//! `UPDATE=1 cargo test --test it cases` writes both anew; review the diff.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::mtp::{Folder, copy, repository};
use k8s_mtp::cli::Exit;

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(repository().join("tests/cases"))
        .expect("tests/cases")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    cases.sort();
    cases
}

#[test]
fn every_case_gives_what_it_expects() {
    let update = std::env::var_os("UPDATE").is_some();
    let failures: Vec<String> = cases().par_iter().filter_map(|case| failure(case, update)).collect();
    assert!(failures.is_empty(), "{}\n\nUPDATE=1 cargo test --test it cases\n", failures.join("\n\n"));
}

/// What is wrong with a case; it is put right instead where `update` says so.
fn failure(case: &Path, update: bool) -> Option<String> {
    let name = case.file_name()?.to_string_lossy();
    let folder = Folder::empty();
    let before = case.join("before");
    if before.is_dir() {
        copy(&before.join("tenants"), &folder.join("tenants"));
        let ran = folder.mtp(&["render", "--quiet"]);
        assert_eq!(ran.exit, Exit::Clean, "{name}: the first step: {ran}");
        std::fs::remove_dir_all(folder.join("tenants")).expect("removed");
    }
    copy(&case.join("tenants"), &folder.join("tenants"));
    let validated = folder.mtp(&["validate", "--quiet"]);
    let rendered = folder.mtp(&["render", "--quiet"]);
    let mut said = validated.out.clone();
    // What validate cannot know, since it looks at tenants/ alone.
    if rendered.err != validated.out {
        said.push_str(&rendered.err);
    }
    // What ends, where the case says when.
    if let Ok(at) = std::fs::read_to_string(case.join("at.txt")) {
        let checked = folder.mtp(&["render", "--check", "--quiet", "--at", at.trim_end()]);
        said.push_str(&format!("{}exit {}\n", checked.out, checked.exit as u8));
    }
    if rendered.exit != Exit::Clean {
        said.push_str(&format!("exit {}\n", rendered.exit as u8));
    }
    let mut failures = Vec::new();
    if let Some(failure) = text_differs(&case.join("expected.txt"), &said, update) {
        failures.push(failure);
    }
    if rendered.exit == Exit::Clean {
        let found = shown(case, files(&folder.join("rendered")));
        failures.extend(folder_differs(&case.join("rendered"), &found, update));
    } else if case.join("rendered").exists() {
        failures.push("rendered/ is there, and nothing is rendered".to_owned());
    }
    (!failures.is_empty()).then(|| format!("{name}: {}", failures.join("\n")))
}

fn text_differs(path: &Path, found: &str, update: bool) -> Option<String> {
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if expected == found {
        return None;
    }
    if update {
        if found.is_empty() {
            std::fs::remove_file(path).expect("removed");
        } else {
            std::fs::write(path, found).expect("written");
        }
        return None;
    }
    let diff = similar::TextDiff::from_lines(expected.as_str(), found);
    Some(format!("expected.txt\n{}", diff.unified_diff().context_radius(3)))
}

/// The files that the case is about.
fn shown(case: &Path, mut found: BTreeMap<PathBuf, String>) -> BTreeMap<PathBuf, String> {
    let Ok(parts) = std::fs::read_to_string(case.join("shows.txt")) else { return found };
    for part in parts.lines() {
        let shows = found.keys().any(|path| path.to_string_lossy().contains(part));
        assert!(shows, "{}: no file holds {part} in its path", case.display());
    }
    found.retain(|path, _| parts.lines().any(|part| path.to_string_lossy().contains(part)));
    found
}

/// All files below a folder, by path relative to it.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    if !folder.exists() {
        return BTreeMap::new();
    }
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let text = std::fs::read_to_string(entry.path()).expect("a text file");
            (entry.path().strip_prefix(folder).expect("below").to_path_buf(), text)
        })
        .collect()
}

fn folder_differs(expected: &Path, have: &BTreeMap<PathBuf, String>, update: bool) -> Vec<String> {
    let want = files(expected);
    if want == *have {
        return Vec::new();
    }
    if update {
        if expected.exists() {
            std::fs::remove_dir_all(expected).expect("removed");
        }
        for (path, text) in have {
            let path = expected.join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        return Vec::new();
    }
    let paths: BTreeSet<&PathBuf> = want.keys().chain(have.keys()).collect();
    let empty = String::new();
    paths
        .into_iter()
        .filter(|path| want.get(*path) != have.get(*path))
        .map(|path| {
            let (old, new) = (want.get(path).unwrap_or(&empty), have.get(path).unwrap_or(&empty));
            let diff = similar::TextDiff::from_lines(old.as_str(), new.as_str());
            format!("rendered/{}\n{}", path.display(), diff.unified_diff().context_radius(2))
        })
        .collect()
}

/// A rule without a case is a promise without a test.
#[test]
fn every_rule_has_a_case() {
    let said: String =
        cases().iter().map(|case| std::fs::read_to_string(case.join("expected.txt")).unwrap_or_default()).collect();
    let listed = crate::mtp::mtp(&["explain"]).out;
    // What no file of a case folder can show, or only a large one; each has a test of its own.
    let elsewhere = ["T003", "T004", "T009"];
    // What reviews find has cases of its own: see `reviews.rs`.
    for rule in listed.lines().filter_map(|line| line.split_whitespace().next()).filter(|id| id.starts_with('T')) {
        let shown = said.contains(&format!("[{rule}]")) || elsewhere.contains(&rule);
        assert!(shown, "no case shows {rule}");
    }
}

/// The case of the published tenant file stands on what `mtp init` writes today.
#[test]
fn the_published_tenant_stands_on_what_init_writes() {
    let (init, case) = (Folder::published(), repository().join("tests/cases/published-tenant"));
    let mut written = files(&init.join("tenants"));
    written.remove(Path::new("acme.yaml")).expect("the tenant");
    for (path, text) in written {
        let kept = std::fs::read_to_string(case.join("tenants").join(&path)).unwrap_or_default();
        assert_eq!(kept, text, "{}", path.display());
    }
}
