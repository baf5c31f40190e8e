//! The only place that touches files. It reads, compares (`look`) and writes (`write`); what to do is decided by [`crate::tree`].
#![expect(clippy::disallowed_methods, reason = "this is the shell")]

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use walkdir::WalkDir;

use crate::inputs::{Input, Inputs, MAX_FILE_BYTES, TENANTS};
use crate::parse;
use crate::rendered::{MARKER, MARKER_NAME, RENDERED};
use crate::tree::{self, Have};

mod folder;
mod look;
mod write;

pub use folder::{Tree, read_tree};
pub use look::Look;
pub use write::apply;

/// The nearest folder from `start` upwards that has `tenants/`.
pub fn find_root(start: &Path) -> Result<PathBuf> {
    let start = fs::canonicalize(start).with_context(|| format!("cannot access {}", start.display()))?;
    start
        .ancestors()
        // rendered/ has a folder of that name too.
        .find(|folder| folder.join(TENANTS).is_dir() && !folder.join(MARKER_NAME).is_file())
        .map(Path::to_path_buf)
        .with_context(|| format!("no folder from {} upwards has {TENANTS}/; `mtp init` makes one", start.display()))
}

/// The folder that the process was started in.
pub fn current_folder() -> Result<PathBuf> {
    std::env::current_dir().context("cannot tell the current folder")
}

/// A path without links in it.
pub fn canonical(path: &Path) -> Result<PathBuf> {
    fs::canonicalize(path).with_context(|| format!("cannot access {}", path.display()))
}

/// Reads everything below `tenants/` that is input.
pub fn read(root: &Path) -> Result<Inputs> {
    let folder = root.join(TENANTS);
    if !folder.is_dir() {
        bail!("cannot access {}: there is no such folder", folder.display());
    }
    let inside = fs::canonicalize(root).with_context(|| format!("cannot access {}", root.display()))?;
    let mut found: Vec<(Arc<str>, PathBuf, fs::FileType)> = Vec::new();
    for entry in WalkDir::new(&folder).sort_by_file_name() {
        let entry = walked(entry, &folder)?;
        if entry.file_type().is_dir() {
            continue;
        }
        let path = relative(root, entry.path());
        let kind = entry.file_type();
        if parse::is_read(&path) || (kind.is_symlink() && is_folder_link(entry.path())) {
            found.push((path.into(), entry.into_path(), kind));
        }
    }
    let read: Vec<(Arc<str>, Input)> = found
        .into_par_iter()
        .map(|(path, file, kind)| {
            let input = read_input(&file, kind, &inside).with_context(|| format!("cannot read {}", file.display()))?;
            Ok((path, input))
        })
        .collect::<Result<_>>()?;
    let mut inputs = Inputs::default();
    for (path, input) in read {
        inputs.insert(path, input);
    }
    Ok(inputs)
}

/// A link to a folder: what it holds is not read, which must be said.
fn is_folder_link(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|m| m.is_dir())
}

fn read_input(file: &Path, kind: fs::FileType, root: &Path) -> io::Result<Input> {
    if kind.is_symlink() {
        match fs::canonicalize(file) {
            Ok(target) if target.starts_with(root) && !target.is_dir() => {}
            _ => return Ok(Input::LinkLeaves),
        }
    }
    // To open a pipe would wait for its other end.
    if !kind.is_file() && !fs::metadata(file)?.is_file() {
        return Ok(Input::Special);
    }
    let opened = fs::File::open(file)?;
    let metadata = opened.metadata()?;
    if metadata.len() > MAX_FILE_BYTES {
        return Ok(Input::Oversized(metadata.len()));
    }
    // A file may grow between the look and the read: never more than the limit.
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    opened.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Ok(Input::Oversized(bytes.len() as u64));
    }
    Ok(Input::Bytes(bytes.into()))
}

/// Path relative to the root, with `/`. What is no UTF-8 shows as such; such a name is refused for its characters.
fn relative(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path).to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' { path.into_owned() } else { path.replace(std::path::MAIN_SEPARATOR, "/") }
}

/// Why nothing may be written to `rendered/`; `force` says that the place is meant.
pub fn refuse_to_write(root: &Path, have: &Have, force: bool) -> Option<String> {
    let whole = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    if !force && (whole.parent().is_none() || std::env::home_dir().is_some_and(|home| home == whole)) {
        let place = whole.display();
        return Some(format!("{place} is no place for a platform: use a folder of its own, or `mtp render --force`"));
    }
    if whole.components().any(|part| part.as_os_str() == ".git") {
        return Some(format!("{} is inside of git's own folder", whole.display()));
    }
    if let Some(path) = tree::blocking(have).next() {
        return Some(format!("{path} is in the way, and not ours: move it away; nothing is written through links"));
    }
    None
}

/// Fails where `name` is a symbolic link: what is written stays in this place.
pub fn refuse_link(root: &Path, name: &str) -> Result<()> {
    if fs::symlink_metadata(root.join(name)).is_ok_and(|m| m.file_type().is_symlink()) {
        bail!("{name} is a symbolic link; nothing is read or written through one");
    }
    Ok(())
}

/// Whether the folder carries the mark of an earlier run.
pub fn is_marked(root: &Path) -> bool {
    root.join(MARKER).is_file()
}

