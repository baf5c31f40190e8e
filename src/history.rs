//! Revisions of git: what a folder holds at one, read from git's own objects. Never writes, and runs no git.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::tree::EntryKind;
use time::OffsetDateTime;

use crate::inputs::{Input, Inputs, MAX_FILE_BYTES, TENANTS};
use crate::parse;

/// The history of the repository that a root lies in.
pub struct History {
    repo: gix::ThreadSafeRepository,
    /// The root within the work tree, with `/`; empty: the work tree itself.
    prefix: String,
}

/// A revision.
#[derive(Debug, Clone)]
pub struct Revision {
    /// As it was asked for.
    pub name: String,
    /// The commit.
    pub commit: ObjectId,
    /// When it was committed.
    pub time: OffsetDateTime,
}

/// The files of a folder at a revision: by path relative to the root, what kind of entry, and which blob.
pub type Files = BTreeMap<String, (EntryKind, ObjectId)>;

impl History {
    /// Opens the repository around a root.
    pub fn open(root: &Path) -> Result<History> {
        let repo =
            gix::discover(root).map_err(|error| anyhow!("{} is in no git repository: {error}", root.display()))?;
        let work_tree = repo.workdir().context("the git repository has no work tree")?;
        let [inner, outer] = [root, work_tree].map(crate::disk::canonical);
        let prefix = inner?.strip_prefix(outer?).map(slashed).context("the root is outside of the git work tree")?;
        Ok(History { repo: repo.into_sync(), prefix })
    }

    /// Where the root lies within the work tree, with `/`; empty: at its top.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The commit that a name stands for.
    pub fn revision(&self, name: &str) -> Result<Revision> {
        let repo = self.repo.to_thread_local();
        let shallow = if repo.is_shallow().unwrap_or(false) {
            "; this clone is shallow: fetch the whole history with `git fetch --unshallow`, or that revision alone with `git fetch origin REVISION`"
        } else {
            ""
        };
        let id = repo.rev_parse_single(name.as_bytes().as_bstr()).map_err(|_| {
            let unborn = if repo.head().is_ok_and(|head| head.is_unborn()) { "; there is no commit yet" } else { "" };
            anyhow!("git knows no revision `{}`{unborn}{shallow}", crate::report::line(name))
        })?;
        let commit = id.object().and_then(gix::Object::peel_to_commit);
        let commit = commit.map_err(|_| {
            anyhow!("`{}` is there as a name, and its commit is not{shallow}", crate::report::line(name))
        })?;
        let time = commit.time().context("a commit without a time")?;
        let time = OffsetDateTime::from_unix_timestamp(time.seconds).context("a commit at no time")?;
        Ok(Revision { name: name.to_owned(), commit: commit.id, time })
    }

    /// The revision that both come from. Where `base` is part of `head`, as with a merge commit and its parents, that is
    /// `base` itself.
    pub fn merge_base(&self, base: &Revision, head: &Revision) -> Result<Revision> {
        if base.commit == head.commit {
            return Ok(base.clone());
        }
        let repo = self.repo.to_thread_local();
        let found = repo.merge_base(base.commit, head.commit);
        match found {
            Ok(Some(id)) if id.detach() == base.commit => Ok(base.clone()),
            Ok(Some(id)) => {
                let mut revision = self.revision(&id.to_string())?;
                revision.name = format!("merge base of {} and {}", base.name, head.name);
                Ok(revision)
            }
            _ if repo.is_shallow().unwrap_or(false) => bail!(
                "{} and {} have no common commit in this shallow clone; fetch more of the history: `git fetch --unshallow`, or `fetch-depth: 0` of actions/checkout",
                base.name,
                head.name
            ),
            _ => bail!("{} and {} have no common commit", base.name, head.name),
        }
    }

    /// The files below a folder of the root.
    pub fn files(&self, revision: &Revision, folder: &str) -> Result<Files> {
        let repo = self.repo.to_thread_local();
        let whole = if self.prefix.is_empty() { folder.to_owned() } else { format!("{}/{folder}", self.prefix) };
        let tree = repo.find_commit(revision.commit)?.tree()?;
        let mut files = Files::new();
        if let Some(entry) = tree.lookup_entry_by_path(Path::new(&whole))?
            && entry.mode().kind() == EntryKind::Tree
        {
            walk(&repo, entry.object_id(), folder, &mut files)?;
        }
        Ok(files)
    }

