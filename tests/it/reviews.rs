//! The cases of `mtp diff`: each folder of `tests/review/` is a change and what is said of it.
//!
//! `common/tenants/` is what most begin with. A case lays `base/` over it, which is rendered and committed, then `head/`, and
//! takes out what `gone.txt` lists; `edited/` is laid over the rendered base, as by hand or by another version. A case with
//! `old/` and `new/` compares these two folders instead. `args.txt` holds further arguments. `expected.txt` is the text and
//! how it ended, `expected.json` the same for programs.
//! `UPDATE=1 cargo test --test it reviews` writes both anew; review the diff.

use std::path::{Path, PathBuf};
use std::process::Command;

use rayon::prelude::*;

use crate::mtp::{Folder, Ran, copy, mtp, repository};
use k8s_mtp::cli::Exit;

fn cases() -> Vec<PathBuf> {
    let folder = repository().join("tests/review");
    let entries = std::fs::read_dir(&folder).expect("tests/review").map(|entry| entry.expect("an entry").path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| !path.ends_with("common")).collect();
    cases.sort();
    cases
}

/// Runs git in a folder, as nobody in particular and always at the same time.
pub fn git(folder: &Path, args: &[&str]) -> String {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(["-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"]).args(args);
    for (key, value) in [
        ("GIT_AUTHOR_NAME", "nobody"),
        ("GIT_AUTHOR_EMAIL", "nobody@example.com"),
        ("GIT_COMMITTER_NAME", "nobody"),
        ("GIT_COMMITTER_EMAIL", "nobody@example.com"),
        ("GIT_AUTHOR_DATE", "2026-03-01T12:00:00Z"),
        ("GIT_COMMITTER_DATE", "2026-03-01T12:00:00Z"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ] {
        git.env(key, value);
    }
    let done = git.output().expect("git runs");
    assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("UTF-8")
}

/// Commits all that is in a folder.
pub fn commit(folder: &Path, message: &str) {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--allow-empty", "--message", message]);
}

/// A repository with the common tenants, rendered and committed.
pub fn common() -> Folder {
    let folder = Folder::empty();
    copy(&repository().join("tests/review/common"), folder.path());
    git(folder.path(), &["init", "--quiet"]);
    folder
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn run(case: &Path, format: &str) -> Ran {
    let mut args = vec!["diff".to_owned(), "--output".to_owned(), format.to_owned()];
    args.extend(lines(&case.join("args.txt")));
    if case.join("old").is_dir() {
        // Folders are named as they were given: the same on every machine.
        let folder = Folder::empty();
        copy(&case.join("old"), &folder.join("old"));
        copy(&case.join("new"), &folder.join("new"));
        args.extend(["old", "new"].map(|name| folder.join(name).to_str().expect("UTF-8").to_owned()));
        let mut ran = mtp(&args);
        let place = format!("{}/", folder.path().to_str().expect("UTF-8"));
        ran.out = ran.out.replace(&place, "");
        ran.err = ran.err.replace(&place, "");
        return ran;
    }
    let folder = common();
    let lay = |name: &str| {
        if case.join(name).is_dir() {
            copy(&case.join(name), folder.path());
        }
    };
    lay("base");
    let rendered = folder.mtp(&["render", "--quiet"]);
    assert_eq!(rendered.exit, Exit::Clean, "{}: the base: {rendered}", case.display());
    lay("edited");
    commit(folder.path(), "base");
    lay("head");
    lines(&case.join("gone.txt")).iter().for_each(|path| folder.remove(path));
    folder.mtp(&args)
}

/// Commits depend on every byte of the base.
fn without_commits(text: &str) -> String {
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut line = line.to_owned();
        for (before, length) in [("HEAD (", 12), ("\"commit\": \"", 40)] {
            if let Some(at) = line.find(before).map(|at| at + before.len())
                && line.get(at..at + length).is_some_and(|id| id.chars().all(is_hex))
            {
                line.replace_range(at..at + length, &"0".repeat(length));
            }
        }
        out.push_str(&line);
    }
    out
}

#[test]
fn every_review_says_what_it_expects() {
    let update = std::env::var_os("UPDATE").is_some();
    let failures: Vec<String> = cases()
        .par_iter()
        .flat_map_iter(|case| {
            let (text, json) = (run(case, "text"), run(case, "json"));
            assert_eq!(text.exit, json.exit, "{}: the form changes the answer", case.display());
            let said = format!("{}{}exit {}\n", without_commits(&text.out), text.err, text.exit as u8);
            [("expected.txt", said), ("expected.json", without_commits(&json.out))]
                .into_iter()
                .filter_map(|(name, found)| differs(&case.join(name), &found, update))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(failures.is_empty(), "{}\n\nUPDATE=1 cargo test --test it reviews\n", failures.join("\n\n"));
}

fn differs(path: &Path, found: &str, update: bool) -> Option<String> {
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if expected == found {
        return None;
    }
    if update {
        std::fs::write(path, found).expect("written");
        return None;
    }
    let diff = similar::TextDiff::from_lines(expected.as_str(), found);
    Some(format!("{}\n{}", path.display(), diff.unified_diff().context_radius(3)))
}

/// Each rule has a case that shows it, named after it.
#[test]
fn every_review_rule_has_a_case() {
    let listed = mtp(&["explain"]).out;
    let rules = listed.lines().filter_map(|line| line.split_once("  ")).filter(|(id, _)| id.starts_with('R'));
    for (id, title) in rules {
        let found = cases().into_iter().filter(|case| {
            let name = case.file_name().and_then(|n| n.to_str()).expect("a name");
            name.starts_with(&format!("{id}-"))
        });
        let said: Vec<String> = found.map(|case| lines(&case.join("expected.txt")).join("\n")).collect();
        assert!(!said.is_empty(), "{id} ({title}) has no case below tests/review/");
        assert!(said.iter().any(|text| text.contains(id)), "no case of {id} ({title}) shows it");
    }
}
