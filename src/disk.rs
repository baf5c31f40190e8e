//! The only place that touches files. It reads, compares and writes; what to do is decided by [`crate::tree`].
#![expect(clippy::disallowed_methods, reason = "this is the shell")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use walkdir::WalkDir;

use crate::inputs::{Input, Inputs, MAX_FILE_BYTES, TENANTS};
use crate::parse;
use crate::rendered::{MARKER, RENDERED, Rendered};
use crate::tree::{self, Change, ChangeKind, Have, TEMPORARY};

/// The nearest folder from `start` upwards that has `tenants/`.
pub fn find_root(start: &Path) -> Result<PathBuf> {
    let start = fs::canonicalize(start).with_context(|| format!("cannot access {}", start.display()))?;
    start
        .ancestors()
        .find(|folder| folder.join(TENANTS).is_dir())
        .map(Path::to_path_buf)
        .with_context(|| format!("no folder from {} upwards has {TENANTS}/; `mtp init` makes one", start.display()))
}

/// The folder that the process was started in.
pub fn current_folder() -> Result<PathBuf> {
    std::env::current_dir().context("cannot tell the current folder")
}

/// Reads everything below `tenants/` that is input.
pub fn read(root: &Path) -> Result<Inputs> {
    let folder = root.join(TENANTS);
    if !folder.is_dir() {
        bail!("cannot access {}: there is no such folder", folder.display());
    }
    let inside = fs::canonicalize(root).with_context(|| format!("cannot access {}", root.display()))?;
    let mut found: Vec<(Arc<str>, PathBuf, bool)> = Vec::new();
    for entry in WalkDir::new(&folder).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        if entry.file_type().is_dir() {
            continue;
        }
        let path = relative(root, entry.path());
        let link = entry.path_is_symlink();
        if parse::is_read(&path) || (link && is_folder_link(entry.path())) {
            found.push((path.into(), entry.into_path(), link));
        }
    }
    let read: Vec<(Arc<str>, Input)> = found
        .into_par_iter()
        .map(|(path, file, link)| {
            let input = read_input(&file, link, &inside).with_context(|| format!("cannot read {}", file.display()))?;
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

fn read_input(file: &Path, link: bool, root: &Path) -> io::Result<Input> {
    if link {
        match fs::canonicalize(file) {
            Ok(target) if target.starts_with(root) && !target.is_dir() => {}
            _ => return Ok(Input::LinkLeaves),
        }
    }
    let metadata = fs::metadata(file)?;
    if !metadata.is_file() {
        return Ok(Input::Special);
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Ok(Input::Oversized(metadata.len()));
    }
    // A file may grow between the look and the read: never more than the limit.
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    fs::File::open(file)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
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

/// Compares `rendered/` with what is to be there.
pub fn look(root: &Path, rendered: &Rendered) -> Result<Have> {
    let mut listed = list(root, RENDERED)?;
    listed.par_sort_unstable();
    let mut have = Have::default();
    let mut pairs: Vec<(&str, &[u8])> = Vec::with_capacity(rendered.files.len());
    let mut extra: Vec<&str> = Vec::new();
    let mut names = listed.iter().peekable();
    for (path, bytes) in rendered.tree() {
        while let Some(before) = names.next_if(|(name, _)| name.as_str() < path) {
            extra.push(&before.0);
        }
        match names.next_if(|(name, _)| name == path) {
            Some((_, true)) => pairs.push((path, bytes)),
            Some((_, false)) => {}
            None => have.missing.push(path.to_owned()),
        }
    }
    extra.extend(names.map(|(name, _)| name.as_str()));
    have.odd = listed.iter().filter(|(_, file)| !file).map(|(name, _)| name.clone()).collect();
    let compared: Vec<Option<(String, Vec<u8>)>> = pairs
        .par_iter()
        .with_min_len(64)
        .map_init(Vec::new, |buffer, (path, bytes)| {
            let differs = differs(&root.join(path), bytes, buffer).with_context(|| format!("cannot read {path}"))?;
            Ok(differs.then(|| ((*path).to_owned(), std::mem::take(buffer))))
        })
        .collect::<Result<_>>()?;
    have.same = compared.iter().filter(|c| c.is_none()).count();
    have.other.extend(compared.into_iter().flatten());
    let odd: std::collections::BTreeSet<&String> = have.odd.iter().collect();
    let extra: Vec<(String, Vec<u8>)> = extra
        .par_iter()
        .filter(|path| !odd.contains(&(**path).to_owned()))
        .map(|path| {
            let file = fs::File::open(root.join(path)).with_context(|| format!("cannot read {path}"))?;
            let mut bytes = Vec::new();
            file.take(4 * MAX_FILE_BYTES).read_to_end(&mut bytes).with_context(|| format!("cannot read {path}"))?;
            Ok(((*path).to_owned(), bytes))
        })
        .collect::<Result<_>>()?;
    have.other.extend(extra);
    Ok(have)
}

/// Whether the file holds other bytes; they are then in `buffer`. Its size first, so that one read tells the rest.
fn differs(file: &Path, bytes: &[u8], buffer: &mut Vec<u8>) -> io::Result<bool> {
    let mut file = fs::File::open(file)?;
    if file.metadata()?.len() == bytes.len() as u64 {
        buffer.resize(bytes.len(), 0);
        file.read_exact(buffer)?;
    } else {
        buffer.clear();
        file.read_to_end(buffer)?;
    }
    Ok(buffer != bytes)
}

/// All files below `folder`, with whether each is a plain file; folders in parallel.
fn list(root: &Path, folder: &str) -> Result<Vec<(String, bool)>> {
    let path = root.join(folder);
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", path.display()))?;
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().with_context(|| format!("cannot read {name}"))?;
        if kind.is_dir() {
            folders.push(name);
        } else {
            files.push((name, kind.is_file()));
        }
    }
    let below: Vec<Vec<(String, bool)>> = folders.par_iter().map(|name| list(root, name)).collect::<Result<_>>()?;
    files.extend(below.into_iter().flatten());
    Ok(files)
}

/// Why nothing may be written to `rendered/`; `force` says that the place is meant.
pub fn refuse_to_write(root: &Path, have: &Have, force: bool) -> Option<String> {
    let folder = root.join(RENDERED);
    let whole = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    if !force && (whole.parent().is_none() || std::env::home_dir().is_some_and(|home| home == whole)) {
        let place = whole.display();
        return Some(format!("{place} is no place for a platform: use a folder of its own, or `mtp render --force`"));
    }
    if whole.components().any(|part| part.as_os_str() == ".git") {
        return Some(format!("{} is inside of git's own folder", whole.display()));
    }
    if fs::symlink_metadata(&folder).is_ok_and(|m| m.file_type().is_symlink()) {
        return Some(format!("{RENDERED} is a symbolic link; nothing is written through one"));
    }
    if let Some(link) = have.odd.first() {
        return Some(format!("{link} is no plain file; nothing is written through links"));
    }
    None
}

/// Whether the folder carries the mark of an earlier run.
pub fn is_marked(root: &Path) -> bool {
    root.join(MARKER).is_file()
}

/// Keeps a second run from writing at the same time, until dropped.
pub struct Lock(#[expect(dead_code, reason = "held open, which holds the lock")] fs::File);

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

/// Writes what is missing or changed and removes what is orphaned; foreign files stay as they are.
pub fn apply(root: &Path, changes: &[Change], rendered: &Rendered, progress: &(dyn Fn(usize) + Sync)) -> Result<()> {
    let mut units: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        units.entry(unit(&change.path)).or_default().push(change);
    }
    // Writes first: what moves to another file is never gone in between.
    units.par_iter().try_for_each(|(unit, changes)| {
        let writes: Vec<(&str, &[u8])> = changes
            .iter()
            .filter(|change| change.kind != ChangeKind::Foreign)
            .filter_map(|change| Some((change.path.as_str(), tree::wanted(rendered, &change.path)?)))
            .collect();
        if *unit != RENDERED && !exists(&root.join(unit)) {
            write_folder(root, unit, &writes)?;
        } else {
            for (path, bytes) in writes {
                create_parent(root, path)?;
                write(root, path, bytes).with_context(|| format!("cannot write {path}"))?;
            }
        }
        progress(changes.len());
        anyhow::Ok(())
    })?;
    let mut emptied: Vec<&str> = Vec::new();
    let gone = |change: &&Change| change.kind != ChangeKind::Foreign && tree::wanted(rendered, &change.path).is_none();
    for change in changes.iter().filter(gone) {
        match fs::remove_file(root.join(&change.path)) {
            Ok(()) => {}
            // What a killed run left of a folder is gone as soon as that folder is written again.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot remove {}", change.path)),
        }
        let folder = change.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if emptied.last() != Some(&folder) {
            emptied.push(folder);
        }
    }
    for folder in emptied {
        remove_empty(root, folder);
    }
    Ok(())
}

/// What appears at once when it is new: the folder of a tenant, that of the platform, or else the folder of the file.
fn unit(path: &str) -> &str {
    let slashes: Vec<usize> = path.match_indices('/').map(|(i, _)| i).take(3).collect();
    match slashes.as_slice() {
        [_, _, third] => &path[..*third],
        [.., last] => &path[..*last],
        [] => "",
    }
}

/// Writes a folder that is not there yet under another name, and renames it: it appears whole, and each of its files costs
/// the disk one entry instead of two.
fn write_folder(root: &Path, folder: &str, files: &[(&str, &[u8])]) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let (parent, name) = folder.rsplit_once('/').unwrap_or(("", folder));
    let temporary = format!("{parent}/{TEMPORARY}{name}");
    if exists(&root.join(&temporary)) {
        fs::remove_dir_all(root.join(&temporary)).with_context(|| format!("cannot remove {temporary}"))?;
    }
    let mut made = String::new();
    for (path, bytes) in files {
        let target = format!("{temporary}{}", &path[folder.len()..]);
        let inside = target.rsplit_once('/').map_or("", |(inside, _)| inside);
        if made != inside {
            create_parent(root, &target)?;
            made = inside.to_owned();
        }
        fs::write(root.join(&target), bytes).with_context(|| format!("cannot write {path}"))?;
    }
    fs::rename(root.join(&temporary), root.join(folder)).with_context(|| format!("cannot write {folder}"))
}

fn create_parent(root: &Path, path: &str) -> Result<()> {
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    fs::create_dir_all(root.join(parent)).with_context(|| format!("cannot create {parent}"))
}

/// Writes a file so that readers see the old or the new one, never a part. The marker is written in place: it is the lock.
fn write(root: &Path, path: &str, bytes: &[u8]) -> io::Result<()> {
    let target = root.join(path);
    if path == MARKER {
        return fs::write(target, bytes);
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    let temporary = target.with_file_name(format!("{TEMPORARY}{name}"));
    let mut file = fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    drop(file);
    fs::rename(temporary, target)
}

/// Removes folders that hold nothing any more, up to `rendered/` itself. That one still holds something is no error.
fn remove_empty(root: &Path, folder: &str) {
    let mut folder = folder;
    while folder.len() > RENDERED.len() && fs::remove_dir(root.join(folder)).is_ok() {
        folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
}

/// Reads a text file that a command needs beside its input.
pub fn read_text(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Writes a file that a command was asked for, its folders too.
pub fn write_text(path: &Path, text: &str) -> Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    if let Some(parent) = parent {
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a file that must not be there yet.
pub fn create_text(path: &Path, text: &str) -> Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    if let Some(parent) = parent {
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .with_context(|| format!("cannot create {}", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}

/// Whether something stands at `path`.
pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
