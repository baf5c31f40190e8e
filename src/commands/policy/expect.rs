//! `mtp policy test`: folders of manifests, each with what is expected of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};

use super::review::{Known, read};
use crate::cli::Exit;
use crate::commands::{Shell, Stream};
use crate::diagnostic::{Findings, has_errors};
use crate::disk;
use crate::inputs::{Input, Inputs};
use crate::place::Place;
use crate::policy::judge::expectations::{Became, Expectations, FILE};
use crate::policy::judge::{self, expectations};
use crate::policy::manifests::{self, Manifest};
use crate::report::{Report, count};

/// What the command calls itself in reports.
const COMMAND: &str = "policy test";

/// A folder of expectations.
#[derive(Default)]
struct Folder {
    /// Its file of expectations.
    expectations: Option<(Arc<str>, Vec<u8>)>,
    /// Its manifests.
    files: Vec<(Arc<str>, Vec<u8>)>,
}

/// Runs the command.
pub fn run(folder: &Path, shell: &mut Shell<'_>) -> Result<Exit> {
    let all = disk::read_manifests(&[folder.to_path_buf()])?;
    let mut inputs = Inputs::default();
    for (name, bytes) in &all {
        inputs.insert(name.as_str(), Input::Bytes(bytes.clone().into()));
    }
    let (folders, outside) = sorted(all);
    if folders.is_empty() {
        bail!("there is no {FILE} below {}", folder.display());
    }
    let mut findings = Findings::default();
    let read_all: Vec<(Option<Expectations>, &Folder)> = folders
        .values()
        .map(|folder| {
            let expected = folder.expectations.as_ref();
            (expected.and_then(|(file, bytes)| expectations::read(file, bytes, &mut findings)), folder)
        })
        .collect();
    let manifests: Vec<Vec<Manifest<'_>>> = read_all
        .iter()
        .map(|(_, folder)| {
            folder.files.iter().flat_map(|(name, bytes)| manifests::read(name, bytes, &mut findings)).collect()
        })
        .collect();
    let expected = || read_all.iter().filter_map(|(expectations, _)| expectations.as_ref());
    let names_tenant = expected().any(|e| e.tenant.is_some() || e.namespace.is_some());
    let names_namespace = manifests.iter().flatten().any(|manifest| manifest.namespace.is_some());
    let Some(platform) = read(names_tenant, names_namespace, COMMAND, shell)? else { return Ok(Exit::Failed) };
    let mut objects = 0;
    for ((expectations, folder), manifests) in read_all.iter().zip(&manifests) {
        let (Some(expectations), Some((file, _))) = (expectations, &folder.expectations) else { continue };
        let namespace = expectations.namespace.as_ref().map(|namespace| namespace.value.as_str());
        let stated = manifests.iter().filter_map(|manifest| manifest.namespace.as_deref()).chain(namespace);
        let tenant = expectations.tenant.as_ref().map(|tenant| tenant.value.as_str());
        let known = match Known::new(platform.as_ref(), tenant, stated) {
            Ok(known) => known.instead(namespace),
            Err(why) => {
                let span = expectations.tenant.as_ref().map(|tenant| tenant.span).unwrap_or_default();
                findings.error("A904", Place::new(file, span), why.to_string());
                continue;
            }
        };
        if let Some(namespace) = &expectations.namespace
            && known.of(Some(&namespace.value)).is_none()
        {
            let about = format!("there is no namespace `{}` of a tenant in tenants/", namespace.value);
            findings.error("A904", Place::new(file, namespace.span), about);
            continue;
        }
        let outcome = judge::outcome::judge(manifests, &|namespace| known.of(namespace), &mut findings);
        let became: Vec<Became<'_>> =
            outcome.judged.iter().map(|(index, judged)| (&manifests[*index], judged)).collect();
        objects += became.len();
        expectations::check(file, expectations, &became, &mut findings);
    }
    let diagnostics = findings.into_sorted();
    let undecided = diagnostics.iter().any(|diagnostic| judge::find(diagnostic.rule).is_none());
    let failed = has_errors(&diagnostics);
    let mut notes = Vec::new();
    let looked_at = format!("{} in {}", count(objects, "object"), count(folders.len(), "folder"));
    if !failed {
        notes.push(format!("{looked_at}: as expected"));
    } else {
        notes.push(format!("{looked_at} looked at"));
    }
    if outside > 0 {
        notes.push(format!("{} in no folder with an {FILE}", count(outside, "file")));
    }
    if shell.is_quiet() {
        notes.clear();
    }
    let report = Report { command: COMMAND, diagnostics, notes, brief: true, ..Report::default() };
    shell.report(&report, &inputs, Stream::Out)?;
    Ok(match (undecided, failed) {
        (true, _) => Exit::Failed,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Clean,
    })
}

/// Each file to the nearest folder above it that has expectations; and how many files have none.
fn sorted(all: Vec<(String, Vec<u8>)>) -> (BTreeMap<PathBuf, Folder>, usize) {
    let mut folders: BTreeMap<PathBuf, Folder> = BTreeMap::new();
    let (expected, files): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(name, _)| Path::new(name).file_name().is_some_and(|name| name == FILE));
    for (name, bytes) in expected {
        let folder = Path::new(&name).parent().unwrap_or(Path::new("")).to_path_buf();
        folders.entry(folder).or_default().expectations = Some((name.into(), bytes));
    }
    let mut outside = 0;
    for (name, bytes) in files {
        let above = Path::new(&name).ancestors().skip(1).find(|folder| folders.contains_key(*folder));
        match above.map(Path::to_path_buf).and_then(|folder| folders.get_mut(&folder)) {
            Some(folder) => folder.files.push((name.into(), bytes)),
            None => outside += 1,
        }
    }
    (folders, outside)
}
