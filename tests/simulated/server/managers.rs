//! Who owns which fields: `metadata.managedFields`, and what server-side apply and updates do with it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::merge::{differences, fields_of, is_applied, merged, without};
use super::schema::Type;

/// Who owns: the manager as it calls itself, and how it wrote.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Manager {
    /// Its name.
    pub name: String,
    /// Whether it applied; otherwise it updated.
    pub applied: bool,
    /// The API version of an update.
    pub api_version: String,
    /// The subresource that it wrote to; empty for the object itself.
    pub subresource: String,
}

/// What one owns.
#[derive(Debug, Clone)]
pub struct Owned {
    /// The fields.
    pub fields: Fields,
    /// The API version in which they are named.
    pub api_version: String,
    /// When it last changed something.
    pub time: String,
}

/// All owners of an object.
pub type Managers = BTreeMap<Manager, Owned>;

/// What a resource or subresource does not let one write: these paths, with all below them.
#[derive(Debug, Clone, Copy)]
pub struct Ignored(pub &'static [&'static [&'static str]]);

/// A write, as far as ownership depends on it.
pub struct Writer<'a> {
    /// The type of the object.
    pub kind: &'a Type,
    /// `v1`, `apps/v1`
    pub api_version: &'a str,
    /// The name of the field manager.
    pub manager: &'a str,
    /// The subresource; empty for the object itself.
    pub subresource: &'a str,
    /// What is not written there.
    pub ignored: Ignored,
    /// The time.
    pub now: &'a str,
}

/// A field that somebody else owns.
#[derive(Debug)]
pub struct Conflict {
    /// Who owns it.
    pub manager: Manager,
    /// Its path.
    pub path: String,
}

/// Metadata that nobody owns.
const NOBODYS: [&str; 9] = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
];

/// The owners that an object names.
pub fn read(object: &Value) -> Managers {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    let mut managers = Managers::new();
    for entry in entries.into_iter().flatten() {
        let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
        let applied = entry["operation"] == "Apply";
        let manager = Manager {
            name: text("manager"),
            applied,
            api_version: if applied { String::new() } else { text("apiVersion") },
            subresource: text("subresource"),
        };
        let fields = Fields::read(&entry["fieldsV1"]);
        managers.insert(manager, Owned { fields, api_version: text("apiVersion"), time: text("time") });
    }
    managers
}

/// Writes the owners into an object.
pub fn write(object: &mut Value, managers: &Managers) {
    let mut entries: Vec<(&Manager, &Owned)> = managers.iter().collect();
    entries.sort_by_key(|(manager, owned)| {
        (!manager.applied, &owned.time, &manager.name, &owned.api_version, &manager.subresource)
    });
    let entries = entries.into_iter().map(|(manager, owned)| {
        let mut entry = json!({
            "manager": manager.name,
            "operation": if manager.applied { "Apply" } else { "Update" },
            "apiVersion": owned.api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": owned.fields.write(),
        });
        if !owned.time.is_empty() {
            entry["time"] = json!(owned.time);
        }
        if !manager.subresource.is_empty() {
            entry["subresource"] = json!(manager.subresource);
        }
        entry
    });
    let entries: Vec<Value> = entries.collect();
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    if entries.is_empty() {
        metadata.remove("managedFields");
    } else {
        metadata.insert("managedFields".to_owned(), Value::Array(entries));
    }
}

/// Takes the owners out of an object.
pub fn strip(object: &mut Value) -> Option<Value> {
    object.get_mut("metadata").and_then(Value::as_object_mut)?.remove("managedFields")
}

