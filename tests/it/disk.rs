//! How `mtp render` treats the folder that it writes to: what is not its own, what was left half done, who else writes.

use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::Duration;

use k8s_mtp::cli::Exit;

use crate::mtp::{Folder, PUBLISHED};

const QUOTA: &str = "rendered/tenants/test-acme/tenant-test-acme-acme/resourcequota-tenant-quota.yaml";
const ISOLATION: &str = "rendered/tenants/test-acme/tenant-test-acme-acme/networkpolicy-tenant-isolation.yaml";
const DEFAULTS: &str = "rendered/tenants/test-acme/tenant-test-acme-acme/limitrange-tenant-defaults.yaml";

#[test]
fn a_second_run_touches_nothing() {
    let folder = Folder::rendered();
    let stamps = |folder: &Folder| -> Vec<_> {
        let files = folder.files("rendered");
        files.iter().map(|f| std::fs::metadata(folder.join(f)).and_then(|m| m.modified()).expect("a time")).collect()
    };
    let before = stamps(&folder);
    std::thread::sleep(Duration::from_millis(20));
    let ran = folder.mtp(&["render"]);
    assert!(ran.out.contains("0 written, 0 removed"), "{ran}");
    assert_eq!(before, stamps(&folder));
}

#[test]
fn check_tells_the_kinds_of_staleness_apart_and_render_repairs_all_but_the_foreign() {
    let folder = Folder::rendered();
    folder.edit(QUOTA, "pods: \"20\"", "pods: \"2000\"");
    folder.remove(ISOLATION);
    let ours = folder.read(DEFAULTS);
    folder.write(
        "rendered/tenants/old/configmap-x.yaml",
        "# Rendered by k8s-mtp from tenants/old.yaml\nkind: ConfigMap\n",
    );
    folder.write(DEFAULTS, format!("<<<<<<< HEAD\n{ours}=======\n{ours}# x\n>>>>>>> branch\n"));
    folder.write("rendered/platform/.k8s-mtp-new-namespace-k8s-mtp.yaml", "# Rendered by");
    folder.write("rendered/platform/backdoor.yaml", "kind: ClusterRoleBinding\n");
    folder.write("rendered/platform/README.md", "nobody reads this as a manifest\n");

    let check = folder.mtp(&["render", "--check"]);
    assert_eq!(check.exit, Exit::Findings, "{check}");
    for (kind, path) in [
        ("changed", QUOTA),
        ("missing", ISOLATION),
        ("orphaned", "rendered/tenants/old/configmap-x.yaml"),
        ("conflicted", DEFAULTS),
        ("leftover", "rendered/platform/.k8s-mtp-new-namespace-k8s-mtp.yaml"),
        ("foreign", "rendered/platform/backdoor.yaml"),
    ] {
        assert!(check.out.contains(&format!("{kind:<10} {path}")), "{kind}: {check}");
    }
    assert!(check.out.contains("(from tenants/acme.yaml:7:9)"), "the cause is named: {check}");
    assert!(check.out.contains("-    pods: \"2000\"") && check.out.contains("+    pods: \"20\""), "{check}");
    assert!(!check.out.contains("README.md"), "{check}");
    assert!(check.out.ends_with("run `mtp render` and commit the result\n"), "{check}");

    let listed = folder.mtp(&["render", "--check", "--list"]);
    assert_eq!((listed.exit, listed.out.lines().count()), (Exit::Findings, 6), "{listed}");

    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Findings, "the foreign file stays: {ran}");
    assert_eq!(folder.read("rendered/platform/backdoor.yaml"), "kind: ClusterRoleBinding\n");
    assert!(!folder.join("rendered/tenants/old").exists(), "the empty folder goes");
    folder.remove("rendered/platform/backdoor.yaml");
    assert_eq!(folder.mtp(&["render", "--check"]).exit, Exit::Clean);
}

#[test]
fn a_foreign_file_in_the_way_is_reported_and_stays() {
    let folder = Folder::rendered();
    folder.write(QUOTA, "kind: Mine\n");
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Findings, "{ran}");
    assert!(ran.err.contains(&format!("foreign    {QUOTA}")), "{ran}");
    assert_eq!(folder.read(QUOTA), "kind: Mine\n");
}

#[test]
fn an_unmarked_folder_with_manifests_of_others_is_not_taken_over() {
    let folder = Folder::published();
    folder.write("rendered/app.yaml", "kind: Deployment\n");
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Failed, "{ran}");
    assert!(ran.err.contains("rendered/app.yaml"), "{ran}");
    assert_eq!(folder.files("rendered"), ["rendered/app.yaml"], "nothing is written");
    let forced = folder.mtp(&["render", "--force"]);
    assert_eq!(forced.exit, Exit::Findings, "the foreign file is still reported: {forced}");
    assert_eq!(folder.read("rendered/app.yaml"), "kind: Deployment\n");
}

#[test]
fn nothing_is_written_through_links() {
    let outside = Folder::empty();
    let folder = Folder::rendered();
    std::fs::remove_dir_all(folder.join("rendered/tenants")).expect("removed");
    symlink(outside.path(), folder.join("rendered/tenants")).expect("a link");
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Failed, "{ran}");
    assert!(outside.files("").is_empty());

    let folder = Folder::published();
    symlink(outside.path(), folder.join("rendered")).expect("a link");
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Failed, "{ran}");
    assert!(outside.files("").is_empty());
}

