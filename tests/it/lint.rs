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

/// Names and values of hostile files do not steer a terminal, and no value of a Secret is repeated in any form.
#[test]
fn hostile_files_are_told_harmlessly() {
    let folder = Folder::empty();
    let evil = "\\u001b[31m\\u202e\\u0007";
    folder.write(
        "role.yaml",
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: \"{evil}\", namespace: a}}\nrules:\n\
             - apiGroups: [\"\"]\n  resources: [\"{evil}\", \"pods/{evil}\"]\n  verbs: [\"{evil}\"]\n"
        ),
    );
    folder.write(
        "secret.yaml",
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: b, namespace: a}}\nstringData:\n  \"{evil}\": SESAME\n  \
             on: SESAME\n  on: SESAME\n  pin: 1234567\n  \"x\": SESAME\n"
        ),
    );
    folder.write("\u{1b}[2J\u{202e}.yaml", "a: [\n");
    folder.write("deep.yaml", "[".repeat(100_000));
    folder.write("deep.json", "[".repeat(100_000));
    folder.write("bomb.yaml", bomb());
    folder.write("zero.yaml", [0u8; 64]);
    for form in ["text", "json", "github", "sarif", "markdown"] {
        let ran = lint(&folder, &["--output", form]);
        assert_eq!(ran.exit, Exit::Findings, "{ran}");
        let said = format!("{}{}", ran.out, ran.err);
        let hidden = said.chars().find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{202e}' | '\u{feff}'));
        assert!(hidden.is_none(), "{form}: {hidden:?}");
        assert!(!said.contains("SESAME") && !said.contains("1234567"), "{form}: {said}");
    }
}

/// Aliases of aliases, and merge keys of merge keys.
fn bomb() -> String {
    let mut text = "a0: &a0 {k: v}\n".to_owned();
    for n in 1..40 {
        let aliases = format!("*a{0}, *a{0}, *a{0}, *a{0}, *a{0}", n - 1);
        text += &format!("a{n}: &a{n} {{<<: [{aliases}], k{n}: [{aliases}]}}\n");
    }
    text
}

#[test]
fn rules_are_left_out_by_name_and_unknown_ones_are_refused() {
    let folder = laid(&repository().join("tests/lint/L213-unknown-subresource"), "files", "");
    let ran = lint(&folder, &["--ignore", "L213,L101", "--ignore", "l102"]);
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Clean, ""), "{ran}");
    let ran = lint(&folder, &["--ignore", "L999"]);
    assert_eq!(ran.exit, Exit::Failed, "{ran}");
    let ran = mtp(&["lint", folder.join("missing").to_str().expect("UTF-8")]);
    assert_eq!(ran.exit, Exit::Failed, "{ran}");
}

/// A file that the renderer wrote is the renderer's to put right.
#[test]
fn rendered_files_are_not_edited() {
    let folder = laid(&repository().join("tests/lint/L213-unknown-subresource"), "files", "");
    let text = format!("# Rendered by k8s-mtp from tenants/a.yaml\n{}", folder.read("a.yaml"));
    folder.write("a.yaml", &text);
    let ran = lint(&folder, &["--fix"]);
    assert_eq!(ran.exit, Exit::Findings, "{ran}");
    assert_eq!(folder.read("a.yaml"), text);
    assert!(ran.err.contains("1 file put right"), "{ran}");
}
