//! Who applies `rendered/` changes nothing of what is applied.

use std::collections::BTreeMap;

use k8s_mtp::cli::Exit;

use crate::mtp::{Folder, copy, repository};

/// What the sample renders to with an engine, by path.
fn rendered(engine: &str) -> BTreeMap<String, String> {
    let folder = Folder::empty();
    copy(&repository().join("tenants"), &folder.join("tenants"));
    folder.edit("tenants/platform.yaml", "engine: both", &format!("engine: {engine}"));
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    folder.files("rendered").into_iter().map(|path| (path.clone(), folder.read(&path))).collect()
}

#[test]
fn an_engine_changes_no_byte_of_what_it_applies() {
    let (gitops, none): (BTreeMap<_, _>, BTreeMap<_, _>) =
        rendered("none").into_iter().partition(|(path, _)| path.starts_with("rendered/gitops/"));
    assert!(gitops.is_empty());
    for (engine, folders) in [("argocd", &["argocd"][..]), ("flux", &["flux"]), ("both", &["argocd", "flux"])] {
        let (gitops, applied): (BTreeMap<_, _>, BTreeMap<_, _>) =
            rendered(engine).into_iter().partition(|(path, _)| path.starts_with("rendered/gitops/"));
        let but_guards = |files: &BTreeMap<String, String>| -> BTreeMap<String, String> {
            files.iter().filter(|(path, _)| !lets_engines_through(path)).map(|(p, t)| (p.clone(), t.clone())).collect()
        };
        assert_eq!(but_guards(&applied), but_guards(&none), "{engine}");
        for folder in ["argocd", "flux"] {
            let there = gitops.keys().any(|path| path.starts_with(&format!("rendered/gitops/{folder}/")));
            assert_eq!(there, folders.contains(&folder), "{engine}: {folder}");
        }
    }
}

/// The guards of what is rendered, which name whoever applies it.
fn lets_engines_through(path: &str) -> bool {
    let guards = ["managed-objects", "namespaces", "network-policies", "role-bindings"];
    guards.iter().any(|name| path.ends_with(&format!("/validatingadmissionpolicy-k8s-mtp-{name}.yaml")))
}

/// Argo CD in its directory mode refuses a folder with one, and Flux would take it for the whole folder.
#[test]
fn no_list_stands_in_what_is_applied() {
    let lists: Vec<String> = rendered("both").into_keys().filter(|path| path.ends_with("kustomization.yaml")).collect();
    assert!(lists.len() > 5);
    assert!(lists.iter().all(|path| path.starts_with("rendered/gitops/flux/")), "{lists:?}");
}

/// An engine that is taken out goes with its folder, and nothing else does.
#[test]
fn an_engine_that_goes_takes_its_folder_along() {
    let folder = Folder::empty();
    copy(&repository().join("tenants"), &folder.join("tenants"));
    assert_eq!(folder.mtp(&["render"]).exit, Exit::Clean);
    folder.edit("tenants/platform.yaml", "engine: both", "engine: argocd");
    assert_eq!(folder.mtp(&["render", "--check"]).exit, Exit::Findings);
    assert_eq!(folder.mtp(&["render"]).exit, Exit::Clean);
    assert!(folder.join("rendered/gitops/argocd").is_dir());
    assert!(!folder.join("rendered/gitops/flux").exists());
    folder.edit("tenants/platform.yaml", "engine: argocd", "engine: none");
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    assert!(!folder.join("rendered/gitops").exists());
    assert_eq!(folder.mtp(&["render", "--check"]).exit, Exit::Clean);
}

/// Where a tenant's files stand depends on the tenant alone.
#[test]
fn who_else_there_is_moves_no_file() {
    let folder = Folder::empty();
    copy(&repository().join("tenants"), &folder.join("tenants"));
    assert_eq!(folder.mtp(&["render"]).exit, Exit::Clean);
    let before: Vec<String> = folder.files("rendered/gitops");
    for number in 0..40 {
        let text = folder.read("tenants/vintage.yaml").replace("vintage", &format!("more-{number}"));
        folder.write(&format!("tenants/more/{number}.yaml"), text);
    }
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    let after = folder.files("rendered/gitops");
    assert_eq!(before.iter().find(|path| !after.contains(path)), None);
    let shards = std::fs::read_dir(folder.join("rendered/gitops/flux/tenants")).expect("a folder").count();
    assert!((10..=16).contains(&shards), "{shards}");
}
