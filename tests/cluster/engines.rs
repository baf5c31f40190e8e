//! What engines are told is what their own definitions take, and kustomize reads of it what we mean.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::control_plane::{ControlPlane, NEWEST};
use crate::fixture::established;
use crate::kubectl::kubectl;
use crate::manifests::{Document, Resources, documents};
use crate::programs::{definitions, module, repository};
use crate::world::World;

/// Folders named `rendered/gitops` of this repository and of the cases.
fn folders() -> Vec<PathBuf> {
    let cases = fs::read_dir(repository().join("tests/cases")).expect("the cases");
    let cases = cases.map(|entry| entry.expect("an entry").path());
    let all = cases.chain([repository().to_owned()]).map(|folder| folder.join("rendered/gitops"));
    let mut all: Vec<PathBuf> = all.filter(|folder| folder.is_dir()).collect();
    all.sort();
    assert!(all.len() > 4, "{all:?}");
    all
}

/// Whether all of a value is in another.
fn is_within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(key, value)| whole.get(key).is_some_and(|other| is_within(value, other)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(a, b)| is_within(a, b))
        }
        (part, whole) => part == whole,
    }
}

/// Documents of the files that stand directly in a folder, but for the list of them.
fn directly(folder: &Path) -> Vec<Document> {
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let files = files.filter(|path| path.is_file() && !path.ends_with("kustomization.yaml"));
    files.flat_map(|path| documents(&fs::read_to_string(path).expect("a file"))).collect()
}

/// This folder and all below it.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.expect("a readable folder"));
    entries.filter(|entry| entry.file_type().is_dir()).map(|entry| entry.into_path()).collect()
}

/// What one of README's guides makes of an empty repository.
pub fn guide(heading: &str) -> World {
    let readme = fs::read_to_string(repository().join("README.md")).expect("README.md");
    let (_, guide) = readme.split_once(heading).expect("the guide");
    let commands = guide.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("its commands");
    let (_, rest) = commands.split_once("cat >> tenants/platform.yaml <<'END'\n").expect("what is added");
    let (added, _) = rest.split_once("END\n").expect("the end of it");
    assert!(commands.lines().count() <= 12, "a guide of ten lines");
    let world = World::empty();
    world.clean(&["init"]);
    let platform = world.folder.read("tenants/platform.yaml");
    world.folder.write("tenants/platform.yaml", platform + added);
    world.clean(&["render"]);
    world
}

/// What README's guide for Argo CD has an admin do, as far as it goes without Argo CD itself.
#[test]
fn the_guide_for_argo_cd_is_taken_as_it_is() {
    let world = guide("### Let Argo CD apply it");
    let plane = ControlPlane::start(NEWEST);
    define(&plane);
    kubectl(&plane, &["create", "namespace", "argocd"]);
    let folder = world.folder.join("rendered/gitops/argocd");
    let said = kubectl(&plane, &["apply", "--server-side", "--filename", folder.to_str().expect("a path")]);
    for object in [
        "appproject.argoproj.io/k8s-mtp",
        "application.argoproj.io/k8s-mtp",
        "clusterrole.rbac.authorization.k8s.io/k8s-mtp-argocd",
    ] {
        assert!(said.contains(&format!("{object} serverside-applied")), "{said}");
    }
}

/// Installs the definitions of both engines.
fn define(plane: &ControlPlane) {
    let admin = plane.client();
    let argocd = definitions("argocd", "github.com/argoproj/argo-cd/v3").join("manifests/crds");
    let flux = module("ci/flux", "github.com/fluxcd/kustomize-controller").join("config/crd/bases");
    let sources = definitions("source-controller", "github.com/fluxcd/source-controller").join("config/crd/bases");
    for (folder, file, name) in [
        (&argocd, "application-crd.yaml", "applications.argoproj.io"),
        (&argocd, "applicationset-crd.yaml", "applicationsets.argoproj.io"),
        (&argocd, "appproject-crd.yaml", "appprojects.argoproj.io"),
        (&flux, "kustomize.toolkit.fluxcd.io_kustomizations.yaml", "kustomizations.kustomize.toolkit.fluxcd.io"),
        (&sources, "source.toolkit.fluxcd.io_gitrepositories.yaml", "gitrepositories.source.toolkit.fluxcd.io"),
    ] {
        let path = folder.join(file);
        kubectl(plane, &["apply", "--server-side", "--filename", path.to_str().expect("a path")]);
        established(plane, &admin, name);
    }
}

#[test]
fn their_definitions_take_what_is_rendered() {
    let plane = ControlPlane::start(NEWEST);
    define(&plane);
    let admin = plane.client();
    let resources = Resources::of(&admin);
    let mut count = 0;
    for folder in folders() {
        let all: Vec<Document> = below(&folder).iter().flat_map(|folder| directly(folder)).collect();
        for namespace in all.iter().map(Document::namespace).filter(|namespace| !namespace.is_empty()) {
            let object = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
            let answer = admin.post("/api/v1/namespaces", &object);
            assert!([201, 409].contains(&answer.status), "{}", answer.message());
        }
        for document in &all {
            let stored = admin.apply(&document.path(&resources), &document.text, false).ok();
            // Nothing is dropped or changed; what is left out may have a default.
            let kept = is_within(&document.value["spec"], &stored["spec"]);
            assert!(kept, "{} {}: {}", document.kind(), document.name(), stored["spec"]);
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
}

#[test]
fn kustomize_reads_each_folder_as_what_stands_in_it() {
    let key = |value: &Value| {
        ["/apiVersion", "/kind", "/metadata/namespace", "/metadata/name"]
            .map(|pointer| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned())
    };
    let keyed = |all: Vec<Document>| -> BTreeMap<[String; 4], Value> {
        let count = all.len();
        let map: BTreeMap<_, _> = all.into_iter().map(|d| (key(&d.value), d.value)).collect();
        assert_eq!(map.len(), count, "each once");
        map
    };
    let mut count = 0;
    for folder in folders().iter().flat_map(|folder| below(folder)).filter(|f| f.join("kustomization.yaml").is_file()) {
        let built = std::process::Command::new(crate::programs::program("kubectl"))
            .args(["kustomize", folder.to_str().expect("a path")])
            .output()
            .expect("kubectl can be started");
        assert!(built.status.success(), "{}: {}", folder.display(), String::from_utf8_lossy(&built.stderr));
        let text = String::from_utf8(built.stdout).expect("UTF-8");
        assert_eq!(keyed(documents(text.trim_end())), keyed(directly(&folder)), "{}", folder.display());
        count += 1;
    }
    assert!(count > 8, "{count}");
}
