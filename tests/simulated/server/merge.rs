//! Objects against objects, as their types say: what one sets, what changed, what both make together.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::{Fields, field, item};
use super::schema::{Merge, Shape, Type};

/// The fields that a value sets.
pub fn fields_of(value: &Value, kind: &Type) -> Fields {
    let mut fields = Fields::default();
    match kind.shape(value) {
        Shape::Leaf => fields.member = true,
        Shape::List(merge, below) => {
            let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            let steps: Vec<String> = items.iter().map(|value| item(merge, below, value)).collect();
            for step in &steps {
                *counts.entry(step.clone()).or_default() += 1;
            }
            for (step, value) in steps.into_iter().zip(items) {
                let mut child = if counts[&step] > 1 { Fields::default() } else { fields_of(value, below) };
                child.member = true;
                fields.below.insert(step, child);
            }
        }
        Shape::Map(structure, rest) => {
            for (name, value) in value.as_object().into_iter().flatten() {
                let named = structure.and_then(|s| s.fields.get(name));
                let mut child = fields_of(value, named.map_or(rest, |field| &field.kind));
                let is_nothing = value.is_null() || value.as_object().is_some_and(Map::is_empty);
                child.member |= is_nothing || named.is_none();
                if !child.is_empty() {
                    fields.below.insert(field(name), child);
                }
            }
        }
    }
    fields
}

/// What differs between two objects.
#[derive(Debug, Default)]
pub struct Difference {
    /// Only the second has it.
    pub added: Fields,
    /// Both have it, with other values.
    pub modified: Fields,
    /// Only the first has it.
    pub removed: Fields,
    path: Vec<String>,
}

/// Compares two objects.
pub fn differences(old: &Value, new: &Value, kind: &Type) -> Difference {
    let mut found = Difference::default();
    found.walk(Some(old), Some(new), kind);
    found
}

impl Difference {
    fn leaf(&mut self, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (None, _) => self.added.insert(&self.path),
            (_, None) => self.removed.insert(&self.path),
            _ => self.modified.insert(&self.path),
        }
    }

    fn step(&mut self, step: String, old: Option<&Value>, new: Option<&Value>, kind: &Type) {
        self.path.push(step);
        self.walk(old, new, kind);
        self.path.pop();
    }

    fn walk(&mut self, old: Option<&Value>, new: Option<&Value>, kind: &Type) {
        if old == new {
            return;
        }
        let (Some(one), Some(other)) = (new.or(old), old.or(new)) else { return };
        // Something of no known type that changes from one form to another changes as a whole.
        if std::mem::discriminant(&kind.shape(one)) != std::mem::discriminant(&kind.shape(other)) {
            return self.leaf(old, new);
        }
        match kind.shape(one) {
            Shape::Leaf => return self.leaf(old, new),
            Shape::List(merge, below) => {
                let (olds, news) = (items(old), items(new));
                if olds.is_empty() && news.is_empty() {
                    return self.leaf(old, new);
                }
                self.lists(olds, news, merge, below);
            }
            Shape::Map(structure, rest) => {
                let (olds, news) = (entries(old), entries(new));
                if olds.is_none_or(Map::is_empty) && news.is_none_or(Map::is_empty) {
                    return self.leaf(old, new);
                }
                let kind = |name: &str| structure.and_then(|s| s.fields.get(name)).map_or(rest, |field| &field.kind);
                for (name, value) in olds.into_iter().flatten() {
                    self.step(field(name), Some(value), news.and_then(|map| map.get(name)), kind(name));
                }
                for (name, value) in news.into_iter().flatten() {
                    if olds.is_none_or(|map| !map.contains_key(name)) {
                        self.step(field(name), None, Some(value), kind(name));
                    }
                }
            }
        }
        if old.is_none() {
            self.added.insert(&self.path);
        } else if new.is_none() {
            self.removed.insert(&self.path);
        }
    }

    fn lists(&mut self, olds: &[Value], news: &[Value], merge: &Merge, below: &Type) {
        let mut all: BTreeMap<String, [Vec<&Value>; 2]> = BTreeMap::new();
        for (side, items) in [olds, news].into_iter().enumerate() {
            for value in items {
                all.entry(item(merge, below, value)).or_default()[side].push(value);
            }
        }
        for (step, [olds, news]) in all {
            if olds.len() <= 1 && news.len() <= 1 {
                self.step(step, olds.first().copied(), news.first().copied(), below);
                continue;
            }
            // An item that stands there several times is owned as a whole.
            let path: Vec<String> = self.path.iter().cloned().chain([step.clone()]).collect();
            if olds.len() > 1 && news.len() > 1 {
                if olds != news {
                    self.modified.insert(&path);
                }
            } else if olds.len() > 1 {
                self.step(step, None, news.first().copied(), below);
                self.removed.insert(&path);
            } else {
                self.step(step, olds.first().copied(), None, below);
                self.added.insert(&path);
            }
        }
    }
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn entries(value: Option<&Value>) -> Option<&Map<String, Value>> {
    value.and_then(Value::as_object)
}

