//! `Group`: identical changes of many objects, told once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use super::compare::{Difference, differences, normal, respell};
use super::mask::mask;
use super::names::Names;
use super::rename::{Rename, renames};
use super::{Cause, Change, Manifest, Pair};
use crate::emit::emit;
use crate::rendered::ObjectId;

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// It is gone.
    Removed,
    /// It is there under another name. It is told as removed and as added too, since that is what a cluster sees.
    Renamed,
    /// It differs.
    Changed,
    /// It is new.
    Added,
}

impl What {
    /// As reports spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            What::Removed => "removed",
            What::Renamed => "renamed",
            What::Changed => "changed",
            What::Added => "added",
        }
    }
}

/// The same change of one or many objects.
#[derive(Debug)]
pub struct Group {
    /// What happens.
    pub what: What,
    /// The API group of the objects.
    pub group: String,
    /// Their kind.
    pub kind: String,
    /// Their name, with `<namespace>` and `<tenant>` where several are meant.
    pub name: String,
    /// What brought it about.
    pub cause: Cause,
    /// The objects.
    pub objects: Vec<ObjectId>,
    /// Their tenants.
    pub tenants: BTreeSet<Arc<str>>,
    /// Of what was renamed: what it was called.
    pub from: Option<String>,
    /// What differs.
    pub differences: Vec<Difference>,
    /// The first of the objects as a unified diff of its YAML, without a head.
    pub diff: String,
}

/// What makes two changes the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    what: What,
    group: String,
    kind: String,
    name: String,
    cause: Cause,
    differences: Vec<Difference>,
    whole: Option<String>,
}

/// The most lines of a diff, and the most bytes of a manifest that is compared line by line.
const DIFF_LINES: usize = 400;
const DIFF_BYTES: usize = 256 * 1024;

/// All that differs, the same once; in the order in which a reviewer wants it: what is gone first.
pub fn groups(change: &Change<'_>) -> Vec<Group> {
    let renames = renames(&change.pairs);
    let keys: Vec<(Key, usize)> = change.pairs.par_iter().enumerate().map(|(index, pair)| (key(pair), index)).collect();
    let mut all: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (key, index) in keys {
        all.entry(key).or_default().push(index);
    }
    let mut groups: Vec<Group> =
        all.into_par_iter().map(|(key, members)| group(key, &members, &change.pairs)).collect();
    groups.extend(renames.into_iter().map(|rename| renamed(&rename, &change.pairs)));
    groups.sort_by(|a, b| {
        let order = |g: &Group| (g.what, g.kind.clone(), g.group.clone(), std::cmp::Reverse(g.objects.len()));
        order(a).cmp(&order(b)).then_with(|| (&a.name, &a.objects).cmp(&(&b.name, &b.objects)))
    });
    groups
}

/// Both sides in the form that is told: normal, spelt alike, without what is secret.
pub fn told(pair: &Pair) -> [Option<Value>; 2] {
    let kind = &*pair.id.kind;
    let value = |manifest: &Option<Manifest>| manifest.as_ref().map(|m| normal(kind, m.value.clone()));
    let (mut before, mut after) = (value(&pair.before), value(&pair.after));
    if let (Some(before), Some(after)) = (&before, &mut after) {
        respell(before, after);
    }
    mask(kind, before.as_mut(), after.as_mut());
    [before, after]
}

fn key(pair: &Pair) -> Key {
    let names = Names::of(pair);
    let (what, differences, whole) = match told(pair) {
        [Some(before), Some(after)] => {
            let mut all = differences(&pair.id.kind, &before, &after);
            for difference in &mut all {
                difference.path = names.general(&difference.path);
                for side in [&mut difference.before, &mut difference.after].into_iter().flatten() {
                    *side = names.general(side);
                }
            }
            (What::Changed, all, None)
        }
        [before, after] => {
            let what = if before.is_some() { What::Removed } else { What::Added };
            let whole = before.or(after).map(|value| names.general_value(&value).to_string());
            (what, Vec::new(), whole)
        }
    };
    Key {
        what,
        group: pair.id.group.to_string(),
        kind: pair.id.kind.to_string(),
        name: names.general(&full_name(&pair.id)),
        cause: pair.cause,
        differences,
        whole,
    }
}

/// `namespace/name`, or the name of what is cluster-scoped.
pub fn full_name(id: &ObjectId) -> String {
    match &id.namespace {
        Some(namespace) => format!("{namespace}/{}", id.name),
        None => id.name.to_string(),
    }
}

fn group(key: Key, members: &[usize], pairs: &[Pair]) -> Group {
    let of: Vec<&Pair> = members.iter().map(|index| &pairs[*index]).collect();
    let shown = of.first().map(|pair| told(pair)).unwrap_or_default();
    // Of a single object there is nothing to generalise.
    let (name, differences) = match (of.as_slice(), &shown) {
        ([pair], [Some(before), Some(after)]) => (full_name(&pair.id), differences(&pair.id.kind, before, after)),
        ([pair], _) => (full_name(&pair.id), Vec::new()),
        _ => (key.name, key.differences),
    };
    let diff = unified(shown);
    Group {
        what: key.what,
        group: key.group,
        kind: key.kind,
        name,
        cause: key.cause,
        objects: of.iter().map(|pair| pair.id.clone()).collect(),
        tenants: of.iter().filter_map(|pair| pair.tenant()).map(Arc::from).collect(),
        from: None,
        differences,
        diff,
    }
}

fn renamed(rename: &Rename, pairs: &[Pair]) -> Group {
    let (old, new) = (&pairs[rename.from], &pairs[rename.to]);
    let [[before, _], [_, after]] = [told(old), told(new)];
    let both = before.as_ref().zip(after.as_ref());
    Group {
        what: What::Renamed,
        group: new.id.group.to_string(),
        kind: new.id.kind.to_string(),
        name: full_name(&new.id),
        cause: new.cause,
        objects: vec![new.id.clone()],
        tenants: new.tenant().map(Arc::from).into_iter().collect(),
        from: Some(full_name(&old.id)),
        differences: both.map(|(before, after)| differences(&new.id.kind, before, after)).unwrap_or_default(),
        diff: unified([before, after]),
    }
}

/// A value as the YAML that we would render.
pub fn yaml(value: &Value) -> String {
    let mut bytes = Vec::new();
    match emit(value, &mut bytes) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("# cannot be written: {error}\n"),
    }
}

fn unified(sides: [Option<Value>; 2]) -> String {
    let [before, after] = sides.map(|side| side.as_ref().map(yaml).unwrap_or_default());
    if before.len() + after.len() > DIFF_BYTES {
        return format!("@@ {} and {} bytes: too large to be compared line by line @@\n", before.len(), after.len());
    }
    crate::report::unified(&before, &after, 3, DIFF_LINES, "@@ … @@")
}
