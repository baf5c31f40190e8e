//! Runs the command line in process, and makes folders to run it in.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use k8s_mtp::cli::{Exit, Streams, run};
use tempfile::TempDir;

/// What a run said and how it ended.
#[must_use]
pub struct Ran {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {:?}\n--- stdout\n{}--- stderr\n{}", self.exit, self.out, self.err)
    }
}

/// `mtp ARGS`, in process.
pub fn mtp<S: AsRef<str>>(args: &[S]) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let streams =
        Streams { out: &mut out, err: &mut err, out_is_terminal: false, err_is_terminal: false, no_color: true };
    let args = std::iter::once(OsString::from("mtp")).chain(args.iter().map(|a| OsString::from(a.as_ref())));
    let exit = run(args, streams);
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Ran { exit, out: text(out), err: text(err) }
}

/// The folder of this repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder of its own for one test, gone afterwards.
pub struct Folder(TempDir);

impl Folder {
    /// An empty one.
    pub fn empty() -> Folder {
        Folder(tempfile::tempdir().expect("a temporary folder"))
    }

    /// One in which `mtp init` ran, with the published tenant as its only one.
    pub fn published() -> Folder {
        let folder = Folder::empty();
        let ran = folder.mtp(&["init", "--no-tenant"]);
        assert_eq!(ran.exit, Exit::Clean, "{ran}");
        folder.write("tenants/acme.yaml", PUBLISHED);
        folder
    }

    /// Another `admission` than what `mtp init` wrote at the end of the Platform.
    pub fn admission(&self, text: &str) {
        let platform = self.read("tenants/platform.yaml");
        let (before, _) = platform.split_once("\n  admission:\n").expect("what mtp init writes");
        self.write("tenants/platform.yaml", format!("{before}{text}"));
    }

    /// The same, rendered.
    pub fn rendered() -> Folder {
        let folder = Folder::published();
        assert_eq!(folder.mtp(&["render"]).exit, Exit::Clean);
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn join(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    pub fn remove(&self, path: &str) {
        std::fs::remove_file(self.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    }

    /// Replaces text in a file; it must be there.
    pub fn edit(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert!(text.contains(old), "{path} has no {old:?}");
        self.write(path, text.replace(old, new));
    }

    /// Runs `mtp` here.
    pub fn mtp<S: AsRef<str>>(&self, args: &[S]) -> Ran {
        let root = self.0.path().to_str().expect("a path in UTF-8").to_owned();
        let args: Vec<String> = args.iter().map(|a| a.as_ref().to_owned()).chain(["--root".to_owned(), root]).collect();
        mtp(&args)
    }

    /// All files below a folder, by path relative to this one.
    pub fn files(&self, below: &str) -> Vec<String> {
        let mut all = Vec::new();
        if !self.join(below).exists() {
            return all;
        }
        for entry in walkdir::WalkDir::new(self.join(below)).sort_by_file_name() {
            let entry = entry.expect("a readable folder");
            if entry.file_type().is_file() {
                all.push(entry.path().strip_prefix(self.path()).expect("below").to_str().expect("UTF-8").to_owned());
            }
        }
        all
    }
}

pub fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("a readable folder");
        let target = to.join(entry.path().strip_prefix(from).expect("below"));
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(target).expect("a folder");
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// The tenant file as it was published for the product that this one follows; it has to work unchanged.
pub const PUBLISHED: &str = "\
apiVersion: multitenant.k8s-mtp.io/v1
kind: Tenant
metadata:
  name: test-acme
  namespace: k8s-mtp
spec:
  name: acme
  tier: free
  ownerEmail: admin@acme.org
  admins:
    - alice@acme.com
  operators:
    - bob@acme.com
";
