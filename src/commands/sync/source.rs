//! What `mtp sync` applies: a folder, read once and pinned to its commit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use gix::objs::tree::EntryKind;
use serde_json::{Value, json};

use crate::certs::sops;
use crate::commands::certs::age::Identities;
use crate::diagnostic::{Diagnostic, Findings, has_errors};
use crate::disk::{self, Look};
use crate::history::History;
use crate::inputs::Inputs;
use crate::rendered::{MARKER, ObjectId, PLATFORM_FOLDER, RENDERED, TENANTS_FOLDER};
use crate::review::manifest;
use crate::sync::Unit;
use crate::sync::digest::Digester;
use crate::sync::want::{Fresh, Source, id};
use crate::tree::{self, ChangeKind};

/// A folder that was read.
pub struct Checkout {
    objects: Objects,
    commit: String,
    /// Whether `commit` is one, and the folder holds what it holds.
    pub pinned: bool,
    /// Texts of encrypted Secrets, by object.
    sealed: BTreeMap<ObjectId, String>,
    identities: Identities,
}

/// Files, in the order of their paths, with what they hold.
type Files = Vec<(Arc<str>, Vec<u8>)>;

/// Hears of each file: its path, and what it holds.
type Each<'e> = &'e mut dyn FnMut(&str, &[u8]);

enum Objects {
    /// Made by this run.
    Rendered(Box<Fresh>),
    /// Read from files: what each unit's hold.
    Files(BTreeMap<Unit, Files>),
}

/// What a folder is, or why it is not applied.
pub enum Read {
    /// It is as it should be.
    Whole(Box<Checkout>),
    /// Authors made mistakes.
    Mistakes(Vec<Diagnostic>, Inputs),
}

impl Checkout {
    /// Reads a folder: `rendered/` as it is, or held against `tenants/`.
    pub fn read(root: &Path, rendered_only: bool) -> Result<Read> {
        let identities = Identities::read(None)?;
        if rendered_only { Checkout::files(root, identities) } else { Checkout::rendered(root, identities) }
    }