impl Ignored {
    fn filter(self, fields: &mut Fields) {
        for path in self.0 {
            let steps: Vec<String> = path.iter().map(|name| format!("f:{name}")).collect();
            fields.cut(&steps.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}

impl Writer<'_> {
    fn own(&self, applied: bool) -> Manager {
        Manager {
            name: self.manager.to_owned(),
            applied,
            api_version: if applied { String::new() } else { self.api_version.to_owned() },
            subresource: self.subresource.to_owned(),
        }
    }

    /// Notes that the writer made `new` of `live`. Neither has managed fields.
    pub fn update(&self, live: &Value, new: &Value, managers: &mut Managers) {
        let mut found = differences(live, new, self.kind);
        for fields in [&mut found.added, &mut found.modified, &mut found.removed] {
            self.ignored.filter(fields);
        }
        let mut taken = found.added.clone();
        taken.unite(&found.modified);
        for owned in managers.values_mut() {
            owned.fields.subtract(&taken);
            owned.fields.subtract(&found.removed);
        }
        managers.retain(|_, owned| !owned.fields.is_empty());
        strip_metadata(&mut taken);
        if taken.is_empty() {
            return;
        }
        let entry = managers.entry(self.own(false)).or_insert_with(|| Owned {
            fields: Fields::default(),
            api_version: self.api_version.to_owned(),
            time: String::new(),
        });
        entry.fields.unite(&taken);
        entry.time = self.now.to_owned();
        cap(managers);
    }

    /// Whether applying this again changes nothing: it is as it was applied, and by whom.
    pub fn is_settled(&self, live: &Value, applied: &Value) -> bool {
        if !is_applied(live, applied, self.kind) {
            return false;
        }
        let mut entries = live.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten();
        let is_own = |entry: &&Value| {
            entry["operation"] == "Apply"
                && entry["manager"] == self.manager
                && entry["subresource"].as_str().unwrap_or_default() == self.subresource
        };
        entries.find(is_own).is_some_and(|entry| {
            let mut set = fields_of(applied, self.kind);
            self.ignored.filter(&mut set);
            strip_metadata(&mut set);
            entry["apiVersion"] == self.api_version && entry["fieldsV1"] == set.write()
        })
    }

    /// Applies `applied` to `live`; neither has managed fields. Returns the new object, or nothing where it is the same.
    pub fn apply(
        &self,
        live: &Value,
        applied: &Value,
        managers: &mut Managers,
        force: bool,
    ) -> Result<Option<Value>, Vec<Conflict>> {
        let mut new = merged(live, applied, self.kind);
        let mut set = fields_of(applied, self.kind);
        self.ignored.filter(&mut set);
        let own = self.own(true);
        let last = managers.insert(
            own.clone(),
            Owned { fields: set.clone(), api_version: self.api_version.to_owned(), time: self.now.to_owned() },
        );
        if let Some(last) = last.as_ref().filter(|last| !last.fields.is_within(&set)) {
            new = self.pruned(&new, managers, &last.fields);
        }
        let mut found = differences(live, &new, self.kind);
        for fields in [&mut found.added, &mut found.modified, &mut found.removed] {
            self.ignored.filter(fields);
        }
        let mut taken = found.added;
        taken.unite(&found.modified);
        let others = managers.iter().filter(|(manager, _)| **manager != own);
        let conflicts: Vec<(Manager, Fields)> = others
            .map(|(manager, owned)| (manager.clone(), owned.fields.common(&taken)))
            .filter(|(_, fields)| !fields.is_empty())
            .collect();
        if !force && !conflicts.is_empty() {
            let paths = conflicts.into_iter().flat_map(|(manager, fields)| {
                let paths = fields.paths();
                paths.into_iter().map(move |path| Conflict { manager: manager.clone(), path })
            });
            return Err(paths.collect());
        }
        for (manager, owned) in managers.iter_mut().filter(|(manager, _)| **manager != own) {
            if let Some((_, fields)) = conflicts.iter().find(|(other, _)| other == manager) {
                owned.fields.subtract(fields);
            }
            owned.fields.subtract(&found.removed);
        }
        if let Some(owned) = managers.get_mut(&own) {
            strip_metadata(&mut owned.fields);
        }
        managers.retain(|_, owned| !owned.fields.is_empty());
        if new == *live {
            // As the real server: who takes part in what others wrote gets no time.
            if let Some(owned) = managers.get_mut(&own) {
                owned.time = last.map(|last| last.time).unwrap_or_default();
            }
            return Ok(None);
        }
        Ok(Some(new))
    }

    /// Without what the writer applied last time, and neither it nor anybody else has now.
    fn pruned(&self, merged: &Value, managers: &Managers, last: &Fields) -> Value {
        let last = last.with_parents(self.kind);
        let mut owned = Fields::default();
        for other in managers.values() {
            owned.unite(&other.fields);
        }
        let all = fields_of(merged, self.kind).with_parents(self.kind);
        // What somebody has comes back, with its parents.
        let first = without(merged, &last, self.kind);
        let mut gone = all.clone();
        gone.subtract(&fields_of(&first, self.kind).with_parents(self.kind));
        gone.subtract(&owned.with_parents(self.kind));
        let second = without(merged, &gone, self.kind);
        // So does what was never the writer's.
        let mut gone = all;
        gone.subtract(&fields_of(&second, self.kind).with_parents(self.kind));
        without(merged, &gone.common(&last), self.kind)
    }
}

fn strip_metadata(fields: &mut Fields) {
    for name in ["apiVersion", "kind"] {
        if let Some(child) = fields.below.get_mut(&format!("f:{name}")) {
            child.member = false;
        }
    }
    if let Some(metadata) = fields.below.get_mut("f:metadata") {
        metadata.member = false;
        for name in NOBODYS {
            if let Some(child) = metadata.below.get_mut(&format!("f:{name}")) {
                child.member = false;
            }
        }
        metadata.below.retain(|_, child| !child.is_empty());
    }
    fields.below.retain(|_, child| !child.is_empty());
}

/// Joins the oldest updates where there are more than ten.
fn cap(managers: &mut Managers) {
    loop {
        let mut updates: Vec<(String, Manager)> =
            managers.iter().filter(|(m, _)| !m.applied).map(|(m, owned)| (owned.time.clone(), m.clone())).collect();
        if updates.len() <= 10 {
            return;
        }
        updates.sort();
        let ancient =
            |m: &Manager| Manager { name: "ancient-changes".to_owned(), subresource: String::new(), ..m.clone() };
        let (_, first) = &updates[0];
        let Some((_, second)) = updates[1..].iter().find(|(_, m)| m.api_version == first.api_version) else { return };
        let (one, other) = (managers.remove(first), managers.remove(second));
        let (Some(one), Some(mut other)) = (one, other) else { return };
        other.fields.unite(&one.fields);
        managers.insert(ancient(second), other);
    }
}

/// The refusal that a real server writes.
pub fn conflict_message(conflicts: &[Conflict]) -> String {
    if let [conflict] = conflicts {
        return format!("Apply failed with 1 conflict: conflict with {}: {}", conflict.manager.shown(), conflict.path);
    }
    let mut by: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for conflict in conflicts {
        by.entry(conflict.manager.shown()).or_default().push(&conflict.path);
    }
    let mut lines = Vec::new();
    for (manager, paths) in by {
        lines.push(format!("conflicts with {manager}:"));
        lines.extend(paths.iter().map(|path| format!("- {path}")));
    }
    format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
}

impl Manager {
    /// As messages name it.
    pub fn shown(&self) -> String {
        let mut text = format!("{:?}", self.name);
        if !self.subresource.is_empty() {
            text += &format!(" with subresource {:?}", self.subresource);
        }
        if !self.applied {
            text += &format!(" using {}", self.api_version);
        }
        text
    }
}

/// An object of a kind before it has anything.
pub fn nothing(api_version: &str, kind: &str) -> Value {
    let mut map = Map::new();
    map.insert("apiVersion".to_owned(), json!(api_version));
    map.insert("kind".to_owned(), json!(kind));
    map.insert("metadata".to_owned(), json!({}));
    Value::Object(map)
}
