//! Compares `rendered/` with what is to be there, a folder at a time, as soon as the folder's files are made: their bytes are
//! still in the processor's cache then, and those that the disk holds already need not be kept.
#![expect(clippy::disallowed_methods, reason = "this is the shell")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Result};
use rayon::prelude::*;

use crate::gitops::GITOPS_FOLDER;
use crate::inputs::MAX_FILE_BYTES;
use crate::rendered::{File, MARKER, MARKER_TEXT, PLATFORM_FOLDER, RENDERED, Rendered, TENANTS_FOLDER};
use crate::tree::Have;

/// A look at `rendered/` that is under way.
pub struct Look {
    root: PathBuf,
    /// What stands directly in `rendered/` and in its folder of tenants.
    top: BTreeMap<String, Kind>,
    found: Mutex<Result<Have>>,
}

/// What a folder holds under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    /// A symbolic link, what else is neither, or a name that is no UTF-8: never opened.
    Odd,
}

impl Look {
    /// Begins a look below `root`.
    pub fn new(root: &Path) -> Result<Look> {
        let mut top: BTreeMap<String, Kind> = entries(root, RENDERED)?.into_iter().collect();
        if top.get(TENANTS_FOLDER) == Some(&Kind::Folder) {
            top.extend(entries(root, TENANTS_FOLDER)?);
        }
        Ok(Look { root: root.to_owned(), top, found: Mutex::new(Ok(Have::default())) })
    }

    /// Compares all the files of `folder`, one of those that [`crate::render_each`] names, and lets go of what stands where
    /// it is to stand.
    pub fn at(&self, folder: &str, files: &mut [File]) {
        let tenants =
            if [GITOPS_FOLDER, PLATFORM_FOLDER].contains(&folder) { None } else { self.top.get(TENANTS_FOLDER) };
        let have = match (tenants, self.top.get(folder)) {
            (Some(Kind::Folder) | None, Some(Kind::Folder)) => compare(&self.root, folder, files),
            _ => Ok(Have { missing: files.iter().map(|f| f.path.clone()).collect(), ..Have::default() }),
        };
        self.add(have);
    }

    /// Something at the top that nothing is rendered to.
    fn strange(&self, name: &str, kind: Kind, rendered: &Rendered) -> Result<Have> {
        let mut have = Have::default();
        let mut all = vec![(name.to_owned(), kind)];
        if kind == Kind::Folder {
            list(&self.root, name, &mut all)?;
        } else if [TENANTS_FOLDER, PLATFORM_FOLDER].contains(&name) || rendered.has_folder(name) {
            have.in_the_way.push(name.to_owned());
        }
        for (name, kind) in all {
            extra(&self.root, &name, kind, &mut have)?;
        }
        Ok(have)
    }

    fn add(&self, have: Result<Have>) {
        // Whoever panicked with the lock held ends the run anyway.
        let mut found = self.found.lock().unwrap_or_else(|e| e.into_inner());
        match (&mut *found, have) {
            (Ok(all), Ok(have)) => all.add(have),
            (Ok(_), Err(error)) => *found = Err(error),
            (Err(_), _) => {}
        }
    }

    /// What was found, and what stands in folders that nothing is rendered to.
    pub fn finish(self, rendered: &Rendered) -> Result<Have> {
        let mut rest: Vec<(&str, Kind)> = Vec::new();
        for (name, kind) in &self.top {
            let looked_at = *kind == Kind::Folder && (name == TENANTS_FOLDER || rendered.has_folder(name));
            if name != MARKER && !looked_at {
                rest.push((name, *kind));
            }
        }
        rest.par_iter().for_each(|(name, kind)| self.add(self.strange(name, *kind, rendered)));
        let mut have = self.found.into_inner().unwrap_or_else(|e| e.into_inner())?;
        match self.top.get(MARKER) {
            Some(Kind::File) => match other(&self.root, MARKER, MARKER_TEXT.as_bytes(), &mut Vec::new())? {
                Some(bytes) => drop(have.other.insert(MARKER.to_owned(), bytes)),
                None => have.same += 1,
            },
            Some(_) => {
                have.in_the_way.push(MARKER.to_owned());
                have.odd.push(MARKER.to_owned());
            }
            None => have.missing.push(MARKER.to_owned()),
        }
        have.in_the_way.sort_unstable();
        Ok(have)
    }
}

