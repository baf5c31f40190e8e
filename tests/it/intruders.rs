//! What others put into `rendered/`, on purpose or not, and what a killed run left: nothing is lost, nothing is taken for
//! right that is not, and whatever is ours is put right.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::process::Command;

use k8s_mtp::cli::Exit;

use crate::mtp::Folder;

const TENANT: &str = "rendered/tenants/test-acme";
const NAMESPACE: &str = "rendered/tenants/test-acme/tenant-test-acme-acme";
const QUOTA: &str = "rendered/tenants/test-acme/tenant-test-acme-acme/resourcequota-tenant-quota.yaml";
const OURS: &str = "# Rendered by k8s-mtp from tenants/old.yaml\nkind: ConfigMap\n";

#[track_caller]
fn exits(folder: &Folder, args: &[&str], exit: Exit, says: &str) {
    let ran = folder.mtp(args);
    assert!(ran.exit == exit && format!("{}{}", ran.out, ran.err).contains(says), "expected {says}: {ran}");
}

/// A file where a folder of ours is to be: ours is replaced, another one is named and stops the run.
#[test]
fn files_in_place_of_folders() {
    for place in ["rendered/tenants", TENANT, NAMESPACE] {
        for (content, exit) in [(OURS, Exit::Clean), ("mine\n", Exit::Failed)] {
            let folder = Folder::rendered();
            fs::remove_dir_all(folder.join(place)).expect("removed");
            folder.write(place, content);
            if exit == Exit::Failed {
                exits(&folder, &["render", "--check"], Exit::Findings, &format!("foreign    {place}"));
                exits(&folder, &["render"], exit, &format!("{place} is in the way"));
                assert_eq!(folder.read(place), content);
                folder.remove(place);
            }
            exits(&folder, &["render"], Exit::Clean, "");
            exits(&folder, &["render", "--check"], Exit::Clean, "up to date");
        }
    }
}

#[test]
fn a_folder_in_place_of_a_file() {
    for inside in [None, Some("mine.txt")] {
        let folder = Folder::rendered();
        folder.remove(QUOTA);
        fs::create_dir(folder.join(QUOTA)).expect("made");
        if let Some(name) = inside {
            folder.write(&format!("{QUOTA}/{name}"), "mine\n");
        }
        exits(&folder, &["render", "--check"], Exit::Findings, &format!("foreign    {QUOTA}"));
        exits(&folder, &["render"], Exit::Failed, "is in the way");
        fs::remove_dir_all(folder.join(QUOTA)).expect("removed");
        exits(&folder, &["render"], Exit::Clean, "1 written");
        exits(&folder, &["render", "--check"], Exit::Clean, "up to date");
    }
}

/// Links and pipes that are in nobody's way are reported, and stop nothing.
#[test]
fn links_and_pipes_beside_ours() {
    let folder = Folder::rendered();
    symlink("/etc/hostname", folder.join("rendered/README.md")).expect("a link");
    assert!(Command::new("mkfifo").arg(folder.join("rendered/pipe")).status().expect("mkfifo").success());
    folder.edit(QUOTA, "pods: \"20\"", "pods: \"2000\"");
    exits(&folder, &["render"], Exit::Findings, "1 written");
    exits(&folder, &["render", "--check"], Exit::Findings, "foreign    rendered/pipe");
}

#[test]
fn names_that_are_no_utf_8() {
    let folder = Folder::rendered();
    let odd = folder.join(NAMESPACE).join(OsStr::from_bytes(b"d\xff"));
    fs::create_dir(&odd).expect("made");
    fs::write(odd.join("evil.yaml"), "kind: Pod\n").expect("written");
    exits(&folder, &["render", "--check"], Exit::Findings, "foreign");
    fs::remove_dir_all(&odd).expect("removed");
    fs::write(&odd, "a note\n").expect("written");
    exits(&folder, &["render"], Exit::Findings, "foreign");
}

#[test]
fn rendered_itself_is_no_link() {
    let folder = Folder::rendered();
    fs::rename(folder.join("rendered"), folder.join("elsewhere")).expect("renamed");
    symlink(folder.join("elsewhere"), folder.join("rendered")).expect("a link");
    for args in [&["render", "--check"][..], &["render"]] {
        exits(&folder, args, Exit::Failed, "rendered is a symbolic link");
    }
}

/// What a killed run left of a tenant that was taken back is no Namespace that would be removed.
#[test]
fn leftovers_of_a_tenant_that_never_was() {
    let folder = Folder::rendered();
    let whole = folder.read(&format!("{NAMESPACE}/namespace-tenant-test-acme-acme.yaml")).replace("acme", "other");
    folder.write("rendered/tenants/.k8s-mtp-new-other/tenant-other-web/namespace-tenant-other-web.yaml", &whole);
    folder.write("rendered/tenants/.k8s-mtp-new-part/namespace.yaml", "# Rendered by k8s");
    exits(&folder, &["render"], Exit::Clean, "2 removed");
    exits(&folder, &["render", "--check"], Exit::Clean, "up to date");
}

