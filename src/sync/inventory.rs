//! The inventory: what this installation has put into a cluster, by UID; ConfigMaps in the platform's namespace.
//!
//! An object enters it before it is created, and leaves it once it is seen to be gone. There is a shard for the
//! platform and one a tenant, so that none outgrows what etcd takes, and two tenants' changes do not meet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Unit;
use super::digest::Digest;
use super::live::Live;
use crate::rendered::ObjectId;

/// The label of the ConfigMaps; its value is the installation, which is the Platform's `metadata.name`.
pub const LABEL: &str = "k8s-mtp.io/inventory";

/// The name of the platform's shard, and how those of tenants begin.
pub const NAME: &str = "k8s-mtp-inventory";

/// The most bytes of a shard: etcd takes a request of 1.5 MiB, a ConfigMap 1 MiB.
const MAX_SHARD: usize = 900 * 1024;

/// What is known of an object of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its version of the API when it was applied: how it is found again.
    pub api_version: Arc<str>,
    /// Its UID; `None` from before it is created until that is seen to have happened.
    pub uid: Option<String>,
    /// What was applied.
    pub want: Option<Digest>,
    /// What the API server made of it.
    pub have: Option<Digest>,
    /// Of a Namespace: that a pass saw it retired.
    pub retired: bool,
    /// That somebody else made it and handed it over; such a Namespace is never deleted.
    pub adopted: bool,
    /// That Kubernetes itself made it: it is given back instead of deleted.
    pub lent: bool,
}

impl Entry {
    /// Of an object that is about to be created.
    pub fn pending(api_version: Arc<str>) -> Entry {
        Entry { api_version, uid: None, want: None, have: None, retired: false, adopted: false, lent: false }
    }

    /// Whether it is about this very object.
    pub fn is_of(&self, live: &Live) -> bool {
        // One that was about to be created when something went wrong counts once it says that we made it. What Kubernetes makes
        // we never do: then it is enough that we wrote it, for it is only let go of.
        let was_written = || live.was_made() || self.lent && live.was_applied();
        self.uid.as_ref().map_or_else(was_written, |uid| *uid == live.uid)
    }

    /// Whether the object is what was applied last, that is still wanted, and nobody added to it where he may not: then there is
    /// nothing to do, and nothing of it has to be remembered.
    pub fn stands(&self, want: Digest, live: &Live) -> bool {
        self.uid.is_some()
            && self.want == Some(want)
            && self.have.is_some()
            && self.have == live.have
            && live.additions.is_empty()
    }
}

/// The objects of a unit.
pub type Entries = BTreeMap<ObjectId, Entry>;

/// What a unit's ConfigMaps hold.
#[derive(Debug, Clone, Default)]
pub struct Shard {
    /// The objects.
    pub entries: Entries,
    /// The commit that was applied last; in the platform's shard: the one that a pass was last about.
    pub commit: Option<String>,
    /// The resourceVersion of each of its ConfigMaps.
    pub versions: Vec<String>,
}

/// All of an installation.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// By unit.
    pub shards: BTreeMap<Unit, Shard>,
    /// The tenants that the platform's shard lists.
    pub listed: BTreeSet<String>,
    /// Units whose shard is missing, wholly or in part: what they hold has to be found anew.
    pub lost: Vec<Unit>,
}

/// Why an inventory cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is that of another installation.
    Other(String),
    /// It cannot be read.
    Unreadable(String),
}

/// One line of a ConfigMap.
#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    want: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    have: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    retired: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    adopted: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    lent: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}

const UNITS: &str = "tenants";
const OBJECTS: &str = "objects";
const COMMIT: &str = "commit";
const PARTS: &str = "parts";

/// The name of a unit's ConfigMap; a large tenant has several.
pub fn name(unit: &Unit, part: usize) -> String {
    match (unit, part) {
        (Unit::Platform, 0) => NAME.to_owned(),
        (Unit::Platform, part) => format!("{NAME}.part.{part}"),
        (Unit::Tenant(name), 0) => format!("{NAME}.tenant.{name}"),
        (Unit::Tenant(name), part) => format!("{NAME}.tenant.{name}.{part}"),
    }
}