/// What a folder holds, by path relative to the root; nothing where it is not there.
fn entries(root: &Path, folder: &str) -> Result<Vec<(String, Kind)>> {
    let path = root.join(folder);
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let each = entries.map(|entry| {
        let entry = entry.with_context(|| format!("cannot read {}", path.display()))?;
        let name = entry.file_name();
        let legible = name.to_str().is_some();
        let name = format!("{folder}/{}", name.to_string_lossy());
        let kind = match entry.file_type().with_context(|| format!("cannot read {name}"))? {
            // By another name than its own it is not found.
            _ if !legible => Kind::Odd,
            kind if kind.is_dir() => Kind::Folder,
            kind if kind.is_file() => Kind::File,
            _ => Kind::Odd,
        };
        Ok((name, kind))
    });
    each.collect()
}

/// All that is below a folder.
fn list(root: &Path, folder: &str, all: &mut Vec<(String, Kind)>) -> Result<()> {
    for (name, kind) in entries(root, folder)? {
        if kind == Kind::Folder {
            list(root, &name, all)?;
        }
        all.push((name, kind));
    }
    Ok(())
}

fn compare(root: &Path, folder: &str, files: &mut [File]) -> Result<Have> {
    let mut have = Have::default();
    let mut buffer = Vec::new();
    let mut listed = Vec::with_capacity(files.len());
    list(root, folder, &mut listed)?;
    listed.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let mut listed = listed.into_iter().peekable();
    let mut strange: Vec<(String, Kind)> = Vec::new();
    for file in &mut *files {
        while let Some(before) = listed.next_if(|(name, _)| *name < file.path) {
            strange.push(before);
        }
        match listed.next_if(|(name, _)| *name == file.path) {
            Some((name, Kind::File)) => {
                let wanted = file.content.as_ref().map(|c| c.bytes.as_slice()).unwrap_or_default();
                if let Some(bytes) = other(root, &name, wanted, &mut buffer)? {
                    have.other.insert(name, bytes);
                } else {
                    have.same += 1;
                    file.content = None;
                }
            }
            Some((name, Kind::Folder)) => {
                have.in_the_way.push(name);
                have.missing.push(file.path.clone());
            }
            Some((name, Kind::Odd)) => {
                have.in_the_way.push(name.clone());
                have.odd.push(name);
            }
            None => have.missing.push(file.path.clone()),
        }
    }
    strange.extend(listed);
    for (name, kind) in strange.into_iter().filter(|(_, kind)| *kind != Kind::Folder) {
        // A file where a folder of ours is to be.
        let inside = format!("{name}/");
        let next = files.partition_point(|file| file.path < inside);
        if files.get(next).is_some_and(|file| file.path.starts_with(&inside)) {
            have.in_the_way.push(name.clone());
        }
        extra(root, &name, kind, &mut have)?;
    }
    Ok(have)
}

/// Notes what nothing is rendered to.
fn extra(root: &Path, name: &str, kind: Kind, have: &mut Have) -> Result<()> {
    match kind {
        Kind::Odd => have.odd.push(name.to_owned()),
        Kind::File => {
            let file = fs::File::open(root.join(name)).with_context(|| format!("cannot read {name}"))?;
            let mut bytes = Vec::new();
            file.take(4 * MAX_FILE_BYTES).read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
            have.other.insert(name.to_owned(), bytes);
        }
        // What is in it is listed by itself.
        Kind::Folder => {}
    }
    Ok(())
}

/// The bytes of a file that holds something else than `wanted`. One read tells, since it asks for one byte more.
fn other(root: &Path, name: &str, wanted: &[u8], buffer: &mut Vec<u8>) -> Result<Option<Vec<u8>>> {
    let mut file = fs::File::open(root.join(name)).with_context(|| format!("cannot read {name}"))?;
    buffer.resize(wanted.len() + 1, 0);
    let read = file.read(buffer).with_context(|| format!("cannot read {name}"))?;
    if buffer[..read] == *wanted {
        return Ok(None);
    }
    buffer.truncate(read);
    // Of what is not ours, its beginning tells enough.
    let most = (4 * MAX_FILE_BYTES).max(wanted.len() as u64 + 1);
    file.take(most).read_to_end(buffer).with_context(|| format!("cannot read {name}"))?;
    Ok((buffer != wanted).then(|| std::mem::take(buffer)))
}
