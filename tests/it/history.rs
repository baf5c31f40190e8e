//! `mtp diff` on real histories: branches, merges, shallow clones, roots inside of a repository, and what is not there.

use std::path::Path;

use crate::mtp::{Folder, copy, mtp};
use crate::reviews::{commit, common, git};
use k8s_mtp::cli::Exit;

fn rendered(folder: &Folder, message: &str) {
    assert_eq!(folder.mtp(&["render", "--quiet"]).exit, Exit::Clean);
    commit(folder.path(), message);
}

fn open_internet(folder: &Folder, tenant: &str) {
    let path = format!("tenants/{tenant}.yaml");
    let text = folder.read(&path) + "  egress:\n    internet: true\n";
    folder.write(&path, text);
}

/// `main` goes on after a branch left it.
fn branched() -> Folder {
    let folder = common();
    rendered(&folder, "one");
    git(folder.path(), &["switch", "--quiet", "--create", "topic"]);
    open_internet(&folder, "acme");
    rendered(&folder, "topic");
    git(folder.path(), &["switch", "--quiet", "main"]);
    folder.edit("tenants/tiers/free.yaml", "pods: 20", "pods: 21");
    rendered(&folder, "two");
    folder
}

#[test]
fn a_branch_is_compared_with_where_it_left() {
    let folder = branched();
    let ran = folder.mtp(&["diff", "--base", "main", "--head", "topic"]);
    assert_eq!(ran.exit, Exit::Findings, "{ran}");
    assert!(ran.out.contains("from merge base of main and topic"), "{ran}");
    assert!(ran.out.contains("R101") && !ran.out.contains("R402") && !ran.out.contains("R403"), "{ran}");
}

#[test]
fn a_merge_commit_is_compared_with_its_first_parent() {
    let folder = branched();
    git(folder.path(), &["merge", "--quiet", "--no-edit", "topic"]);
    let ran = folder.mtp(&["diff", "--base", "HEAD^1"]);
    assert!(ran.out.contains("from HEAD^1 (") && ran.out.contains("R101") && !ran.out.contains("R402"), "{ran}");
    let other = folder.mtp(&["diff", "--base", "HEAD^2", "--head", "HEAD"]);
    assert!(!other.out.contains("R101") && other.out.contains("R402"), "{other}");
}

#[test]
fn a_shallow_clone_says_what_is_missing() {
    let folder = branched();
    let clone = Folder::empty();
    let from = format!("file://{}", folder.path().display());
    git(clone.path(), &["clone", "--quiet", "--depth", "1", "--no-single-branch", &from, "shallow"]);
    let root = clone.join("shallow");
    let run = |args: &[&str]| {
        let args: Vec<&str> = args.iter().copied().chain(["--root", root.to_str().expect("UTF-8")]).collect();
        mtp(&args)
    };
    let missing = run(&["diff", "--base", "HEAD^"]);
    assert_eq!(missing.exit, Exit::Failed, "{missing}");
    assert!(missing.err.contains("shallow") && missing.err.contains("git fetch"), "{missing}");
    let apart = run(&["diff", "--base", "origin/topic"]);
    assert_eq!(apart.exit, Exit::Failed, "{apart}");
    assert!(apart.err.contains("no common commit in this shallow clone"), "{apart}");
    // What is there is enough for what needs no more.
    let same = run(&["diff"]);
    assert_eq!((same.exit, same.out.lines().next()), (Exit::Clean, Some("no changes")), "{same}");
    // Of a merge, its parents are enough.
    git(folder.path(), &["merge", "--quiet", "--no-edit", "topic"]);
    git(&root, &["fetch", "--quiet", "--depth", "2", "origin", "main"]);
    git(&root, &["switch", "--quiet", "--detach", "FETCH_HEAD"]);
    let merge = run(&["diff", "--base", "HEAD^1"]);
    assert_eq!(merge.exit, Exit::Findings, "{merge}");
    assert!(merge.out.contains("R101") && !merge.out.contains("R402"), "{merge}");
}

#[test]
fn what_is_not_there_is_said() {
    let folder = common();
    let outside = Folder::published();
    let ran = outside.mtp(&["diff"]);
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("is in no git repository"), "{ran}");
    let unborn = folder.mtp(&["diff"]);
    assert_eq!(unborn.exit, Exit::Failed);
    assert!(unborn.err.contains("git knows no revision `HEAD`"), "{unborn}");
    rendered(&folder, "one");
    for args in [["diff", "--base", "nope"], ["diff", "--head", "nope"], ["diff", "--base", "--upload-pack=x"]] {
        let ran = folder.mtp(&args);
        assert_eq!(ran.exit, Exit::Failed, "{ran}");
    }
    // What is wrong with tenants/ is said as every command says it.
    folder.edit("tenants/acme.yaml", "tier: free", "tier: fre");
    let wrong = folder.mtp(&["diff", "--output", "summary"]);
    assert_eq!(wrong.exit, Exit::Failed);
    assert!(wrong.err.contains("did you mean `free`"), "{wrong}");
}

