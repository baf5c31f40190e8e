//! What is gone under one name and there under another.

use std::collections::BTreeMap;

use super::Pair;
use super::group::{told, yaml};
use super::names::Names;

/// Two pairs that are one object under two names: the one that is gone, and the one that is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rename {
    /// Position of the pair whose object is gone.
    pub from: usize,
    /// Position of the pair whose object is new.
    pub to: usize,
}

/// How much of two objects has to be the same, in hundredths of their lines.
const ALIKE: usize = 60;

/// With more objects of a kind on a side than this, only those that are the same but for their names are taken for one:
/// comparing each with each would take longer than it is worth.
const MOST: usize = 40;

/// Finds them; each object is in one rename at most.
pub fn renames(pairs: &[Pair]) -> Vec<Rename> {
    let mut kinds: BTreeMap<(&str, &str), [Vec<usize>; 2]> = BTreeMap::new();
    for (index, pair) in pairs.iter().enumerate() {
        let side = match (&pair.before, &pair.after) {
            (Some(_), None) => 0,
            (None, Some(_)) => 1,
            _ => continue,
        };
        kinds.entry((&pair.id.group, &pair.id.kind)).or_default()[side].push(index);
    }
    let mut all = Vec::new();
    for [gone, new] in kinds.into_values().filter(|[gone, new]| !gone.is_empty() && !new.is_empty()) {
        let texts = |side: &[usize]| -> Vec<(usize, String)> {
            side.iter().map(|index| (*index, general(&pairs[*index]))).collect()
        };
        let (gone, new) = (texts(&gone), texts(&new));
        if gone.len() <= MOST && new.len() <= MOST {
            closest(&gone, &new, &mut all)
        } else {
            equal(&gone, &new, &mut all)
        }
    }
    all.sort_by_key(|rename| rename.from);
    all
}

/// The object as YAML, without the names that a renamed tenant changes everywhere.
fn general(pair: &Pair) -> String {
    let value = told(pair).into_iter().flatten().next().unwrap_or_default();
    yaml(&Names::of(pair).general_value(&value))
}

fn equal(gone: &[(usize, String)], new: &[(usize, String)], all: &mut Vec<Rename>) {
    let mut by_text: BTreeMap<&str, [Vec<usize>; 2]> = BTreeMap::new();
    for (side, texts) in [gone, new].into_iter().enumerate() {
        texts.iter().for_each(|(index, text)| by_text.entry(text).or_default()[side].push(*index));
    }
    // Of several nobody can tell which became which.
    all.extend(by_text.into_values().filter_map(|[gone, new]| match (gone.as_slice(), new.as_slice()) {
        ([from], [to]) => Some(Rename { from: *from, to: *to }),
        _ => None,
    }));
}

fn closest(gone: &[(usize, String)], new: &[(usize, String)], all: &mut Vec<Rename>) {
    let mut found: Vec<(usize, Rename)> = Vec::new();
    for (from, old) in gone {
        for (to, new) in new {
            let alike = alike(old, new);
            if alike >= ALIKE {
                found.push((alike, Rename { from: *from, to: *to }));
            }
        }
    }
    // The most alike first; among equals, in the order of their names.
    found.sort_by_key(|(alike, rename)| (std::cmp::Reverse(*alike), rename.from, rename.to));
    for (_, rename) in found {
        if !all.iter().any(|other| other.from == rename.from || other.to == rename.to) {
            all.push(rename);
        }
    }
}

/// How many of the lines of both are in both, in hundredths.
fn alike(a: &str, b: &str) -> usize {
    let mut lines: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    a.lines().for_each(|line| lines.entry(line).or_default()[0] += 1);
    b.lines().for_each(|line| lines.entry(line).or_default()[1] += 1);
    let (both, all) = lines.values().fold((0, 0), |(both, all), [a, b]| (both + a.min(b) * 2, all + a + b));
    (both * 100).checked_div(all).unwrap_or(100)
}