#[test]
fn links_that_leave_odd_names_and_huge_files_are_reported_not_read() {
    let folder = Folder::published();
    let outside = Folder::empty();
    outside.write("secret.yaml", "password: hunter2\n");
    symlink(outside.join("secret.yaml"), folder.join("tenants/link.yaml")).expect("a link");
    symlink(outside.path(), folder.join("tenants/folder")).expect("a link");
    symlink("acme.yaml", folder.join("tenants/inside.yaml")).expect("a link");
    folder.write("tenants/a b.yaml", PUBLISHED.replace("test-acme", "blank"));
    folder.write("tenants/huge.yaml", vec![b'#'; 1024 * 1024 + 1]);
    let ran = folder.mtp(&["validate"]);
    assert_eq!(ran.exit, Exit::Failed);
    for (rule, path) in [
        ("T004", "tenants/link.yaml"),
        ("T004", "tenants/folder"),
        ("T009", "tenants/a b.yaml"),
        ("T003", "tenants/huge.yaml"),
    ] {
        assert!(
            ran.out.contains(&format!("error[{rule}]")) && ran.out.contains(&format!("--> {path}")),
            "{path}: {ran}"
        );
    }
    assert!(!ran.out.contains("hunter2"));
    assert!(ran.out.contains("there is a second Tenant `test-acme`"), "a link inside is read: {ran}");
}

#[test]
fn places_where_nobody_keeps_a_platform_are_refused() {
    let folder = Folder::published();
    let mtp = |home: &std::path::Path, root: &std::path::Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mtp"));
        command.env("HOME", home).arg("render").arg("--root").arg(root).output().expect("mtp runs")
    };
    let home = mtp(folder.path(), folder.path());
    assert_eq!(home.status.code(), Some(2), "{}", String::from_utf8_lossy(&home.stderr));
    let inside = folder.join(".git/x");
    crate::mtp::copy(&folder.join("tenants"), &inside.join("tenants"));
    let git = mtp(std::path::Path::new("/"), &inside);
    assert_eq!(git.status.code(), Some(2), "{}", String::from_utf8_lossy(&git.stderr));
    assert!(!folder.join("rendered").exists() && !inside.join("rendered").exists());
}

#[test]
fn two_runs_at_once_do_not_both_write() {
    let folder = Folder::rendered();
    let marker = std::fs::File::open(folder.join("rendered/.k8s-mtp")).expect("the marker");
    marker.lock().expect("a lock");
    folder.edit(QUOTA, "20", "21");
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("another mtp is writing"), "{ran}");
    assert_eq!(folder.mtp(&["render", "--check"]).exit, Exit::Findings, "looking needs no lock");
    marker.unlock().expect("unlocked");
    assert_eq!(folder.mtp(&["render"]).exit, Exit::Clean);
}

#[test]
fn whatever_a_killed_run_leaves_the_next_one_repairs() {
    let folder = Folder::published();
    for n in 0..150 {
        folder.write(&format!("tenants/t{n}.yaml"), PUBLISHED.replace("test-acme", &format!("t{n}")));
    }
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mtp"));
        command.arg("render").arg("--root").arg(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("mtp runs")
    };
    for delay in [1, 20, 40, 60, 90, 130, 180, 250] {
        let mut run = start();
        std::thread::sleep(Duration::from_millis(delay));
        run.kill().expect("killed, or done");
        run.wait().expect("gone");
        for file in folder.files("rendered").iter().filter(|f| f.ends_with(".yaml") && !f.contains("/.k8s-mtp-new-")) {
            let text = folder.read(file);
            assert!(text.starts_with("# Rendered by k8s-mtp from ") && text.ends_with('\n'), "{file} is whole");
        }
    }
    let repaired = folder.mtp(&["render", "--quiet"]);
    assert_eq!(repaired.exit, Exit::Clean, "{repaired}");
    let checked = folder.mtp(&["render", "--check"]);
    assert_eq!(checked.exit, Exit::Clean, "{checked}");
    assert!(!folder.files("rendered").iter().any(|f| f.contains(".k8s-mtp-new-")));
}

#[test]
fn a_namespace_goes_in_two_steps() {
    let folder = Folder::rendered();
    let gone = |folder: &Folder, ran: crate::mtp::Ran| {
        assert_eq!(ran.exit, Exit::Failed, "{ran}");
        assert!(ran.err.contains("error[T801]: Namespace `tenant-test-acme-acme` would be removed"), "{ran}");
        assert!(ran.err.contains("state: retired"), "what to do: {ran}");
        assert!(folder.join(QUOTA).exists(), "nothing is removed");
    };
    // Renamed in either part, or dropped.
    folder.edit("tenants/acme.yaml", "  name: acme", "  name: main");
    gone(&folder, folder.mtp(&["render"]));
    folder.write("tenants/acme.yaml", PUBLISHED.replace("test-acme", "acme2"));
    gone(&folder, folder.mtp(&["render"]));
    folder.remove("tenants/acme.yaml");
    gone(&folder, folder.mtp(&["render"]));
    assert_eq!(folder.mtp(&["render", "--check"]).exit, Exit::Failed);
    // The two steps.
    folder.write("tenants/acme.yaml", PUBLISHED.replace("  tier: free", "  tier: free\n  state: retired"));
    assert_eq!(folder.mtp(&["render"]).exit, Exit::Clean);
    folder.remove("tenants/acme.yaml");
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    assert!(!folder.join("rendered/tenants").exists());
}
