//! What is stored, at every revision: objects by key, and the log of all changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

/// Where an object is stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// `configmaps`, `deployments.apps`
    pub resource: String,
    /// Empty for what is cluster-scoped.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// One effective write.
#[derive(Debug, Clone)]
pub struct Change {
    /// The revision that it made.
    pub revision: u64,
    /// What it wrote.
    pub key: Key,
    /// What was there before.
    pub before: Option<Arc<Value>>,
    /// What is there since.
    pub after: Option<Arc<Value>>,
}

/// The storage.
#[derive(Debug, Default)]
pub struct State {
    objects: BTreeMap<Key, Arc<Value>>,
    log: Vec<Change>,
    revision: u64,
    compacted: u64,
}

impl Key {
    /// The key of an object.
    pub fn new(resource: &str, namespace: &str, name: &str) -> Key {
        Key { resource: resource.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl State {
    /// The newest revision.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The oldest revision that can still be read.
    pub fn compacted(&self) -> u64 {
        self.compacted
    }

    /// All changes, oldest first.
    pub fn log(&self) -> &[Change] {
        &self.log
    }

    /// The revision before the last `n` effective writes.
    pub fn before(&self, n: usize) -> u64 {
        match self.log.len().checked_sub(n) {
            _ if n == 0 => self.revision,
            Some(index) => self.log.get(index).map_or(self.revision, |change| change.revision - 1),
            None => self.log.first().map_or(0, |change| change.revision - 1),
        }
    }

    /// Forgets what was before this revision.
    pub fn compact(&mut self, revision: u64) {
        self.compacted = self.compacted.max(revision.min(self.revision));
    }

    /// A number that nothing else has; of resource versions.
    pub fn next(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    /// The object as it is.
    pub fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(key)
    }

    /// The object as it was at a revision.
    pub fn get_at(&self, key: &Key, revision: u64) -> Option<Arc<Value>> {
        let later = self.log.iter().rev().take_while(|change| change.revision > revision);
        match later.filter(|change| change.key == *key).last() {
            Some(first) => first.before.clone(),
            None => self.objects.get(key).cloned(),
        }
    }

    /// The objects of a resource, in one namespace or in all.
    pub fn list<'a>(
        &'a self,
        resource: &'a str,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> + 'a {
        let from = Key::new(resource, namespace.unwrap_or_default(), "");
        let within = move |key: &Key| key.resource == resource && namespace.is_none_or(|n| n == key.namespace);
        self.objects.range(from..).take_while(move |(key, _)| within(key))
    }

    /// The same, as they were at a revision.
    pub fn list_at(&self, resource: &str, namespace: Option<&str>, revision: u64) -> BTreeMap<Key, Arc<Value>> {
        let now = self.list(resource, namespace);
        let mut all: BTreeMap<Key, Arc<Value>> = now.map(|(key, object)| (key.clone(), Arc::clone(object))).collect();
        for change in self.log.iter().rev().take_while(|change| change.revision > revision) {
            if change.key.resource == resource && namespace.is_none_or(|n| n == change.key.namespace) {
                match &change.before {
                    Some(before) => all.insert(change.key.clone(), Arc::clone(before)),
                    None => all.remove(&change.key),
                };
            }
        }
        all
    }

    /// All objects of all resources.
    pub fn all(&self) -> impl Iterator<Item = (&Key, &Arc<Value>)> {
        self.objects.iter()
    }

    /// Stores an object, with a resource version of its own.
    pub fn put(&mut self, key: &Key, mut object: Value) -> Arc<Value> {
        let revision = self.next();
        object["metadata"]["resourceVersion"] = json!(revision.to_string());
        let object = Arc::new(object);
        let before = self.objects.insert(key.clone(), Arc::clone(&object));
        self.log.push(Change { revision, key: key.clone(), before, after: Some(Arc::clone(&object)) });
        object
    }

    /// Removes an object.
    pub fn remove(&mut self, key: &Key) -> Option<Arc<Value>> {
        let before = self.objects.remove(key)?;
        let revision = self.next();
        self.log.push(Change { revision, key: key.clone(), before: Some(Arc::clone(&before)), after: None });
        Some(before)
    }
}
