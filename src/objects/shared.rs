//! Specs that many objects share: built once, emitted once.
//!
//! Most of a fleet's bytes are the same for every tenant of a tier: the rules of Roles, the peers of policies, limits and
//! quotas. Each differs in its metadata alone. What is shared is found by what it is made of, so that a builder stays a
//! function of its scope.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, RwLock};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{Manifest, Plain, meta};
use crate::emit::{EmitError, emit, one_line};
use crate::rendered::ObjectId;

/// What a shared part is made of: the kind, which of its objects, and the address of the tier or 0 for the platform's own.
/// One [`Specs`] serves one plan, whose tiers stay where they are.
pub type Key = (&'static str, &'static str, usize);

/// The parts that were made so far.
#[derive(Default)]
pub struct Specs(RwLock<BTreeMap<Key, Arc<Part>>>);

/// The last field of an object, with its text.
pub struct Part {
    field: &'static str,
    content: Box<dyn Manifest>,
    text: Result<Vec<u8>, EmitError>,
}

impl Specs {
    /// The part of that key; `make` is called where it is not there yet.
    pub fn part<T: Serialize + Send + Sync + 'static>(
        &self,
        key: Key,
        field: &'static str,
        make: impl FnOnce() -> T,
    ) -> Arc<Part> {
        // A poisoned lock would mean that a builder panicked; what is in the map is whole all the same.
        if let Some(part) = self.0.read().unwrap_or_else(|e| e.into_inner()).get(&key) {
            return Arc::clone(part);
        }
        let content = make();
        let mut text = Vec::new();
        let emitted = emit(&Field(field, &content), &mut text).map(|()| text);
        let part = Arc::new(Part { field, content: Box::new(Plain(content)), text: emitted });
        let mut parts = self.0.write().unwrap_or_else(|e| e.into_inner());
        Arc::clone(parts.entry(key).or_insert(part))
    }
}

/// A map of one field.
struct Field<'a, T>(&'static str, &'a T);

impl<T: Serialize> Serialize for Field<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.0, self.1)?;
        map.end()
    }
}

/// An object that has nothing of its own but its metadata.
pub struct Joined {
    /// `rbac.authorization.k8s.io/v1`.
    pub api_version: &'static str,
    /// Its kind, name and namespace.
    pub id: ObjectId,
    /// The tenant that it is labelled with.
    pub tenant: Arc<str>,
    /// The last field.
    pub part: Arc<Part>,
}

/// What stands before the shared field.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    api_version: &'a str,
    kind: &'a str,
    metadata: Metadata<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    labels: BTreeMap<&'a str, &'a str>,
    name: &'a str,
    namespace: Option<&'a str>,
}

impl Joined {
    fn head(&self) -> Head<'_> {
        let labels = meta::borrowed_tenant_labels(&self.tenant);
        let metadata = Metadata { labels, name: &self.id.name, namespace: self.id.namespace.as_deref() };
        Head { api_version: self.api_version, kind: &self.id.kind, metadata }
    }

    /// What [`emit`] makes of the head, pieced together: a fleet has a hundred thousand of it, and only three of its texts
    /// are not always the same.
    fn write_head(&self, out: &mut Vec<u8>) {
        for constant in ["apiVersion: ", self.api_version, "\nkind: ", &self.id.kind, "\n", &LABELS] {
            out.extend_from_slice(constant.as_bytes());
        }
        one_line(&self.tenant, out);
        out.extend_from_slice(b"\n  name: ");
        one_line(&self.id.name, out);
        if let Some(namespace) = &self.id.namespace {
            out.extend_from_slice(b"\n  namespace: ");
            one_line(namespace, out);
        }
        out.push(b'\n');
    }
}

/// The labels, up to the name of the tenant.
static LABELS: LazyLock<String> = LazyLock::new(|| {
    let meta = [(meta::MANAGED_BY, meta::K8S_MTP), (meta::PART_OF, meta::K8S_MTP)];
    let ours: String = meta.iter().map(|(key, value)| format!("    {key}: {value}\n")).collect();
    format!("metadata:\n  labels:\n{ours}    {}: ", meta::TENANT)
});

impl Manifest for Joined {
    fn emit(&self, out: &mut Vec<u8>) -> Result<(), EmitError> {
        let start = out.len();
        self.write_head(out);
        debug_assert!({
            let mut whole = Vec::new();
            emit(&self.head(), &mut whole).is_ok() && whole == out[start..]
        });
        out.extend_from_slice(self.part.text.as_ref().map_err(Clone::clone)?);
        Ok(())
    }

    fn value(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(self.head()).unwrap_or_default();
        value[self.part.field] = self.part.content.value();
        value
    }
}
