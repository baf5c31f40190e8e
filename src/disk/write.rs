//! Writes what is to be there: unchanged files are not touched, changed ones are replaced whole, new folders appear whole.
#![expect(clippy::disallowed_methods, reason = "this is the shell")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::exists;
use crate::rendered::{MARKER, RENDERED, Rendered};
use crate::tree::{self, Change, ChangeKind, Have, TEMPORARY};

/// Writes what is missing or changed and removes what is orphaned; foreign files stay as they are.
pub fn apply(
    root: &Path,
    changes: &[Change],
    have: &Have,
    rendered: &Rendered,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<()> {
    // What stands where a folder is to be; by now it is known to be ours.
    let cleared: BTreeSet<&str> = have.in_the_way.iter().map(String::as_str).collect();
    for path in &cleared {
        fs::remove_file(root.join(path)).with_context(|| format!("cannot remove {path}"))?;
    }
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
    let gone = |change: &&Change| change.kind != ChangeKind::Foreign && !tree::is_wanted(rendered, &change.path);
    for change in changes.iter().filter(gone).filter(|change| !cleared.contains(change.path.as_str())) {
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
    let temporary = temporary(root, folder);
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

/// What `path` is called while it is being written: a name that nothing has, neither what a killed run left nor what
/// somebody else put there.
fn temporary(root: &Path, path: &str) -> String {
    let path = match path.rsplit_once('/') {
        Some((parent, name)) => format!("{parent}/{TEMPORARY}{name}"),
        None => format!("{TEMPORARY}{path}"),
    };
    let longer = (1..).map(|n| format!("{path}-{n}"));
    std::iter::once(path.clone()).chain(longer).find(|path| !exists(&root.join(path))).unwrap_or_default()
}

fn create_parent(root: &Path, path: &str) -> Result<()> {
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    fs::create_dir_all(root.join(parent)).with_context(|| format!("cannot create {parent}"))
}

/// Writes a file so that readers see the old or the new one, never a part. The marker is written in place: it is the lock.
pub fn write(root: &Path, path: &str, bytes: &[u8]) -> io::Result<()> {
    let target = root.join(path);
    if path == MARKER {
        return fs::write(target, bytes);
    }
    let temporary = root.join(temporary(root, path));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&temporary)?;
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
