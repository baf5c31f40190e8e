//! From files to a [`Change`]: only documents that differ are ever read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::compare::{differences, normal, respell};
use super::edits::Edits;
use super::manifest::{self, Manifest, documents};
use super::unit::{NETWORKING, RBAC};
use super::{Cause, Change, Pair, home};
use crate::diagnostic::{Diagnostic, Findings};
use crate::inputs::Inputs;
use crate::place::Place;
use crate::rendered::{Entry, HEADER, ObjectId, Rendered};
use crate::tree::source;

/// The digest of a document.
type Print = [u8; 32];

/// What differs between what was committed and what is rendered, a file at a time and in parallel.
#[derive(Default)]
pub struct Sides {
    before: Mutex<Vec<Document>>,
    /// Documents of the later side that do not stand in the same file of the earlier one.
    after: Mutex<BTreeMap<ObjectId, Print>>,
}

/// A document of the earlier side, not read yet.
struct Document {
    /// The file.
    path: Arc<str>,
    /// The input that the file names.
    from: Option<Place>,
    print: Print,
    bytes: Vec<u8>,
}

/// The documents that differ, wherever they stand.
pub struct Differing {
    before: Vec<Manifest>,
    after: BTreeMap<ObjectId, Print>,
    findings: Findings,
}

impl Sides {
    /// Notes a file that differs: its bytes before, where it was there, and after, with its objects in their order.
    pub fn differ(&self, path: &str, before: Option<&[u8]>, after: Option<(&[u8], &[Entry])>) {
        let old: Vec<&[u8]> = before.map(headless).into_iter().flat_map(documents).collect();
        let new: Vec<&[u8]> = after.map(|(bytes, _)| headless(bytes)).into_iter().flat_map(documents).collect();
        let (had, has): (BTreeSet<&[u8]>, BTreeSet<&[u8]>) =
            (old.iter().copied().collect(), new.iter().copied().collect());
        let gone: Vec<&[u8]> = old.into_iter().filter(|document| !has.contains(document)).collect();
        if !gone.is_empty() {
            let name: Arc<str> = Arc::from(path);
            let from = before.and_then(source).map(Place::file);
            let document = |bytes: &[u8]| Document {
                path: Arc::clone(&name),
                from: from.clone(),
                print: print(bytes),
                bytes: bytes.to_vec(),
            };
            let all: Vec<Document> = gone.into_iter().map(document).collect();
            lock(&self.before).extend(all);
        }
        let entries = after.map(|(_, entries)| entries).unwrap_or_default();
        let new = entries.iter().zip(new).filter(|(_, document)| !had.contains(document));
        let new: Vec<(ObjectId, Print)> = new.map(|(entry, document)| (entry.id.clone(), print(document))).collect();
        lock(&self.after).extend(new);
    }

    /// Reads what differs. A document that only stands in another file, as after a change of the layout, is not read.
    pub fn read(self) -> Differing {
        let (documents, mut after) = (unlock(self.before), unlock(self.after));
        let had: BTreeSet<Print> = documents.iter().map(|document| document.print).collect();
        let has: BTreeSet<Print> = after.values().copied().collect();
        after.retain(|_, print| !had.contains(print));
        let read: Vec<(Vec<Manifest>, Findings)> = documents
            .into_par_iter()
            .filter(|document| !has.contains(&document.print))
            .map(|document| {
                let mut findings = Findings::default();
                let mut all = manifest::read(&document.path, &document.bytes, &mut findings);
                let at = document.from.unwrap_or_else(|| Place::file(document.path));
                all.iter_mut().for_each(|manifest| manifest.at = at.clone());
                (all, findings)
            })
            .collect();
        let (mut before, mut findings) = (Vec::new(), Findings::default());
        for (mut manifests, found) in read {
            before.append(&mut manifests);
            findings.merge(found);
        }
        Differing { before, after, findings }
    }
}

impl Differing {
    /// The ids of the documents that differ from what was committed, with what is rendered of each; `None`: nothing is.
    pub fn prints(&self) -> BTreeMap<ObjectId, Option<Print>> {
        let mut all: BTreeMap<ObjectId, Option<Print>> =
            self.before.iter().map(|manifest| (manifest.id.clone(), None)).collect();
        all.extend(self.after.iter().map(|(id, print)| (id.clone(), Some(*print))));
        all
    }

    /// The change, with what makes the later side's objects once more; `tool` is what this mtp renders otherwise from the
    /// input of the earlier side. The diagnostics say what of the earlier side cannot be read.
    pub fn into_pairs(
        self,
        after: &Rendered,
        tool: &BTreeMap<ObjectId, Option<Print>>,
    ) -> (Vec<Pair>, Vec<Manifest>, Vec<Diagnostic>) {
        let prints = self.after;
        let mut before: BTreeMap<ObjectId, Manifest> = BTreeMap::new();
        let mut findings = self.findings;
        for manifest in self.before {
            if let Some(first) = before.insert(manifest.id.clone(), manifest) {
                findings.error("T102", first.at.clone(), format!("{} stands in rendered/ twice", first.id));
            }
        }
        let context =
            Context::of(before.keys().chain(prints.keys()), |id| before.contains_key(id) && prints.contains_key(id));
        let (same, new) = (Mutex::new(Vec::new()), Mutex::new(BTreeMap::new()));
        after.objects(|objects| {
            let mut mine = Vec::new();
            let mut others = Vec::new();
            for object in objects {
                let differs = prints.contains_key(&object.id);
                // An id on the earlier side alone that is rendered all the same, unchanged, from another file.
                if differs || before.contains_key(&object.id) || context.holds(&object.id) {
                    let value = object.manifest.value();
                    let manifest = Manifest { id: object.id, value, at: object.at, origins: object.origins };
                    if differs || before.contains_key(&manifest.id) {
                        mine.push(manifest)
                    } else {
                        others.push(manifest)
                    }
                }
            }
            lock(&new).extend(mine.into_iter().map(|manifest| (manifest.id.clone(), manifest)));
            lock(&same).append(&mut others);
        });
        let cause = |id: &ObjectId| match (tool.get(id), prints.get(id)) {
            (None, _) => Cause::Author,
            (Some(rendered), print) if rendered.as_ref() == print => Cause::Tool,
            (Some(_), _) => Cause::Both,
        };
        let (pairs, mut equal) = paired(before, unlock(new), cause);
        let mut same = unlock(same);
        same.append(&mut equal);
        same.sort_by(|a, b| a.id.cmp(&b.id));
        (pairs, same, findings.into_sorted())
    }
}

