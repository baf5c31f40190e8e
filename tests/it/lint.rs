//! The cases of `mtp lint`: each folder of `tests/lint/` is named after the rule that its `files/` break.
//!
//! `expected.txt` is what is said of them and how it ended; `fixed/` holds the files that `--fix` leaves behind, where it changes
//! any. `clean/` is the same done right: nothing at all is said of it. What git cannot hold well is made here: `links.txt` and
//! `links-clean.txt` list links with their targets, `grow.txt` and `grow-clean.txt` files with the bytes to be added to their end.
//! `UPDATE=1 cargo test --test it lint` writes what came out; review the diff.

use std::path::{Path, PathBuf};

use k8s_mtp::cli::Exit;
use rayon::prelude::*;

use crate::mtp::{Folder, Ran, copy, mtp, repository};

fn cases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository().join("tests/lint")).expect("tests/lint");
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    cases.sort();
    cases
}

fn name(case: &Path) -> &str {
    case.file_name().and_then(|name| name.to_str()).expect("a name")
}

fn pairs(path: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| line.split_once(' ')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

/// A copy of one folder of a case.
fn laid(case: &Path, from: &str, more: &str) -> Folder {
    let folder = Folder::empty();
    copy(&case.join(from), folder.path());
    for (path, target) in pairs(&case.join(format!("links{more}.txt"))) {
        std::os::unix::fs::symlink(target, folder.join(&path)).expect("a link");
    }
    for (path, bytes) in pairs(&case.join(format!("grow{more}.txt"))) {
        let text = folder.read(&path);
        folder.write(&path, format!("{text}{}\n", "x".repeat(bytes.parse().expect("a number"))));
    }
    folder
}

fn lint(folder: &Folder, args: &[&str]) -> Ran {
    let place = folder.path().to_str().expect("UTF-8");
    let args: Vec<&str> = ["lint", place].iter().chain(args).copied().collect();
    let mut ran = mtp(&args);
    ran.out = ran.out.replace(&format!("{place}/"), "");
    ran.err = ran.err.replace(&format!("{place}/"), "");
    ran
}

fn differs(path: &Path, found: &str, update: bool) -> Option<String> {
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if expected == found {
        return None;
    }
    if update {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, found).expect("written");
        return None;
    }
    let diff = similar::TextDiff::from_lines(expected.as_str(), found);
    Some(format!("{}\n{}", path.display(), diff.unified_diff().context_radius(3)))
}

/// What a case says, and what `--fix` makes of it, twice: the second time does nothing.
fn check(case: &Path, update: bool) -> Vec<String> {
    let folder = laid(case, "files", "");
    let ran = lint(&folder, &[]);
    let said = format!("{}{}exit {}\n", ran.out, ran.err, ran.exit as u8);
    let mut failures: Vec<String> = differs(&case.join("expected.txt"), &said, update).into_iter().collect();

    // Grown files are not kept, so that what they would become is not either.
    if case.join("grow.txt").exists() {
        return failures;
    }
    let bytes = |folder: &Folder, path: &str| std::fs::read(folder.join(path)).expect("a file");
    let before = laid(case, "files", "");
    let fixed = lint(&folder, &["--fix"]);
    for path in folder.files("") {
        let (old, new) = (bytes(&before, &path), bytes(&folder, &path));
        let expected = case.join("fixed").join(&path);
        if old != new {
            failures.extend(differs(&expected, &String::from_utf8(new).expect("UTF-8"), update));
        } else if expected.exists() {
            failures.push(format!("{}: --fix leaves it as it was", expected.display()));
        }
    }
    let again = lint(&folder, &["--fix"]);
    if !again.err.contains("0 files put right") || again.out != fixed.out {
        failures.push(format!("{}: --fix twice is not --fix once\n{again}", name(case)));
    }
    failures
}

#[test]
fn every_case_says_what_it_expects() {
    let update = std::env::var_os("UPDATE").is_some();
    let failures: Vec<String> = cases().par_iter().flat_map_iter(|case| check(case, update)).collect();
    assert!(failures.is_empty(), "{}\n\nUPDATE=1 cargo test --test it lint\n", failures.join("\n\n"));
}

/// What is right is not spoken of: a rule that cries wolf is switched off.
#[test]
fn what_is_done_right_is_clean() {
    let failures: Vec<String> = cases()
        .par_iter()
        .filter_map(|case| {
            let ran = lint(&laid(case, "clean", "-clean"), &[]);
            (ran.exit != Exit::Clean || !ran.out.is_empty()).then(|| format!("{}: {ran}", name(case)))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Each rule has a case that shows it, named after it.
#[test]
fn every_lint_rule_has_a_case() {
    let listed = mtp(&["explain"]).out;
    let rules: Vec<&str> = listed.lines().filter_map(|line| line.split_once("  ")).map(|(id, _)| id).collect();
    let rules: Vec<&str> = rules.into_iter().filter(|id| id.starts_with('L')).collect();
    assert!(rules.len() > 50, "{} rules", rules.len());
    for id in rules {
        let own = cases().into_iter().filter(|case| name(case).starts_with(&format!("{id}-")));
        let said: Vec<String> =
            own.map(|case| std::fs::read_to_string(case.join("expected.txt")).unwrap_or_default()).collect();
        assert!(!said.is_empty(), "{id} has no case below tests/lint/");
        assert!(said.iter().any(|text| text.contains(&format!("[{id}]"))), "no case of {id} shows it");
    }
}

/// What we render is what we preach.
#[test]
fn our_own_output_is_clean() {
    let ran = mtp(&["lint", "--root", repository().to_str().expect("UTF-8")]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    assert!(ran.out.is_empty(), "{ran}");
}