/// Reads the ConfigMaps that carry [`LABEL`].
pub fn read(installation: &str, maps: &[Value]) -> Result<Inventory, Unusable> {
    let mut parts: BTreeMap<Unit, BTreeMap<usize, &Value>> = BTreeMap::new();
    for map in maps {
        let name = map["metadata"]["name"].as_str().unwrap_or_default();
        let owner = map["metadata"]["labels"][LABEL].as_str().unwrap_or_default();
        if owner != installation {
            return Err(Unusable::Other(owner.to_owned()));
        }
        let Some((unit, part)) = unit_of(name) else {
            return Err(Unusable::Unreadable(format!("ConfigMap `{name}` has the label {LABEL} and another name")));
        };
        parts.entry(unit).or_default().insert(part, map);
    }
    let mut inventory = Inventory::default();
    let listed = parts.get(&Unit::Platform).and_then(|maps| maps.get(&0)).map(|map| text(map, UNITS));
    for (unit, maps) in &parts {
        let wanted: usize = maps.get(&0).and_then(|map| text(map, PARTS).parse().ok()).unwrap_or(1);
        let mut shard = Shard::default();
        for (part, map) in maps {
            if *part >= wanted {
                continue;
            }
            entries(map, &mut shard.entries)?;
            shard.versions.push(map["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned());
        }
        let commit = maps.get(&0).map(|map| text(map, COMMIT)).filter(|commit| !commit.is_empty());
        shard.commit = commit.map(str::to_owned);
        if maps.len() < wanted || !maps.contains_key(&0) {
            inventory.lost.push(unit.clone());
        }
        inventory.shards.insert(unit.clone(), shard);
    }
    match listed {
        Some(units) => {
            for name in units.lines() {
                let unit = Unit::Tenant(name.into());
                inventory.listed.insert(name.to_owned());
                if !inventory.shards.contains_key(&unit) {
                    inventory.lost.push(unit);
                }
            }
        }
        // The shard that lists the others is gone: what is there is whole, and something may be missing.
        None if !maps.is_empty() => inventory.lost.push(Unit::Platform),
        None => {}
    }
    inventory.lost.sort();
    inventory.lost.dedup();
    Ok(inventory)
}

fn text<'m>(map: &'m Value, key: &str) -> &'m str {
    map["data"][key].as_str().unwrap_or_default()
}

fn unit_of(name: &str) -> Option<(Unit, usize)> {
    let later = |part: &str| part.parse().ok().filter(|part: &usize| *part > 0);
    let words: Vec<&str> = name.strip_prefix(NAME)?.split('.').collect();
    match words.as_slice() {
        [""] => Some((Unit::Platform, 0)),
        ["", "part", part] => Some((Unit::Platform, later(part)?)),
        ["", "tenant", name] => Some((Unit::Tenant((*name).into()), 0)),
        ["", "tenant", name, part] => Some((Unit::Tenant((*name).into()), later(part)?)),
        _ => None,
    }
}

fn entries(map: &Value, all: &mut Entries) -> Result<(), Unusable> {
    let name = map["metadata"]["name"].as_str().unwrap_or_default();
    for (index, line) in text(map, OBJECTS).lines().enumerate() {
        let unreadable = |why: String| Unusable::Unreadable(format!("ConfigMap `{name}`, line {}: {why}", index + 1));
        let line: Line = serde_json::from_str(line).map_err(|error| unreadable(error.to_string()))?;
        let digest = |text: Option<String>| match text {
            Some(text) => Digest::read(&text).map(Some).ok_or_else(|| unreadable(format!("`{text}` is no digest"))),
            None => Ok(None),
        };
        let group = line.api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
        let id = ObjectId {
            group: group.into(),
            kind: line.kind.into(),
            namespace: line.namespace.map(Into::into),
            name: line.name.into(),
        };
        let entry = Entry {
            api_version: line.api_version.into(),
            uid: line.uid,
            want: digest(line.want)?,
            have: digest(line.have)?,
            retired: line.retired,
            adopted: line.adopted,
            lent: line.lent,
        };
        all.insert(id, entry);
    }
    Ok(())
}