/// The change between two sets of manifests, made by anything.
pub fn of_manifests(before: Vec<Manifest>, after: Vec<Manifest>, findings: &mut Findings) -> Change<'static> {
    let mut side = |all: Vec<Manifest>| {
        let mut by_id: BTreeMap<ObjectId, Manifest> = BTreeMap::new();
        for manifest in all {
            if let Some(first) = by_id.get(&manifest.id) {
                let about = format!("{} stands there twice", manifest.id);
                findings.error("T102", manifest.at.clone(), about).related(first.at.clone(), "first here");
            }
            by_id.insert(manifest.id.clone(), manifest);
        }
        by_id
    };
    let (before, after) = (side(before), side(after));
    let (pairs, same) = paired(before, after, |_| Cause::Author);
    Change { pairs, same, ..Change::default() }
}

/// Pairs of what differs, in the order of ids, and what is the same by what it means.
fn paired(
    mut before: BTreeMap<ObjectId, Manifest>,
    after: BTreeMap<ObjectId, Manifest>,
    cause: impl Fn(&ObjectId) -> Cause,
) -> (Vec<Pair>, Vec<Manifest>) {
    let (mut pairs, mut same) = (Vec::new(), Vec::new());
    for (id, after) in after {
        let before = before.remove(&id);
        if before.as_ref().is_some_and(|before| is_same(before, &after)) {
            same.push(after);
        } else {
            pairs.push(Pair { cause: cause(&id), id, before, after: Some(after) });
        }
    }
    let gone = before.into_iter().map(|(id, before)| Pair { cause: cause(&id), id, before: Some(before), after: None });
    pairs.extend(gone);
    pairs.sort_by(|a, b| a.id.cmp(&b.id));
    (pairs, same)
}

fn is_same(before: &Manifest, after: &Manifest) -> bool {
    if before.value == after.value {
        return true;
    }
    let [old, mut new] = [before, after].map(|m| normal(&m.id.kind, m.value.clone()));
    respell(&old, &mut new);
    differences(&before.id.kind, &old, &new).is_empty()
}

/// What is the same and has a part in what others mean, by the namespaces in which it does.
struct Context {
    /// Where the network is touched.
    network: BTreeSet<Arc<str>>,
    /// Where rights are.
    rights: BTreeSet<Arc<str>>,
    /// Where quotas are.
    quotas: BTreeSet<Arc<str>>,
    /// Whether a ClusterRole is, which may be bound anywhere.
    everywhere: bool,
}

impl Context {
    /// Of the ids on one side or both; `stays` says which are on both.
    fn of<'i>(ids: impl Iterator<Item = &'i ObjectId>, stays: impl Fn(&ObjectId) -> bool) -> Context {
        let [network, rights, quotas] = std::array::from_fn(|_| BTreeSet::new());
        let mut context = Context { network, rights, quotas, everywhere: false };
        for id in ids {
            let is_namespace = id.is_namespace();
            // One that comes or goes is told from one that was only stated by what else there is. Of one that stays, other
            // labels are no matter of the policies, since ours select by what only we write.
            let moves = is_namespace && !stays(id);
            if moves || id.group == NETWORKING {
                context.network.insert(home(id));
            }
            if moves || id.group == RBAC {
                context.rights.insert(home(id));
            }
            if moves || is_quota(id) {
                context.quotas.insert(home(id));
            }
            context.everywhere |= id.is(RBAC, "ClusterRole");
        }
        context
    }

    fn holds(&self, id: &ObjectId) -> bool {
        if id.group == RBAC {
            return id.namespace.is_none() || self.everywhere || self.rights.contains(&home(id));
        }
        let is_namespace = id.is_namespace();
        (is_quota(id) && self.quotas.contains(&home(id)))
            || ((is_namespace || id.group == NETWORKING) && self.network.contains(&home(id)))
    }
}

fn is_quota(id: &ObjectId) -> bool {
    id.is("", "ResourceQuota")
}

/// The lines of `tenants/` that differ.
pub fn edits(before: &Inputs, after: &Inputs) -> Edits {
    let mut edits = Edits::default();
    let all: BTreeMap<_, _> = before.iter().map(|(path, input)| (path, Some(input))).collect();
    let mut rest = all;
    for (path, input) in after.iter() {
        let old = rest.remove(path).flatten();
        if old != Some(input) {
            edits.add(path, before.text(path), after.text(path));
        }
    }
    for path in rest.keys() {
        edits.add(path, before.text(path), None);
    }
    edits
}

/// A file without our header line, which says where it comes from and not what it is.
fn headless(bytes: &[u8]) -> &[u8] {
    if !bytes.starts_with(HEADER.as_bytes()) {
        return bytes;
    }
    let end = bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |end| end + 1);
    &bytes[end..]
}

fn print(document: &[u8]) -> Print {
    Sha256::digest(document).into()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Another thread panicked: the run ends with its panic, whatever this one sees.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn unlock<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}