/// Whether applying to an object leaves it as it is. May say no where it does: then [`merged`] knows.
pub fn is_applied(live: &Value, applied: &Value, kind: &Type) -> bool {
    match kind.shape(applied) {
        Shape::Leaf => live == applied,
        Shape::List(merge, below) => {
            let (olds, news) = (items(Some(live)), items(Some(applied)));
            // Items in the order in which they stand.
            let mut olds = olds.iter();
            !news.is_empty()
                && news.iter().all(|new| {
                    let step = item(merge, below, new);
                    olds.find(|old| item(merge, below, old) == step).is_some_and(|old| is_applied(old, new, below))
                })
        }
        Shape::Map(structure, rest) => {
            let (Some(old), Some(new)) = (live.as_object(), applied.as_object()) else { return false };
            new.iter().all(|(name, value)| {
                let kind = structure.and_then(|s| s.fields.get(name)).map_or(rest, |field| &field.kind);
                old.get(name).is_some_and(|old| is_applied(old, value, kind))
            })
        }
    }
}

/// An object with what is applied to it.
pub fn merged(live: &Value, applied: &Value, kind: &Type) -> Value {
    if std::mem::discriminant(&kind.shape(live)) != std::mem::discriminant(&kind.shape(applied)) {
        return applied.clone();
    }
    match kind.shape(applied) {
        Shape::Leaf => applied.clone(),
        Shape::List(merge, below) => {
            let (olds, news) = (items(Some(live)), items(Some(applied)));
            if olds.is_empty() || news.is_empty() {
                return if olds.is_empty() { applied.clone() } else { live.clone() };
            }
            Value::Array(merged_lists(olds, news, merge, below))
        }
        Shape::Map(structure, rest) => {
            let (Some(old), Some(new)) = (live.as_object(), applied.as_object()) else {
                return if live.is_object() { live.clone() } else { applied.clone() };
            };
            let mut out = old.clone();
            for (name, value) in new {
                let kind = structure.and_then(|s| s.fields.get(name)).map_or(rest, |field| &field.kind);
                let value = old.get(name).map_or_else(|| value.clone(), |old| merged(old, value, kind));
                out.insert(name.clone(), value);
            }
            Value::Object(out)
        }
    }
}

/// The applied items in their order, the others where they stood between them.
fn merged_lists(olds: &[Value], news: &[Value], merge: &Merge, below: &Type) -> Vec<Value> {
    let left: Vec<String> = olds.iter().map(|value| item(merge, below, value)).collect();
    let right: Vec<String> = news.iter().map(|value| item(merge, below, value)).collect();
    let find = |step: &String| left.iter().position(|s| s == step);
    let mut shared = right.iter().filter(|step| left.contains(step));
    let mut next = shared.next();
    let mut done: Vec<&String> = Vec::new();
    let mut out = Vec::new();
    let both =
        |step: &String, value: &Value| find(step).map_or_else(|| value.clone(), |i| merged(&olds[i], value, below));
    let (mut l, mut r) = (0, 0);
    while l < left.len() || r < right.len() {
        if l < left.len() && r < right.len() {
            if left[l] == right[r] {
                done.push(&right[r]);
                out.push(both(&right[r], &news[r]));
                (l, r) = (l + 1, r + 1);
                next = shared.next();
                continue;
            }
            if right.contains(&left[l]) && next.is_some_and(|next| *next != left[l]) {
                l += 1;
                continue;
            }
        }
        if l < left.len() {
            if !right.contains(&left[l]) {
                out.push(olds[l].clone());
                l += 1;
                continue;
            }
            if done.contains(&&left[l]) {
                l += 1;
            }
        }
        if r < right.len() {
            done.push(&right[r]);
            out.push(both(&right[r], &news[r]));
            if next == Some(&right[r]) {
                next = shared.next();
            }
            r += 1;
        }
    }
    out
}

/// A value without these fields.
pub fn without(value: &Value, remove: &Fields, kind: &Type) -> Value {
    match kind.shape(value) {
        Shape::Leaf if value.is_array() || value.is_object() => Value::Null,
        Shape::Leaf => value.clone(),
        Shape::List(merge, below) => {
            let kept: Vec<Value> = items(Some(value))
                .iter()
                .filter_map(|value| match remove.below.get(&item(merge, below, value)) {
                    Some(gone) if gone.member => None,
                    Some(part) => Some(without(value, part, below)),
                    None => Some(value.clone()),
                })
                .collect();
            if kept.is_empty() { Value::Null } else { Value::Array(kept) }
        }
        Shape::Map(structure, rest) => {
            let mut out = Map::new();
            for (name, value) in value.as_object().into_iter().flatten() {
                let kind = structure.and_then(|s| s.fields.get(name)).map_or(rest, |field| &field.kind);
                match remove.below.get(&field(name)) {
                    Some(gone) if gone.member => {}
                    Some(part) => {
                        out.insert(name.clone(), without(value, part, kind));
                    }
                    None => {
                        out.insert(name.clone(), value.clone());
                    }
                }
            }
            if out.is_empty() { Value::Null } else { Value::Object(out) }
        }
    }
}
