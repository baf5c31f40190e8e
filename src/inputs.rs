//! `Inputs`: everything below `tenants/` as values, read once by the shell.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The largest input file that is read, in bytes. A tenant file has one or two thousand; whatever is larger is reported,
/// never parsed.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The folder of the input, relative to the root.
pub const TENANTS: &str = "tenants";

/// The folder of the platform team's templates, relative to the root.
pub const TEMPLATES: &str = "tenants/templates";

/// The folder of certificate state, which has a reader of its own, relative to the root.
pub const CERTS: &str = "tenants/certs";

/// What the input folder holds: an entry for each file, by its path relative to the root (`tenants/acme.yaml`), with `/`
/// as separator on every machine.
#[derive(Debug, Default, Clone)]
pub struct Inputs {
    files: BTreeMap<Arc<str>, Input>,
}

/// One file of the input folder. What could not be read as a file is an entry too, so that it is reported with the rest
/// instead of stopping the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The bytes as they are on disk; not yet known to be UTF-8.
    Bytes(Arc<[u8]>),
    /// Larger than [`MAX_FILE_BYTES`]; the size in bytes.
    Oversized(u64),
    /// A symbolic link whose target lies outside the root, or nowhere.
    LinkLeaves,
    /// A device, socket or pipe: nothing that git could hold.
    Special,
}

impl Inputs {
    /// Adds a file; a path that is there already is replaced.
    pub fn insert(&mut self, path: impl Into<Arc<str>>, input: Input) {
        self.files.insert(path.into(), input);
    }

    /// All entries in path order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Input)> {
        self.files.iter()
    }

    /// The text of a file, for excerpts in reports; `None` where there is none or it is not UTF-8.
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.files.get(path)? {
            Input::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            Input::Oversized(_) | Input::LinkLeaves | Input::Special => None,
        }
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether the folder holds no file at all.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

impl<P: Into<Arc<str>>, B: Into<Vec<u8>>> FromIterator<(P, B)> for Inputs {
    fn from_iter<I: IntoIterator<Item = (P, B)>>(files: I) -> Self {
        let mut inputs = Inputs::default();
        for (path, bytes) in files {
            inputs.insert(path, Input::Bytes(bytes.into().into()));
        }
        inputs
    }
}
