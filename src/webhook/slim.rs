//! Reading an AdmissionReview without what no policy looks at: most of a pod is neither kept nor allocated.
//!
//! What is kept is kept as it was sent, so that a check sees the raw JSON. A policy that looks at another field of a pod or
//! of a container adds it here; `every_example_is_judged_alike` in `answer.rs` fails until then.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::objects::meta::{TENANT, TIER};
use crate::policy::json::Json;

/// What of a value is kept.
#[derive(Clone, Copy)]
enum Keep {
    /// All of it: for what is no map, or of which no field is looked at.
    All,
    /// These fields of a map; of all others, that there are some.
    Some(&'static [(&'static str, Keep)]),
    /// These fields of a map.
    Fields(&'static [(&'static str, Keep)]),
    /// A list, and this of its entries.
    List(&'static Keep),
}

use Keep::{All, Fields, List, Some};

/// The key that stands for fields that are not kept; no field of Kubernetes is called so.
const OTHERS: &str = "…";

const AMOUNTS: Keep = Some(&[("cpu", All), ("memory", All)]);

const RESOURCES: Keep = Fields(&[("limits", AMOUNTS), ("requests", AMOUNTS)]);

const SECURITY: Keep = Some(&[
    ("privileged", All),
    ("runAsNonRoot", All),
    ("runAsUser", All),
    ("readOnlyRootFilesystem", All),
    ("allowPrivilegeEscalation", All),
    ("windowsOptions", Fields(&[("hostProcess", All)])),
]);

const CONTAINER: Keep = Fields(&[
    ("name", All),
    ("image", All),
    ("imagePullPolicy", All),
    ("resources", RESOURCES),
    ("securityContext", SECURITY),
]);

const POD: Keep = Fields(&[
    ("metadata", Fields(&[("labels", Fields(&[(TENANT, All), (TIER, All)]))])),
    (
        "spec",
        Fields(&[
            ("containers", List(&CONTAINER)),
            ("initContainers", List(&CONTAINER)),
            ("ephemeralContainers", List(&CONTAINER)),
            ("securityContext", SECURITY),
            ("resources", RESOURCES),
            ("hostUsers", All),
            ("os", Fields(&[("name", All)])),
        ]),
    ),
]);

const REVIEW: Keep = Fields(&[
    ("apiVersion", All),
    ("kind", All),
    (
        "request",
        Fields(&[
            ("uid", All),
            ("resource", Fields(&[("group", All), ("resource", All)])),
            ("subResource", All),
            ("namespace", All),
            ("operation", All),
            ("object", POD),
            ("oldObject", POD),
        ]),
    ),
]);

/// Reads a body.
pub fn review(body: &[u8]) -> Result<Json<'_>, String> {
    // Once for all of it, which is faster than string by string.
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let review = Kept(&REVIEW).deserialize(&mut reader).map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    Ok(review)
}

/// Reads a value by what is kept of it.
#[derive(Clone, Copy)]
struct Kept(&'static Keep);

impl<'de> DeserializeSeed<'de> for Kept {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        match self.0 {
            All => Json::deserialize(deserializer),
            Some(_) | Fields(_) | List(_) => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Kept {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let fields = if let Some(fields) | Fields(fields) = self.0 { *fields } else { &[] };
        // Without a guess at its size: there may be a hundred thousand maps.
        let mut map = Vec::new();
        let mut others = false;
        while let Option::Some(field) = access.next_key_seed(Field(fields))? {
            match field {
                Option::Some((name, keep)) => {
                    let value = access.next_value_seed(Kept(keep))?;
                    // Of a key that stands there again, the last one counts; a map never has more than what is kept of it,
                    // so that a look at it costs nothing, however often it is taken.
                    match map.iter_mut().find(|(kept, _)| kept == name) {
                        Option::Some((_, kept)) => *kept = value,
                        None => map.push((Cow::Borrowed(*name), value)),
                    }
                }
                None => {
                    others |= access.next_value::<Option<IgnoredAny>>()?.is_some();
                }
            }
        }
        if others && matches!(self.0, Some(_)) {
            map.push((Cow::Borrowed(OTHERS), Json::Bool(true)));
        }
        Ok(Json::Map(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json<'de>, A::Error> {
        let mut items = Vec::new();
        if let List(keep) = self.0 {
            while let Option::Some(item) = access.next_element_seed(Kept(keep))? {
                items.push(item);
            }
        } else {
            while access.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(Json::List(items))
    }

    // Where a map or a list is expected, whatever else stands there is as good as nothing.
    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_str<E>(self, _: &str) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }
}

/// Finds a key among those that are kept.
struct Field(&'static [(&'static str, Keep)]);

impl<'de> DeserializeSeed<'de> for Field {
    type Value = Option<&'static (&'static str, Keep)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Field {
    type Value = Option<&'static (&'static str, Keep)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|(name, _)| *name == key))
    }
}