/// Keeps a second run from writing at the same time, until dropped.
pub struct Lock(fs::File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closed alone, it would stay locked as long as a child that another thread is just starting has it open, too. Where
        // this fails, closing it has to do.
        let _ = self.0.unlock();
    }
}

/// Takes the lock of `rendered/`: the marker itself, which is never replaced.
pub fn lock(root: &Path) -> Result<Lock> {
    let marker = root.join(MARKER);
    fs::create_dir_all(root.join(RENDERED)).with_context(|| format!("cannot create {RENDERED}"))?;
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&marker)
        .with_context(|| format!("cannot open {MARKER}"))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(fs::TryLockError::WouldBlock) => bail!("another mtp is writing to {RENDERED}/; run it again afterwards"),
        Err(fs::TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {MARKER}")),
    }
}

/// An entry below `folder`, or why there is none; walkdir's own words would repeat the path.
fn walked(entry: walkdir::Result<walkdir::DirEntry>, folder: &Path) -> Result<walkdir::DirEntry> {
    let entry = entry.map_err(|e| e.into_io_error().unwrap_or_else(|| io::Error::other("a loop of links")));
    entry.with_context(|| format!("cannot read {}", folder.display()))
}

/// Reads files of manifests: each by the name it was given under, folders with all that kubectl would read of them, `-` for
/// standard input.
pub fn read_manifests(paths: &[PathBuf]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut all = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
            all.push(("-".to_owned(), bytes));
            continue;
        }
        for entry in WalkDir::new(path).sort_by_file_name() {
            let entry = walked(entry, path)?;
            let ending = entry.path().extension().and_then(|e| e.to_str());
            let given = entry.depth() == 0;
            if entry.file_type().is_dir() || !(given || matches!(ending, Some("yaml" | "yml" | "json"))) {
                continue;
            }
            let bytes = fs::read(entry.path()).with_context(|| format!("cannot read {}", entry.path().display()))?;
            all.push((entry.path().to_string_lossy().into_owned(), bytes));
        }
    }
    Ok(all)
}

/// Reads a text file that a command needs beside its input.
pub fn read_text(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Writes a report of one or more parts: `PATH`, `PATH.2`, `PATH.3`. Further parts of an earlier run are removed.
pub fn write_parts(path: &Path, parts: &[String]) -> Result<()> {
    let numbered = |number: usize| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    for (index, part) in parts.iter().enumerate() {
        let target = if index == 0 { path.to_path_buf() } else { numbered(index + 1) };
        write_text(&target, part)?;
    }
    let mut next = parts.len().max(1) + 1;
    while numbered(next).is_file() {
        remove(&numbered(next))?;
        next += 1;
    }
    Ok(())
}

/// Reads a small text file that people or commands keep: a plain file of a megabyte at most, so that whatever else has its
/// name, such as a pipe, holds nobody up.
pub fn read_small(path: &Path) -> Result<Option<String>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        Ok(file) if !file.is_file() => bail!("{} is no file", path.display()),
        Ok(file) if file.len() > MAX_FILE_BYTES => bail!("{} has {} bytes", path.display(), file.len()),
        Ok(_) => {}
    }
    read_text(path)
}

/// Writes a file that a command was asked for, its folders too.
pub fn write_text(path: &Path, text: &str) -> Result<()> {
    create_parent(path)?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a file that must not be there yet.
pub fn create_text(path: &Path, text: &str) -> Result<()> {
    create_parent(path)?;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .with_context(|| format!("cannot create {}", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}

fn create_parent(path: &Path) -> Result<()> {
    match path.parent().filter(|p| !p.as_os_str().is_empty()) {
        Some(parent) => fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display())),
        None => Ok(()),
    }
}

/// Writes a file below the root whole, whatever was there.
pub fn replace(root: &Path, path: &str, text: &str) -> Result<()> {
    create_parent(&root.join(path))?;
    write::write(root, path, text.as_bytes()).with_context(|| format!("cannot write {path}"))
}

/// Writes a file that is somebody else's, whole or not at all, with the rights that it had; one that is read-only is left alone.
pub fn edit(root: &Path, path: &str, text: &str) -> Result<()> {
    let whole = root.join(path);
    let rights = fs::metadata(&whole).with_context(|| format!("cannot read {path}"))?.permissions();
    anyhow::ensure!(!rights.readonly(), "cannot write {path}: it is read-only");
    replace(root, path, text)?;
    fs::set_permissions(&whole, rights).with_context(|| format!("cannot give {path} the rights that it had"))
}

/// Gives a file below the root another name, whatever had that name.
pub fn rename(root: &Path, from: &str, to: &str) -> Result<()> {
    fs::rename(root.join(from), root.join(to)).with_context(|| format!("cannot rename {from} to {to}"))
}

/// Removes a file, if it is there.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Hands out all files below a folder of the root, one at a time; links are not followed.
pub fn each_file(root: &Path, folder: &str, mut each: impl FnMut(String, &[u8])) -> Result<()> {
    let folder = root.join(folder);
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in WalkDir::new(&folder).sort_by_file_name() {
        let entry = walked(entry, &folder)?;
        if entry.file_type().is_file() {
            let bytes = fs::read(entry.path()).with_context(|| format!("cannot read {}", entry.path().display()))?;
            each(relative(root, entry.path()), &bytes);
        }
    }
    Ok(())
}

/// Whether something stands at `path`.
pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
