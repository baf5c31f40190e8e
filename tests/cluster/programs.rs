//! Where the programs of a control plane come from: `KUBEBUILDER_ASSETS`, or else `ci/tools/install`, which builds them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex};

/// The root of the checkout.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of cert-manager's own definitions.
pub fn cert_manager() -> PathBuf {
    definitions("cert-manager", "github.com/cert-manager/cert-manager").join("deploy/crds")
}

/// The folder of a module that definitions of others' kinds are taken from: one of `ci/definitions`.
pub fn definitions(folder: &str, path: &str) -> PathBuf {
    module(&format!("ci/definitions/{folder}"), path)
}

/// The folder of a module, in the version that the `go.mod` of that folder requires.
pub fn module(folder: &str, path: &str) -> PathBuf {
    let ran = Command::new("go")
        .args(["mod", "download", "-json", path])
        .current_dir(repository().join(folder))
        .env("GOWORK", "off")
        .output()
        .expect("Go can be started");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let module: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    Path::new(module["Dir"].as_str().unwrap_or_else(|| panic!("no {path}: {said}"))).to_owned()
}

/// The path of a program.
///
/// Source of the variable: <https://book.kubebuilder.io/reference/envtest>
pub fn program(name: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os("KUBEBUILDER_ASSETS").filter(|folder| !folder.is_empty()) {
        let path = Path::new(&folder).join(name);
        assert!(
            path.is_file(),
            "KUBEBUILDER_ASSETS has no {name}: put it there, or unset KUBEBUILDER_ASSETS, and it is built"
        );
        return path;
    }
    // One at a time: two builds of the same program would do the same work twice.
    static ONE: LazyLock<Mutex<()>> = LazyLock::new(Mutex::default);
    let _one = ONE.lock().unwrap_or_else(|e| e.into_inner());
    let install = repository().join("ci/tools/install");
    let ran = Command::new(&install).arg(name).output().expect("ci/tools/install can be started");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "cluster tests need {name}, which needs Go or KUBEBUILDER_ASSETS:\n{said}");
    Path::new(String::from_utf8_lossy(&ran.stdout).trim()).join(name)
}