#[test]
fn a_root_may_lie_inside_of_a_repository() {
    let folder = Folder::empty();
    git(folder.path(), &["init", "--quiet"]);
    copy(&crate::mtp::repository().join("tests/review/common"), &folder.join("clusters/north"));
    let root = folder.join("clusters/north");
    let run = |args: &[&str]| {
        let args: Vec<&str> = args.iter().copied().chain(["--root", root.to_str().expect("UTF-8")]).collect();
        mtp(&args)
    };
    assert_eq!(run(&["render", "--quiet"]).exit, Exit::Clean);
    commit(folder.path(), "one");
    assert_eq!(run(&["diff", "--exit-code"]).exit, Exit::Clean);
    folder.edit("clusters/north/tenants/tiers/free.yaml", "pods: 20", "pods: 21");
    let ran = run(&["diff"]);
    assert!(ran.out.contains("R402") && ran.out.contains("at tenants/tiers/free.yaml"), "{ran}");
    // Forges know files by their path in the repository.
    for (format, path) in [
        ("github", "file=clusters/north/tenants/tiers/free.yaml,"),
        ("gitlab", "\"path\": \"clusters/north/tenants/tiers/free.yaml\""),
        ("sarif", "\"uri\": \"clusters/north/tenants/tiers/free.yaml\""),
    ] {
        let ran = run(&["diff", "--output", format]);
        assert!(ran.out.contains(path), "{format}: {ran}");
    }
}

#[test]
fn a_base_without_rendered_is_rendered() {
    let folder = common();
    commit(folder.path(), "tenants alone");
    assert_eq!(folder.mtp(&["diff", "--exit-code"]).exit, Exit::Clean);
    open_internet(&folder, "acme");
    let ran = folder.mtp(&["diff"]);
    assert_eq!(ran.exit, Exit::Findings, "{ran}");
    assert!(ran.out.starts_with("1 finding is denied; 2 objects differ in 1 tenant"), "{ran}");
}

#[test]
fn a_first_commit_has_nothing_before_it() {
    let folder = Folder::empty();
    git(folder.path(), &["init", "--quiet"]);
    folder.write("README.md", "a repository\n");
    commit(folder.path(), "nothing");
    copy(&crate::mtp::repository().join("tests/review/common"), folder.path());
    let ran = folder.mtp(&["diff"]);
    // Nobody can tell a first commit from a root that was moved and changed on the way.
    assert_eq!(ran.exit, Exit::Findings, "{ran}");
    assert!(ran.out.contains("R701 tenant added") && ran.out.contains("denied  R902"), "{ran}");
    assert_eq!(folder.mtp(&["diff", "--deny", "none"]).exit, Exit::Clean);
}

/// What an author opens is told, even where the base had it by other ways.
#[test]
fn an_opening_that_the_base_had_by_hand_is_still_the_authors() {
    let folder = common();
    rendered(&folder, "one");
    open_internet(&folder, "acme");
    assert_eq!(folder.mtp(&["render", "--quiet"]).exit, Exit::Clean);
    git(folder.path(), &["checkout", "--quiet", "--", "tenants"]);
    commit(folder.path(), "format");
    open_internet(&folder, "acme");
    let ran = folder.mtp(&["diff"]);
    assert_eq!(ran.exit, Exit::Findings, "{ran}");
    assert!(ran.out.contains("denied  R101"), "{ran}");

    // Likewise where rendered/ lost a file, or the files of a tenant are not ours any more.
    let folder = common();
    rendered(&folder, "one");
    for path in folder.files("rendered/tenants/acme") {
        let text = folder.read(&path);
        folder.write(&path, text.split_once('\n').expect("a header").1);
    }
    commit(folder.path(), "by hand");
    folder.remove("tenants/acme.yaml");
    let ran = folder.mtp(&["diff"]);
    assert!(ran.out.contains("denied  R601"), "{ran}");
    git(folder.path(), &["checkout", "--quiet", "--", "tenants"]);
    folder.remove("rendered/tenants/globex/tenant-globex-web/namespace-tenant-globex-web.yaml");
    commit(folder.path(), "lost");
    open_internet(&folder, "globex");
    let ran = folder.mtp(&["diff"]);
    assert!(ran.out.contains("denied  R101"), "{ran}");
    git(folder.path(), &["checkout", "--quiet", "--", "tenants"]);
    folder.remove("tenants/acme.yaml");
    let ran = folder.mtp(&["diff"]);
    assert!(ran.out.contains("denied  R601"), "{ran}");
}

/// A repository may count its objects in SHA-256.
#[test]
fn objects_may_be_named_by_sha256() {
    let folder = Folder::empty();
    copy(&crate::mtp::repository().join("tests/review/common"), folder.path());
    git(folder.path(), &["init", "--quiet", "--object-format=sha256"]);
    rendered(&folder, "one");
    assert_eq!(folder.mtp(&["diff", "--exit-code"]).exit, Exit::Clean);
    open_internet(&folder, "acme");
    assert_eq!(folder.mtp(&["diff"]).exit, Exit::Findings);
}

/// Links in git are followed as those on disk are, and no further.
#[cfg(unix)]
#[test]
fn links_at_a_revision_mean_what_they_mean_on_disk() {
    let folder = common();
    let elsewhere = folder.join("tenants/tiers/free.yaml");
    std::fs::rename(&elsewhere, folder.join("tenants/shared")).expect("moved");
    std::os::unix::fs::symlink("../shared", Path::new(&elsewhere)).expect("a link");
    rendered(&folder, "linked");
    let ran = folder.mtp(&["diff", "--exit-code", "--head", "HEAD"]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    std::fs::remove_file(&elsewhere).expect("removed");
    std::os::unix::fs::symlink("/etc/passwd", Path::new(&elsewhere)).expect("a link");
    commit(folder.path(), "outside");
    let ran = folder.mtp(&["diff", "--base", "HEAD^", "--head", "HEAD"]);
    assert_eq!(ran.exit, Exit::Failed, "{ran}");
    assert!(!ran.err.contains("root:"), "{ran}");
}