/// The ConfigMaps of a unit, without what an API server adds; `units` are the tenants that have a shard, for the platform's.
pub fn write(
    installation: &str,
    namespace: &str,
    unit: &Unit,
    shard: &Shard,
    units: &mut dyn Iterator<Item = &str>,
) -> Vec<Value> {
    let mut parts: Vec<String> = vec![String::new()];
    for (id, entry) in &shard.entries {
        let line = Line {
            api_version: entry.api_version.to_string(),
            kind: id.kind.to_string(),
            namespace: id.namespace.as_deref().map(str::to_owned),
            name: id.name.to_string(),
            uid: entry.uid.clone(),
            want: entry.want.map(|digest| digest.to_string()),
            have: entry.have.map(|digest| digest.to_string()),
            retired: entry.retired,
            adopted: entry.adopted,
            lent: entry.lent,
        };
        // Text and flags: this does not fail.
        let line = serde_json::to_string(&line).unwrap_or_default();
        if parts.last().is_some_and(|part| part.len() + line.len() > MAX_SHARD) {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(&line);
            part.push('\n');
        }
    }
    let count = parts.len();
    let mut maps: Vec<Value> = Vec::with_capacity(count);
    for (part, objects) in parts.into_iter().enumerate() {
        let mut data = json!({OBJECTS: objects});
        if part == 0 {
            data[COMMIT] = json!(shard.commit.as_deref().unwrap_or_default());
            data[PARTS] = json!(count.to_string());
            if *unit == Unit::Platform {
                data[UNITS] = json!(units.fold(String::new(), |all, unit| all + unit + "\n"));
            }
        }
        maps.push(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name(unit, part), "namespace": namespace, "labels": {LABEL: installation}},
            "data": data,
        }));
    }
    maps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> ObjectId {
        ObjectId { group: "apps".into(), kind: "Deployment".into(), namespace: Some("n".into()), name: name.into() }
    }

    fn shard(objects: usize) -> Shard {
        let entry = Entry { uid: Some("u".repeat(36)), retired: true, ..Entry::pending("apps/v1".into()) };
        let entries = (0..objects).map(|index| (id(&format!("object-{index}")), entry.clone())).collect();
        Shard { entries, commit: Some("abc".to_owned()), versions: Vec::new() }
    }

    fn stored(unit: &Unit, shard: &Shard, units: &[&str]) -> Vec<Value> {
        write("sample", "k8s-mtp", unit, shard, &mut units.iter().copied())
    }

    #[test]
    fn what_is_written_is_read_however_large() {
        for objects in [0, 1, 20_000] {
            let tenant = Unit::Tenant("1".into());
            let mut maps = stored(&Unit::Platform, &shard(1), &["1"]);
            maps.extend(stored(&tenant, &shard(objects), &[]));
            let read = read("sample", &maps).expect("it is readable");
            assert_eq!(read.shards[&tenant].entries, shard(objects).entries);
            assert_eq!(read.shards[&tenant].commit.as_deref(), Some("abc"));
            assert!(read.listed.contains("1"));
            assert_eq!(read.lost, []);
            assert!(maps.iter().all(|map| map["data"][OBJECTS].as_str().is_some_and(|o| o.len() < MAX_SHARD)));
        }
    }

    #[test]
    fn what_is_missing_is_noticed() {
        let [one, two] = ["one", "two"].map(|name| Unit::Tenant(name.into()));
        let platform = stored(&Unit::Platform, &shard(1), &["one", "two"]);
        let first = stored(&one, &shard(1), &[]);
        let large = stored(&two, &shard(20_000), &[]);
        let lost = |maps: &[&[Value]]| read("sample", &maps.concat()).expect("it is readable").lost;
        assert_eq!(lost(&[&platform, &first, &large]), []);
        assert_eq!(lost(&[&platform, &first]), std::slice::from_ref(&two));
        assert_eq!(lost(&[&platform, &first, &large[1..]]), std::slice::from_ref(&two));
        assert_eq!(lost(&[&platform, &first, &large[..1]]), [two]);
        assert_eq!(lost(&[&first, &large]), [Unit::Platform]);
        assert_eq!(lost(&[]), []);
    }

    #[test]
    fn what_is_not_this_installation_s_is_refused() {
        let maps = stored(&Unit::Platform, &shard(1), &[]);
        assert_eq!(read("other", &maps).map(|_| ()), Err(Unusable::Other("sample".to_owned())));
        let mut broken = maps.clone();
        broken[0]["data"][OBJECTS] = json!("{\"kind\": 1}\n");
        assert!(matches!(read("sample", &broken), Err(Unusable::Unreadable(why)) if why.contains("line 1")));
        let mut renamed = maps;
        renamed[0]["metadata"]["name"] = json!("k8s-mtp-inventory.x");
        assert!(matches!(read("sample", &renamed), Err(Unusable::Unreadable(_))));
    }
}
