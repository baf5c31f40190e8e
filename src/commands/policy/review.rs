//! `mtp policy review`: which layer refuses what, and why.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;

use super::namespaces::{self, Namespace, Platform};
use crate::cli::Exit;
use crate::commands::{Shell, Stream};
use crate::diagnostic::{Diagnostic, Findings, Severity};
use crate::disk;
use crate::inputs::{Input, Inputs};
use crate::policy::judge::outcome::{self, Outcome};
use crate::policy::manifests::{self, Manifest, Surroundings};
use crate::report::{Report, count};

/// What the command calls itself in reports.
pub const COMMAND: &str = "policy review";

/// Runs the command.
pub fn run(paths: &[PathBuf], tenant: Option<&str>, shell: &mut Shell<'_>) -> Result<Exit> {
    let files: Vec<(Arc<str>, Vec<u8>)> =
        disk::read_manifests(paths)?.into_iter().map(|(name, bytes)| (name.into(), bytes)).collect();
    let mut findings = Findings::default();
    let manifests: Vec<Manifest<'_>> =
        files.iter().flat_map(|(name, bytes)| manifests::read(name, bytes, &mut findings)).collect();
    let stated = || manifests.iter().filter_map(|manifest| manifest.namespace.as_deref());
    let names_namespace = stated().next().is_some();
    let Some(platform) = read(tenant.is_some(), names_namespace, COMMAND, shell)? else { return Ok(Exit::Failed) };
    let known = Known::new(platform.as_ref(), tenant, stated())?;
    let outcome = outcome::judge(&manifests, &|namespace| known.of(namespace), &mut findings);
    // What could not be read was not decided; what was read and refused was.
    let unread = findings.into_sorted();
    let undecided = unread.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    let how_many_objects = manifests.len();
    let Outcome { judged, together, notes } = outcome;
    let (mut objects, mut said): (Vec<_>, Vec<Diagnostic>) = (Vec::new(), Vec::new());
    for (_, judged) in judged {
        objects.push(judged.verdict);
        said.extend(judged.diagnostics);
    }
    let refused = objects.iter().any(|object| object.verdict == "refused");
    let mut inputs = Inputs::default();
    let how_many = files.len();
    for (name, bytes) in files {
        inputs.insert(name, Input::Bytes(bytes.into()));
    }
    let diagnostics = unread.into_iter().chain(said).chain(together).collect();
    let mut report = Report { command: COMMAND, diagnostics, objects, notes, ..Report::default() };
    if !refused && !undecided {
        let all = format!("{} in {}: admitted", count(how_many_objects, "object"), count(how_many, "file"));
        report.notes.insert(0, all);
    }
    if shell.is_quiet() {
        report.notes.clear();
    }
    shell.report(&report, &inputs, Stream::Out)?;
    Ok(match (undecided, refused) {
        (true, _) => Exit::Failed,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Clean,
    })
}

/// What is known of the namespaces that manifests go to.
#[derive(Default)]
pub struct Known {
    namespaces: BTreeMap<String, Namespace>,
    /// The one for those that name none.
    own: Option<String>,
}

impl Known {
    /// What is known of a namespace, or of the one for manifests that name none.
    pub fn of(&self, namespace: Option<&str>) -> Option<Surroundings<'_>> {
        let name = namespace.or(self.own.as_deref())?;
        self.namespaces.get(name).map(Namespace::surroundings)
    }
}

impl Known {
    /// Of the namespaces that manifests name, and of the tenant whose own is for those that name none.
    pub fn new<'n>(
        platform: Option<&Platform>,
        tenant: Option<&str>,
        stated: impl Iterator<Item = &'n str>,
    ) -> Result<Known> {
        // Whoever names a tenant has a platform: see `read`.
        let Some(platform) = platform else { return Ok(Known::default()) };
        let own = tenant.map(|tenant| platform.tenant(tenant)).transpose()?.map(namespaces::own);
        let names: Vec<&str> = stated.collect();
        let namespaces = platform.namespaces(names.into_iter().chain(own.as_deref()));
        Ok(Known { namespaces, own })
    }
}

impl Known {
    /// The same, with another namespace for manifests that name none.
    pub fn instead(mut self, namespace: Option<&str>) -> Known {
        if let Some(namespace) = namespace {
            self.own = Some(namespace.to_owned());
        }
        self
    }
}

/// Reads `tenants/` where it is asked for: by the name of a tenant, or by a namespace in a manifest, which may be one's.
/// `None`: it has errors, which were reported.
pub fn read(
    names_tenant: bool,
    names_namespace: bool,
    command: &'static str,
    shell: &mut Shell<'_>,
) -> Result<Option<Option<Platform>>> {
    // Without a root nobody's namespace is known, which the report says; whoever names a tenant is told that there is none.
    if !names_tenant && (!names_namespace || shell.root().is_err()) {
        return Ok(Some(None));
    }
    Ok(namespaces::read(command, shell)?.map(Some))
}