    /// Reads `tenants/`, and sees that `rendered/` is what comes out of it.
    fn rendered(root: &Path, identities: Identities) -> Result<Read> {
        let look = Look::new(root)?;
        let inputs = disk::read(root)?;
        let (rendered, diagnostics) = crate::render_each(&inputs, &|folder, files| look.at(folder, files));
        if has_errors(&diagnostics) {
            return Ok(Read::Mistakes(diagnostics, inputs));
        }
        let have = look.finish(&rendered)?;
        let changes = tree::changes(&have, &rendered);
        // What is somebody else's is applied by nobody, and may be a hand's: it is refused as well.
        if let Some(first) = changes.first() {
            let what =
                if first.kind == ChangeKind::Foreign { "is not ours" } else { "is not what tenants/ renders to" };
            let more = match changes.len() - 1 {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            bail!(
                "{RENDERED}/ is not what was reviewed: {} {what}{more}; run `mtp render` and commit the result, or apply it as it is with --rendered-only",
                crate::report::line(&first.path)
            );
        }
        let plan = rendered.plan().context("nothing was rendered")?;
        if plan.tenants.is_empty() && rendered.files.is_empty() {
            bail!("nothing is rendered from {}", root.display());
        }
        let (commit, pinned) = pin(root, crate::inputs::TENANTS, &mut |each| {
            inputs.iter().for_each(|(path, input)| {
                if let crate::inputs::Input::Bytes(bytes) = input {
                    each(path, bytes);
                }
            });
        })?;
        let mut sealed = BTreeMap::new();
        for file in rendered.files.iter().filter(|file| file.path.starts_with(PLATFORM_FOLDER)) {
            if let Some(content) = &file.content {
                keep_sealed(&file.path, &content.bytes, &mut sealed);
            }
        }
        let objects = Objects::Rendered(Box::new(Fresh { rendered, commit: commit.clone() }));
        Ok(Read::Whole(Box::new(Checkout { objects, commit, pinned, sealed, identities })))
    }

    /// Reads `rendered/` as it is.
    fn files(root: &Path, identities: Identities) -> Result<Read> {
        if !disk::exists(&root.join(MARKER)) {
            bail!(
                "there is no {MARKER} in {}: that is no folder that `mtp render` wrote, or not all of it",
                root.display()
            );
        }
        let mut files: BTreeMap<Unit, Files> = BTreeMap::new();
        let mut sealed = BTreeMap::new();
        let mut all: Vec<(String, Vec<u8>)> = Vec::new();
        disk::each_file(root, RENDERED, |path, bytes| all.push((path, bytes.to_vec())))?;
        let (commit, pinned) = pin(root, RENDERED, &mut |each| all.iter().for_each(|(path, bytes)| each(path, bytes)))?;
        let mut findings = Findings::default();
        for (path, bytes) in all {
            if !path.ends_with(".yaml") {
                continue;
            }
            let Some(unit) = unit_of(&path) else { continue };
            keep_sealed(&path, &bytes, &mut sealed);
            let path: Arc<str> = path.into();
            // Read once here, so that nothing is begun that cannot be read to its end.
            manifest::read(&path, &bytes, &mut findings);
            files.entry(unit).or_default().push((path, bytes));
        }
        if findings.has_errors() {
            return Ok(Read::Mistakes(findings.into_sorted(), Inputs::default()));
        }
        Ok(Read::Whole(Box::new(Checkout { objects: Objects::Files(files), commit, pinned, sealed, identities })))
    }

    /// The platform's namespace: the one Namespace that is the platform's.
    pub fn namespace(&self) -> Result<String> {
        if let Objects::Rendered(fresh) = &self.objects
            && let Some(plan) = fresh.rendered.plan()
        {
            return Ok(plan.platform.namespace.to_string());
        }
        let platform = self.objects(&Unit::Platform)?;
        let names: BTreeSet<ObjectId> = platform.iter().filter_map(id).filter(ObjectId::is_namespace).collect();
        match names.iter().collect::<Vec<_>>().as_slice() {
            [one] => Ok(one.name.to_string()),
            _ => bail!("expected one Namespace in {PLATFORM_FOLDER}/, found {}", names.len()),
        }
    }

    /// The installation: the Platform's name.
    pub fn installation(&self) -> Option<String> {
        match &self.objects {
            Objects::Rendered(fresh) => Some(fresh.rendered.plan()?.platform.doc.content.metadata.name.value.clone()),
            Objects::Files(_) => None,
        }
    }
}

/// The commit that a root is at, and whether `folder` holds what that commit holds. Without git: what tells its content.
fn pin(root: &Path, folder: &str, files: &mut dyn FnMut(Each<'_>)) -> Result<(String, bool)> {
    let Ok(history) = History::open(root) else {
        let mut digester = Digester::default();
        files(&mut |path, bytes| {
            digester.text(path);
            digester.text(&String::from_utf8_lossy(bytes));
        });
        return Ok((format!("folder {}", digester.finish()), false));
    };
    let Ok(head) = history.revision("HEAD") else { return Ok(("no commit".to_owned(), false)) };
    let reader = history.reader();
    let mut left: BTreeSet<String> = history
        .files(&head, folder)?
        .into_iter()
        .filter(|(_, (kind, _))| matches!(kind, EntryKind::Blob | EntryKind::BlobExecutable))
        .map(|(path, _)| path)
        .collect();
    let committed = history.files(&head, folder)?;
    let mut same = true;
    files(&mut |path, bytes| {
        left.remove(path);
        same &= committed.get(path).is_some_and(|(_, blob)| reader.id(bytes).as_ref() == Some(blob));
    });
    let only_read = |path: &String| path.ends_with(".yaml") || path.ends_with(".yml");
    same &= !left.iter().any(only_read);
    let commit = head.commit.to_string();
    Ok(if same { (commit, true) } else { (format!("{commit} with changes"), false) })
}

/// Whose a file of `rendered/` is; `None`: what engines read, and the marker.
fn unit_of(path: &str) -> Option<Unit> {
    if path.strip_prefix(PLATFORM_FOLDER).is_some_and(|rest| rest.starts_with('/')) {
        return Some(Unit::Platform);
    }
    let tenant = path.strip_prefix(TENANTS_FOLDER)?.strip_prefix('/')?.split('/').next()?;
    Some(Unit::Tenant(tenant.into()))
}

/// Keeps the text of a Secret that SOPS encrypted: a file of its own in both layouts.
fn keep_sealed(path: &str, bytes: &[u8], sealed: &mut BTreeMap<ObjectId, String>) {
    let is_secret = path.rsplit('/').next().is_some_and(|name| name.starts_with("secret-"));
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|_| is_secret) else { return };
    let objects = manifest::read(&path.into(), bytes, &mut Findings::default());
    if let [one] = objects.as_slice()
        && one.value.get("sops").is_some()
    {
        sealed.insert(one.id.clone(), text.to_owned());
    }
}

impl Source for Checkout {
    fn units(&self) -> Vec<Unit> {
        match &self.objects {
            Objects::Rendered(fresh) => fresh.units(),
            Objects::Files(files) => files.keys().cloned().collect(),
        }
    }

    fn objects(&self, unit: &Unit) -> Result<Vec<Value>> {
        match &self.objects {
            Objects::Rendered(fresh) => fresh.objects(unit),
            Objects::Files(files) => {
                let mut findings = Findings::default();
                let files = files.get(unit).into_iter().flatten();
                let objects = files.flat_map(|(path, bytes)| manifest::read(path, bytes, &mut findings));
                Ok(objects.map(|object| object.value).collect())
            }
        }
    }

    fn opened(&self, mut object: Value) -> Result<Value> {
        if object.get("sops").is_none() {
            return Ok(object);
        }
        let id = id(&object).context("an encrypted object without a name")?;
        let text = self.sealed.get(&id).with_context(|| format!("{id} is encrypted, and is no file of its own"))?;
        let sealed = sops::read(text).map_err(|(_, why)| anyhow!("{id} cannot be read: {why}"))?;
        let key = self.identities.unwrap(&sealed).map_err(|why| anyhow!("{id} cannot be decrypted: {why}"))?;
        let key = key.with_context(|| {
            format!("{id} cannot be decrypted: no identity of age that opens it is at hand (SOPS_AGE_KEY_FILE)")
        })?;
        let values = sealed.open(&key).map_err(|why| anyhow!("{id} cannot be decrypted: {why}"))?;
        if let Some(fields) = object.as_object_mut() {
            fields.remove("sops");
        }
        for (place, value) in &values {
            let mut at = &mut object;
            for step in place.trim_end_matches(':').split(':') {
                at = match step.parse::<usize>() {
                    Ok(index) if at.is_array() => &mut at[index],
                    _ => &mut at[step],
                };
            }
            *at = json!(value.as_str());
        }
        Ok(object)
    }

    fn commit(&self) -> &str {
        &self.commit
    }
}
