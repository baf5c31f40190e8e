//! `View`: what the webhook knows of tenants. It is rendered beside the webhook and mounted into it, so that the webhook
//! asks nobody: one file of tiers, and sixteen of namespaces, since all of a large fleet fit in no single ConfigMap.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::contract::admission::Mode;
use crate::policy::restrictions::NONE;
use crate::policy::standing::{Modes, NOBODY, Standing};

/// Over how many files the namespaces are spread.
pub const SHARDS: usize = 16;

/// The file of the tiers.
pub const TIERS: &str = "tiers.json";

/// The file of the namespaces of a shard.
pub fn shard_file(shard: usize) -> String {
    format!("namespaces-{shard:x}.json")
}

/// In which shard a namespace stands; FNV-1a, so that it is the same in every version and on every machine.
///
/// Source: <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv-21#section-2>
pub fn shard(namespace: &str) -> usize {
    let hash = namespace
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    // The low bits of FNV see the last letters alone; the high ones are folded in.
    (hash ^ (hash >> 32)) as usize % SHARDS
}

/// What is known of a namespace of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamespaceView {
    /// The name of its tenant.
    pub tenant: Box<str>,
    /// The name of its tier.
    pub tier: Box<str>,
    /// Who is let off which policies: by policy, who answers for it and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exempt: BTreeMap<String, String>,
}

/// Everything that is known.
#[derive(Debug, Default)]
pub struct View {
    tiers: BTreeMap<Box<str>, Modes>,
    namespaces: BTreeMap<Box<str>, NamespaceView>,
}

impl View {
    /// Reads the files; `read` gives what a file of that name holds. The error says which file, and why.
    pub fn read(mut read: impl FnMut(&str) -> Result<Vec<u8>, String>) -> Result<View, String> {
        let mut view = View::default();
        let bytes = read(TIERS)?;
        let tiers: BTreeMap<Box<str>, BTreeMap<String, Mode>> = parse(TIERS, &bytes)?;
        for (name, modes) in tiers {
            let modes = modes.iter().fold(Modes::UNLESS_SAID, |all, (id, mode)| all.with(id, *mode));
            view.tiers.insert(name, modes);
        }
        for shard in 0..SHARDS {
            let name = shard_file(shard);
            let namespaces: BTreeMap<Box<str>, NamespaceView> = parse(&name, &read(&name)?)?;
            view.namespaces.extend(namespaces);
        }
        Ok(view)
    }

    /// What is known of a namespace.
    pub fn namespace(&self, name: &str) -> Option<&NamespaceView> {
        self.namespaces.get(name)
    }

    /// How many namespaces are known.
    pub fn namespaces(&self) -> usize {
        self.namespaces.len()
    }

    /// How the policies stand there. Of whom nothing is known, everything is asked: what was rendered a moment ago and is
    /// not mounted yet must be no way around the policies.
    pub fn standing<'a>(&'a self, namespace: Option<&'a NamespaceView>) -> Standing<'a> {
        let modes = namespace.and_then(|n| self.tiers.get(&n.tier)).copied();
        let modes = modes.unwrap_or_else(|| Modes::strictest(self.tiers.values()));
        // What is named, the API server judges by itself.
        Standing { modes, lists: &NONE, own_lists: &NONE, exempt: namespace.map_or(&NOBODY, |n| &n.exempt) }
    }
}

fn parse<'a, T: Deserialize<'a>>(name: &str, bytes: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("cannot read {name}: {error}"))
}

/// Writes a file: an entry a line, so that a review sees what changes.
pub fn write<T: Serialize>(entries: impl IntoIterator<Item = (impl AsRef<str>, T)>) -> String {
    let mut text = String::from("{");
    for (index, (name, entry)) in entries.into_iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        // Names and texts serialize: there is no float among them.
        let value = serde_json::to_string(&entry).unwrap_or_default();
        let _ = write!(text, "{}: {value}", serde_json::Value::from(name.as_ref()));
    }
    text.push_str("\n}\n");
    text
}