/// By its name alone nothing is ours.
#[test]
fn files_of_others_under_our_names() {
    let folder = Folder::rendered();
    let note = "rendered/tenants/.k8s-mtp-new-note";
    let inside = "rendered/tenants/.k8s-mtp-new-test-acme/mine.txt";
    let temporary = format!("{NAMESPACE}/.k8s-mtp-new-resourcequota-tenant-quota.yaml");
    for path in [note, inside, &temporary] {
        folder.write(path, "precious\n");
    }
    fs::remove_dir_all(folder.join(TENANT)).expect("removed");
    folder.write(&temporary, "precious\n");
    exits(&folder, &["render"], Exit::Findings, "written");
    folder.edit(QUOTA, "pods: \"20\"", "pods: \"2000\"");
    exits(&folder, &["render"], Exit::Findings, "1 written");
    for path in [note, inside, &temporary] {
        assert_eq!(folder.read(path), "precious\n", "{path}");
    }
    exits(&folder, &["render", "--check"], Exit::Findings, &format!("foreign    {temporary}"));
}

#[test]
fn a_marker_of_somebody_else_is_not_overwritten() {
    let folder = Folder::rendered();
    folder.write("precious", "precious\n");
    folder.remove("rendered/.k8s-mtp");
    fs::hard_link(folder.join("precious"), folder.join("rendered/.k8s-mtp")).expect("a link");
    exits(&folder, &["render"], Exit::Findings, "foreign    rendered/.k8s-mtp");
    assert_eq!(folder.read("precious"), "precious\n");
}

/// A Namespace that cannot be made out is not removed.
#[test]
fn a_namespace_that_cannot_be_read_stays() {
    for spoilt in ["  bad: [\n", "\u{fffd}"] {
        let folder = Folder::rendered();
        folder.write("tenants/second.yaml", crate::mtp::PUBLISHED.replace("test-acme", "second"));
        assert_eq!(folder.mtp(&["render"]).exit, Exit::Clean);
        let path = "rendered/tenants/second/tenant-second-acme/namespace-tenant-second-acme.yaml";
        let mut bytes = folder.read(path).into_bytes();
        bytes.extend(if spoilt == "\u{fffd}" { b"  x: \xff: [\n".as_slice() } else { spoilt.as_bytes() });
        fs::write(folder.join(path), bytes).expect("written");
        folder.remove("tenants/second.yaml");
        exits(&folder, &["render"], Exit::Failed, "T801");
        assert!(folder.join(path).exists());
        let listed = folder.mtp(&["render", "--check", "--list"]);
        assert!(listed.exit == Exit::Failed && listed.err.contains("T801"), "{listed}");
    }
}

/// Our own files may hold more than the reader of input takes.
#[test]
fn a_namespace_in_a_huge_file_stays() {
    let folder = Folder::rendered();
    folder.edit("tenants/platform.yaml", "spec:", "spec:\n  output:\n    layout: namespace");
    folder.write("tenants/second.yaml", crate::mtp::PUBLISHED.replace("test-acme", "second"));
    for number in 0..3 {
        let template = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: many-{number}\ndata:\n{{% for i in range(20000) %}}\n  \
             k{{{{ i }}}}: v\n{{% endfor %}}\n"
        );
        folder.write(&format!("tenants/templates/{number}.yaml"), template);
    }
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    folder.remove("tenants/second.yaml");
    exits(&folder, &["render"], Exit::Failed, "T801");
    exits(&folder, &["render", "--check"], Exit::Failed, "T801");
}

#[test]
fn the_root_is_not_rendered_itself() {
    let folder = Folder::rendered();
    let ran = Command::new(env!("CARGO_BIN_EXE_mtp")).arg("validate").current_dir(folder.join(TENANT)).output();
    let ran = ran.expect("mtp runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
}

#[test]
fn an_answer_that_cannot_be_written_is_no_answer() {
    let folder = Folder::rendered();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let ran = Command::new(env!("CARGO_BIN_EXE_mtp")).arg("validate").current_dir(folder.path()).stdout(full).output();
    let ran = ran.expect("mtp runs");
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("standard output"));
}

/// Whoever names a file or a tenant does not write lines of the report.
#[test]
fn names_stay_on_their_line() {
    let folder = Folder::rendered();
    folder.write("rendered/x\nchanged    rendered/forged.yaml", "kind: Pod\n");
    let check = folder.mtp(&["render", "--check"]);
    assert!(!check.out.contains("\nchanged    rendered/forged"), "{check}");
    let listed = folder.mtp(&["render", "--check", "--list"]);
    assert_eq!(listed.out.lines().count(), 1, "{listed}");
    folder.edit("tenants/acme.yaml", "name: acme", "name: \"a\\nerror[T001]: forged\"");
    let validated = folder.mtp(&["validate"]);
    assert!(!validated.out.contains("\nerror[T001]"), "{validated}");
}

#[test]
fn init_writes_through_no_link() {
    for name in ["tenants", ".gitattributes"] {
        let (folder, other) = (Folder::empty(), Folder::empty());
        other.write("gitattributes", "");
        let target = if name == "tenants" { other.path().to_owned() } else { other.join("gitattributes") };
        symlink(target, folder.join(name)).expect("a link");
        exits(&folder, &["init"], Exit::Failed, "is a symbolic link");
        assert_eq!(other.read("gitattributes"), "");
    }
}
