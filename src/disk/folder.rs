//! Reads a folder of manifests that anybody made, for `mtp lint`.
#![expect(clippy::disallowed_methods, reason = "this is the shell")]

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use walkdir::WalkDir;

use super::walked;
use crate::inputs::{Input, Inputs};
use crate::lint;
use crate::rendered::MARKER_NAME;

/// The largest file that is looked at: some bundles of CustomResourceDefinitions have ten megabytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A folder of manifests as values.
pub struct Tree {
    /// The files, by the paths under which they are reported.
    pub inputs: Inputs,
    /// What all these paths begin with.
    pub base: String,
    /// The folder as its git repository knows it; nothing where it is no part of one, or all of it.
    pub repository: String,
    /// What these paths are relative to.
    pub at: PathBuf,
}

/// Reads what some deployer may take for a manifest. Files are named `shown/…`, or as `folder` was typed.
pub fn read_tree(folder: &Path, shown: Option<&str>) -> Result<Tree> {
    if !folder.exists() {
        bail!("cannot access {}: there is no such file or folder", folder.display());
    }
    let whole = fs::canonicalize(folder).with_context(|| format!("cannot access {}", folder.display()))?;
    let top = whole.ancestors().find(|folder| folder.join(lint::GIT).exists());
    let repository = top.and_then(|top| whole.strip_prefix(top).ok()).map(slashes).unwrap_or_default();
    let typed = || slashes(&folder.components().filter(|part| *part != Component::CurDir).collect::<PathBuf>());
    let base = shown.map_or_else(typed, str::to_owned);
    let up = base.split('/').filter(|part| !part.is_empty()).count();
    // Typed paths are relative to the current folder; the others to where the folder stands.
    let at = match shown {
        None => PathBuf::new(),
        Some(_) => folder.ancestors().nth(up).unwrap_or(folder).to_path_buf(),
    };
    let mut found = Vec::new();
    let entries = WalkDir::new(&whole).sort_by_file_name().into_iter();
    for entry in entries.filter_entry(|entry| entry.file_name() != lint::GIT) {
        let entry = walked(entry, folder)?;
        let below = slashes(entry.path().strip_prefix(&whole).unwrap_or(entry.path()));
        let path =
            [base.as_str(), &below].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("/");
        let kind = entry.file_type();
        let wanted = lint::is_manifest(&path) || entry.file_name() == MARKER_NAME;
        if kind.is_symlink() || (wanted && !kind.is_dir()) {
            found.push((path, entry.into_path(), kind));
        }
    }
    let top = top.unwrap_or(&whole);
    let read: Vec<(String, Option<Input>)> = found
        .into_par_iter()
        .map(|(path, file, kind)| {
            let input = read(&file, kind, top).with_context(|| format!("cannot read {}", file.display()))?;
            Ok((path, input))
        })
        .collect::<Result<_>>()?;
    let mut inputs = Inputs::default();
    for (path, input) in read {
        if let Some(input) = input {
            inputs.insert(path, input);
        }
    }
    Ok(Tree { inputs, base, repository, at })
}

/// A file as a value; `None` for a link that stays inside: what it leads to is read where it stands.
fn read(file: &Path, kind: fs::FileType, top: &Path) -> io::Result<Option<Input>> {
    if kind.is_symlink() {
        let relative = fs::read_link(file)?.is_relative();
        let inside = fs::canonicalize(file).is_ok_and(|target| target.starts_with(top));
        return Ok((!(relative && inside)).then_some(Input::LinkLeaves));
    }
    if !kind.is_file() {
        return Ok(Some(Input::Special));
    }
    let opened = fs::File::open(file)?;
    let size = opened.metadata()?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(MAX_BYTES)).unwrap_or_default());
    opened.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Ok(Some(Input::Oversized(size)));
    }
    Ok(Some(Input::Bytes(bytes.into())))
}

fn slashes(path: &Path) -> String {
    let path = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' { path.into_owned() } else { path.replace(std::path::MAIN_SEPARATOR, "/") }
}
