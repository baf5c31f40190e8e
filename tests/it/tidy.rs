//! What the prose promises about the code itself.

use std::path::{Path, PathBuf};

use crate::mtp::repository;

fn sources() -> Vec<(PathBuf, String)> {
    let root = repository().join("src");
    let mut all = Vec::new();
    for entry in walkdir::WalkDir::new(&root).sort_by_file_name() {
        let entry = entry.expect("an entry");
        if entry.path().extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(entry.path()).expect("a file");
            all.push((entry.path().strip_prefix(&root).expect("below").to_path_buf(), text));
        }
    }
    all
}

/// The shell: what may touch files, clock, environment and terminal.
fn is_shell(path: &Path) -> bool {
    path.starts_with("cluster")
        || path.starts_with("commands")
        || path.starts_with("disk")
        || path.starts_with("server")
        || ["main.rs", "cli.rs", "history.rs"].iter().any(|shell| path == Path::new(shell))
}

#[test]
fn every_file_says_what_it_is_for() {
    for (path, text) in sources() {
        assert!(text.starts_with("//! "), "{} does not begin with //!", path.display());
    }
}

/// The lint sees calls; this sees names, also behind a `use`.
#[test]
fn the_core_names_no_shell() {
    let shell = [
        "std::fs",
        "std::env::",
        "std::time",
        "std::process",
        "std::net::Tcp",
        "std::io::",
        "std::thread",
        "crate::disk",
        "crate::commands",
        "crate::cli",
        "println!",
        "eprintln!",
        "rand::",
        "HashMap",
    ];
    for (path, text) in sources().into_iter().filter(|(path, _)| !is_shell(path) && path != Path::new("lib.rs")) {
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for name in shell {
            // What the crate is versioned as is no environment at run time.
            let found = code.iter().find(|line| line.contains(name) && !line.contains("env!("));
            assert!(found.is_none(), "{} names {name}: {}", path.display(), found.unwrap_or(&""));
        }
    }
}

/// A file that no `mod` names is not compiled, and nobody notices.
#[test]
fn every_file_is_declared() {
    let all = sources();
    for (path, _) in &all {
        let name = path.file_stem().and_then(|s| s.to_str()).expect("a name");
        let folder = path.parent().expect("a folder");
        let (name, parent) = match name {
            "main" | "lib" => continue,
            "mod" => {
                (folder.file_name().and_then(|f| f.to_str()).expect("a folder"), folder.parent().expect("a parent"))
            }
            name => (name, folder),
        };
        let file = if parent.as_os_str().is_empty() { PathBuf::from("lib.rs") } else { parent.join("mod.rs") };
        let declares = |text: &str| text.lines().any(|line| line.trim_end().ends_with(&format!("mod {name};")));
        let text = &all.iter().find(|(path, _)| *path == file).unwrap_or_else(|| panic!("{}", file.display())).1;
        assert!(declares(text), "{} is not declared in {}", path.display(), file.display());
    }
    let tests = std::fs::read_to_string(repository().join("tests/it/main.rs")).expect("a file");
    for entry in std::fs::read_dir(repository().join("tests/it")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|s| s.to_str()).expect("a name").to_owned();
        assert!(name == "main" || tests.contains(&format!("mod {name};")), "tests/it/{name}.rs is not declared");
    }
}

#[test]
fn rooms_are_small() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 450, "{} has {lines} lines: split it by noun", path.display());
    }
}

#[test]
fn the_architecture_page_names_every_room() {
    let page = std::fs::read_to_string(repository().join("src/README.md")).expect("src/README.md");
    assert!(page.lines().count() < 150, "the page is meant to be read in one go");
    for (path, _) in sources() {
        let room = path.iter().next().and_then(|part| part.to_str()).expect("a part");
        assert!(page.contains(room.trim_end_matches(".rs")), "src/README.md does not name {room}");
    }
}

#[test]
fn every_dependency_says_why() {
    let manifest = std::fs::read_to_string(repository().join("Cargo.toml")).expect("Cargo.toml");
    let mut listed = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            listed = line.contains("dependencies");
        } else if listed && line.contains('=') {
            assert!(line.contains(" # "), "no reason: {line}");
        }
    }
}

/// The ids of rules are promises to whoever filters reports by them.
#[test]
fn rule_ids_are_unique_and_in_order() {
    let listed = crate::mtp::mtp(&["explain"]).out;
    let ids: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(ids, sorted);
}

/// What a rule's text says is a sentence, and findings name only rules that exist.
#[test]
fn rules_read_well_and_are_all_there_is() {
    let listed = crate::mtp::mtp(&["explain"]).out;
    for id in listed.lines().filter_map(|line| line.split_whitespace().next()) {
        let text = crate::mtp::mtp(&["explain", id]).out;
        let second = if id.starts_with('R') { "Example: " } else { "Fix: " };
        for part in ["Why: ", second] {
            let sentence = text.lines().find(|line| line.starts_with(part)).expect(part);
            assert!(sentence.ends_with('.'), "{id}: {sentence}");
        }
    }
    for (path, text) in sources() {
        for (index, _) in text.match_indices("\"T") {
            let id = &text[index + 1..(index + 5).min(text.len())];
            if id.len() == 4 && id[1..].bytes().all(|b| b.is_ascii_digit()) {
                assert!(listed.contains(id), "{} names {id}, which is no rule", path.display());
            }
        }
    }
}

/// README.md lists the lint rules as the table has them.
#[test]
fn the_readme_lists_the_lint_rules() {
    use k8s_mtp::lint::rules::{Consumer, RULES};
    let path = repository().join("README.md");
    let page = std::fs::read_to_string(&path).expect("README.md");
    let mut argo = "| rule | what it does | known from |\n| --- | --- | --- |\n".to_owned();
    let mut all = "| rule | finds | concerns |\n| --- | --- | --- |\n".to_owned();
    for rule in RULES {
        let consumers: Vec<&str> = rule.consumers.iter().map(|consumer| consumer.as_str()).collect();
        all += &format!("| {} | {} | {} |\n", rule.id, rule.title, consumers.join(", "));
        if rule.consumers.contains(&Consumer::Argo) && rule.id.starts_with("L1") {
            argo += &format!("| {} | {} | {} |\n", rule.id, rule.why, rule.source);
        }
        assert!(!rule.source.is_empty() && !rule.example.is_empty(), "{} has no source or example", rule.id);
    }
    let mut wanted = page.clone();
    for (name, table) in [("argo", argo), ("rules", all)] {
        let (before, rest) = wanted.split_once(&format!("<!-- {name} -->\n")).expect("a mark in README.md");
        let (_, after) = rest.split_once(&format!("<!-- /{name} -->\n")).expect("its end in README.md");
        wanted = format!("{before}<!-- {name} -->\n{table}<!-- /{name} -->\n{after}");
    }
    if wanted != page && std::env::var_os("UPDATE").is_some() {
        return std::fs::write(&path, wanted).expect("written");
    }
    assert!(wanted == page, "README.md: UPDATE=1 cargo test --test it tidy");
}