    /// What `tenants/` holds at a revision.
    pub fn inputs(&self, revision: &Revision) -> Result<Inputs> {
        let files = self.files(revision, TENANTS)?;
        let repo = self.repo.to_thread_local();
        let tree = repo.find_commit(revision.commit)?.tree()?;
        let mut inputs = Inputs::default();
        for (path, (kind, id)) in &files {
            let path: Arc<str> = Arc::from(path.as_str());
            let blob = match kind {
                EntryKind::Link => match self.linked(&repo, &tree, &path, *id)? {
                    Target::Blob(target) => target,
                    // As on disk: a folder is not read through a link, and what is no input may lead anywhere.
                    Target::Folder => {
                        inputs.insert(path, Input::LinkLeaves);
                        continue;
                    }
                    Target::Elsewhere if parse::is_read(&path) => {
                        inputs.insert(path, Input::LinkLeaves);
                        continue;
                    }
                    Target::Elsewhere => continue,
                },
                EntryKind::Commit | EntryKind::Tree => {
                    inputs.insert(path, Input::Special);
                    continue;
                }
                EntryKind::Blob | EntryKind::BlobExecutable => *id,
            };
            if !parse::is_read(&path) {
                continue;
            }
            let size = repo.find_header(blob)?.size();
            let input =
                if size > MAX_FILE_BYTES { Input::Oversized(size) } else { Input::Bytes(read(&repo, blob)?.into()) };
            inputs.insert(path, input);
        }
        Ok(inputs)
    }

    /// Where a link leads to, within the root.
    fn linked(&self, repo: &gix::Repository, tree: &gix::Tree<'_>, path: &str, id: ObjectId) -> Result<Target> {
        let target = read(repo, id)?;
        let Ok(target) = std::str::from_utf8(&target) else { return Ok(Target::Elsewhere) };
        let mut whole: PathBuf = Path::new(path).parent().unwrap_or(Path::new("")).to_path_buf();
        for part in Path::new(target).components() {
            match part {
                Component::Normal(part) => whole.push(part),
                Component::ParentDir if whole.pop() => {}
                Component::CurDir => {}
                _ => return Ok(Target::Elsewhere),
            }
        }
        let found = tree.clone().lookup_entry_by_path(Path::new(&self.prefix).join(whole))?;
        Ok(match found.map(|entry| (entry.mode().kind(), entry.object_id())) {
            Some((EntryKind::Blob | EntryKind::BlobExecutable, id)) => Target::Blob(id),
            Some((EntryKind::Tree | EntryKind::Commit, _)) => Target::Folder,
            Some((EntryKind::Link, _)) | None => Target::Elsewhere,
        })
    }

    /// What reads blobs, for one thread.
    pub fn reader(&self) -> Reader {
        Reader(self.repo.to_thread_local())
    }
}

/// Reads blobs.
pub struct Reader(gix::Repository);

impl Reader {
    /// The bytes of a blob.
    pub fn read(&self, id: ObjectId) -> Result<Vec<u8>> {
        read(&self.0, id)
    }

    /// The id that bytes have, or would have.
    pub fn id(&self, bytes: &[u8]) -> Option<ObjectId> {
        gix::objs::compute_hash(self.0.object_hash(), gix::objs::Kind::Blob, bytes).ok()
    }
}

fn read(repo: &gix::Repository, id: ObjectId) -> Result<Vec<u8>> {
    Ok(repo.find_blob(id).with_context(|| format!("git has lost the blob {id}"))?.take_data())
}

fn walk(repo: &gix::Repository, tree: ObjectId, folder: &str, files: &mut Files) -> Result<()> {
    let tree = repo.find_tree(tree).with_context(|| format!("git has lost a tree of {folder}"))?;
    for entry in tree.iter() {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.filename().to_str_lossy());
        match entry.mode().kind() {
            EntryKind::Tree => walk(repo, entry.object_id(), &path, files)?,
            kind => drop(files.insert(path, (kind, entry.object_id()))),
        }
    }
    Ok(())
}

/// Where a symbolic link leads to.
enum Target {
    Blob(ObjectId),
    Folder,
    Elsewhere,
}

fn slashed(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
