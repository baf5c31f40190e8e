//! Sets of fields, in the form in which `metadata.managedFields` has them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::{Map, Value, json};

use super::schema::{Merge, Type};

/// A set of paths. A step is `f:name`, `k:{"key":"value"}` or `v:"value"`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields {
    /// Whether the path that leads here is in the set.
    pub member: bool,
    /// What is below.
    pub below: BTreeMap<String, Fields>,
}

impl Fields {
    /// From `fieldsV1`.
    pub fn read(value: &Value) -> Fields {
        let mut fields = Fields::default();
        let Some(map) = value.as_object() else { return fields };
        for (step, value) in map {
            if step == "." {
                fields.member = true;
                continue;
            }
            let mut child = Fields::read(value);
            child.member |= child.below.is_empty();
            fields.below.insert(step.clone(), child);
        }
        fields
    }

    /// As `fieldsV1`.
    pub fn write(&self) -> Value {
        let mut map = Map::new();
        if self.member && !self.below.is_empty() {
            map.insert(".".to_owned(), json!({}));
        }
        for (step, child) in &self.below {
            map.insert(step.clone(), child.write());
        }
        Value::Object(map)
    }

    /// Whether no path is in it.
    pub fn is_empty(&self) -> bool {
        !self.member && self.below.is_empty()
    }

    /// Puts a path in.
    pub fn insert(&mut self, path: &[String]) {
        match path.split_first() {
            None => self.member = true,
            Some((step, rest)) => self.below.entry(step.clone()).or_default().insert(rest),
        }
    }

    /// Puts what another has in.
    pub fn unite(&mut self, other: &Fields) {
        self.member |= other.member;
        for (step, child) in &other.below {
            match self.below.entry(step.clone()) {
                Entry::Vacant(entry) => {
                    entry.insert(child.clone());
                }
                Entry::Occupied(mut entry) => entry.get_mut().unite(child),
            }
        }
    }

    /// Takes out the paths that another has, not what is below them.
    pub fn subtract(&mut self, other: &Fields) {
        self.member &= !other.member;
        for (step, child) in &other.below {
            if let Entry::Occupied(mut entry) = self.below.entry(step.clone()) {
                entry.get_mut().subtract(child);
                if entry.get().is_empty() {
                    entry.remove();
                }
            }
        }
    }

    /// The paths that both have.
    pub fn common(&self, other: &Fields) -> Fields {
        let mut fields = Fields { member: self.member && other.member, ..Fields::default() };
        for (step, child) in &self.below {
            if let Some(child) = other.below.get(step).map(|other| child.common(other)).filter(|c| !c.is_empty()) {
                fields.below.insert(step.clone(), child);
            }
        }
        fields
    }

    /// Whether another has all that this one has.
    pub fn is_within(&self, other: &Fields) -> bool {
        (!self.member || other.member)
            && self.below.iter().all(|(step, child)| other.below.get(step).is_some_and(|other| child.is_within(other)))
    }

    /// Takes out a path with all that is below it.
    pub fn cut(&mut self, path: &[&str]) {
        match path {
            [] => *self = Fields::default(),
            [step, rest @ ..] => {
                if let Some(child) = self.below.get_mut(*step) {
                    child.cut(rest);
                    if child.is_empty() {
                        self.below.remove(*step);
                    }
                }
            }
        }
    }

    /// The same, where each field that its type names is a member as soon as something below it is.
    pub fn with_parents(&self, kind: &Type) -> Fields {
        let below = self.below.iter().map(|(step, child)| {
            let mut with = child.with_parents(kind.below(step));
            with.member |= !child.below.is_empty() && kind.names(step);
            (step.clone(), with)
        });
        Fields { member: self.member, below: below.collect() }
    }

    /// All paths, as messages have them: `.spec.containers[name="a"].image`.
    pub fn paths(&self) -> Vec<String> {
        let mut all = Vec::new();
        self.collect("", &mut all);
        all
    }

    fn collect(&self, path: &str, all: &mut Vec<String>) {
        // Those of this level before those below: the order of the real server.
        for (step, child) in &self.below {
            if child.member {
                all.push(format!("{path}{}", shown(step)));
            }
        }
        for (step, child) in &self.below {
            child.collect(&format!("{path}{}", shown(step)), all);
        }
    }
}

fn shown(step: &str) -> String {
    if let Some(name) = step.strip_prefix("f:") {
        return format!(".{name}");
    }
    if let Some(value) = step.strip_prefix("v:") {
        return format!("[={value}]");
    }
    let keys: Value = serde_json::from_str(step.trim_start_matches("k:")).unwrap_or_default();
    let keys: Vec<String> =
        keys.as_object().into_iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
    format!("[{}]", keys.join(","))
}

/// The step of a field.
pub fn field(name: &str) -> String {
    format!("f:{name}")
}

/// The step that an item of a list is known by.
pub fn item(merge: &Merge, kind: &Type, value: &Value) -> String {
    let Merge::Keys(keys) = merge else { return format!("v:{value}") };
    let structure = kind.structure();
    let mut map = BTreeMap::new();
    for key in keys {
        let default = || structure.and_then(|s| s.fields.get(key)?.default.clone());
        if let Some(value) = value.get(key).cloned().or_else(default) {
            map.insert(key.as_str(), value);
        }
    }
    format!("k:{}", json!(map))
}
