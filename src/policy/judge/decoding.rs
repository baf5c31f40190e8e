//! Reading, which comes before validation: fields that a kind has, with values of their types.
//!
//! The types are k8s-openapi's, of the newest Kubernetes that we know: a field that is newer than a cluster is taken here.
//! A kind that has no row is not read. kubectl, Argo CD and Flux ask for unknown fields to be refused, and so does this.

use std::cell::RefCell;

use k8s_openapi::api::{apps::v1 as apps, autoscaling::v2 as autoscaling, batch::v1 as batch, core::v1 as core};
use k8s_openapi::api::{networking::v1 as networking, policy::v1 as policy, rbac::v1 as rbac};
use serde::de::value::StrDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::case::Case;
use super::{Check::Layer as ByLayer, Layer, Objection, Rule, Whom};
use crate::quantity::{NoQuantity, Quantity};

/// The row of what cannot be read.
pub const WRONG_TYPE: &str = "A101";

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: WRONG_TYPE,
        title: "a value of another type than its field's",
        why: "The API server reads text as text and numbers as numbers: the value of an environment variable is text, also \
              where it looks like a number.",
        fix: "Put text in quotes, take numbers and booleans out of them, and spell quantities as Kubernetes does: 500m, 2Gi.",
        check: ByLayer,
        refused: &[
            "containers: [{name: web, image: nginx, env: [{name: PORT, value: 8080}]}]",
            "containers: [{name: web, image: nginx, ports: [{containerPort: \"80\"}]}]",
            "containers: [{name: web, image: nginx, securityContext: {privileged: \"true\"}}]",
            "containers: [{name: web, image: nginx, resources: {limits: {memory: 1gb}}}]",
            "containers: {name: web, image: nginx}",
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {port: 80}}",
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {version: 1}}}",
        ],
    },
    Rule {
        id: "A102",
        title: "a field that the kind does not have",
        why: "Whoever wrote it expects something of it: mostly, it stands one level too high or too deep. kubectl, Argo CD \
              and Flux refuse the object.",
        fix: "Correct the name or the indentation, or take the field out.",
        check: ByLayer,
        refused: &[
            "containers: [{name: web, image: nginx, runAsNonRoot: true}]",
            "{readOnlyRootFilesystem: true, containers: [{name: web, image: nginx}]}",
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, replicas: 2, spec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: a, image: a}]}}}}",
        ],
    },
];

type Read = for<'a> fn(Reader<'a>) -> Result<(), Wrong>;

/// Kinds that are read.
const KINDS: &[(&str, &str, Read)] = &[
    ("v1", "Pod", read::<core::Pod>),
    ("v1", "PodTemplate", read::<core::PodTemplate>),
    ("v1", "ReplicationController", read::<core::ReplicationController>),
    ("v1", "Service", read::<core::Service>),
    ("v1", "ServiceAccount", read::<core::ServiceAccount>),
    ("v1", "ConfigMap", read::<core::ConfigMap>),
    ("v1", "Secret", read::<core::Secret>),
    ("v1", "PersistentVolumeClaim", read::<core::PersistentVolumeClaim>),
    ("apps/v1", "Deployment", read::<apps::Deployment>),
    ("apps/v1", "ReplicaSet", read::<apps::ReplicaSet>),
    ("apps/v1", "StatefulSet", read::<apps::StatefulSet>),
    ("apps/v1", "DaemonSet", read::<apps::DaemonSet>),
    ("batch/v1", "Job", read::<batch::Job>),
    ("batch/v1", "CronJob", read::<batch::CronJob>),
    ("autoscaling/v2", "HorizontalPodAutoscaler", read::<autoscaling::HorizontalPodAutoscaler>),
    ("networking.k8s.io/v1", "Ingress", read::<networking::Ingress>),
    ("networking.k8s.io/v1", "NetworkPolicy", read::<networking::NetworkPolicy>),
    ("policy/v1", "PodDisruptionBudget", read::<policy::PodDisruptionBudget>),
    ("rbac.authorization.k8s.io/v1", "Role", read::<rbac::Role>),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", read::<rbac::RoleBinding>),
];

fn read<T: for<'de> Deserialize<'de>>(reader: Reader<'_>) -> Result<(), Wrong> {
    T::deserialize(reader).map(drop)
}

/// Whether objects of that kind are read.
pub fn is_known(api_version: &str, kind: &str) -> bool {
    KINDS.iter().any(|(version, known, _)| (*version, *known) == (api_version, kind))
}

/// What cannot be read of an object.
pub fn ask(case: &Case<'_>) -> Vec<Objection> {
    let row = KINDS.iter().find(|(version, kind, _)| (*version, *kind) == (case.api_version, case.kind));
    let Some((_, _, read)) = row else { return Vec::new() };
    let unknown = RefCell::default();
    let done = read(Reader { value: case.value, path: String::new(), unknown: &unknown });
    let objection = |rule: &'static str, path: String, message: String| {
        let fix = super::find(rule).map_or("", |rule| rule.fix).to_owned();
        Objection { layer: Layer::Validation, rule, refuses: true, whom: Whom::Object, path, message, fix }
    };
    let wrong = done.err().map(|wrong| {
        let message = format!("{}: {}", wrong.path, wrong.why);
        objection(WRONG_TYPE, wrong.path, message)
    });
    let unknown = unknown.into_inner().into_iter().map(|path: String| {
        let message = format!("strict decoding error: unknown field \"{path}\"");
        objection("A102", path, message)
    });
    wrong.into_iter().chain(unknown).collect()
}

/// Reads a value, and remembers where it is.
struct Reader<'a> {
    value: &'a Value,
    path: String,
    unknown: &'a RefCell<Vec<String>>,
}

/// Why a value is not what its field takes.
#[derive(Debug)]
struct Wrong {
    path: String,
    why: String,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Wrong {}

impl Error for Wrong {
    fn custom<T: std::fmt::Display>(why: T) -> Self {
        Wrong { path: String::new(), why: why.to_string() }
    }
}

impl<'a> Reader<'a> {
    fn at(&self, value: &'a Value, step: String) -> Reader<'a> {
        let dot = if self.path.is_empty() || step.starts_with('[') { "" } else { "." };
        Reader { value, path: format!("{}{dot}{step}", self.path), unknown: self.unknown }
    }

    fn wrong(&self, wanted: &str) -> Wrong {
        let found = match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "text",
            Value::Array(_) => "a list",
            Value::Object(_) => "a map",
        };
        Wrong { path: self.path.clone(), why: format!("expected {wanted}, found {found}") }
    }

    /// Puts the place to what went wrong, unless somebody deeper has.
    fn placed(path: &str) -> impl FnOnce(Wrong) -> Wrong {
        let path = path.to_owned();
        move |wrong| if wrong.path.is_empty() { Wrong { path, ..wrong } } else { wrong }
    }
}

/// Reads numbers and text alike.
macro_rules! scalars {
    ($($method:ident $visit:ident $get:ident $wanted:literal,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            match self.value.$get() {
                Some(value) => visitor.$visit(value).map_err(Self::placed(&self.path)),
                None => Err(self.wrong($wanted)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Wrong;

    scalars! {
        deserialize_bool visit_bool as_bool "`true` or `false`",
        deserialize_i8 visit_i64 as_i64 "a whole number",
        deserialize_i16 visit_i64 as_i64 "a whole number",
        deserialize_i32 visit_i64 as_i64 "a whole number",
        deserialize_i64 visit_i64 as_i64 "a whole number",
        deserialize_u8 visit_u64 as_u64 "a whole number",
        deserialize_u16 visit_u64 as_u64 "a whole number",
        deserialize_u32 visit_u64 as_u64 "a whole number",
        deserialize_u64 visit_u64 as_u64 "a whole number",
        deserialize_f32 visit_f64 as_f64 "a number",
        deserialize_f64 visit_f64 as_f64 "a number",
        deserialize_str visit_str as_str "text",
        deserialize_string visit_str as_str "text",
        deserialize_char visit_str as_str "text",
        deserialize_bytes visit_str as_str "text",
        deserialize_byte_buf visit_str as_str "text",
        deserialize_identifier visit_str as_str "text",
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(_) => self.deserialize_bool(visitor),
            Value::Number(number) if number.is_f64() => self.deserialize_f64(visitor),
            Value::Number(_) => self.deserialize_i64(visitor),
            Value::String(_) => self.deserialize_str(visitor),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        if name != "Quantity" {
            return visitor.visit_newtype_struct(self);
        }
        let text = match self.value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(self.wrong("a quantity")),
        };
        if Quantity::parse(&text) == Err(NoQuantity::Form) {
            let why = format!("quantities must match the regular expression '{FORM}', found {text:?}");
            return Err(Wrong { path: self.path, why });
        }
        let path = self.path;
        let text: StrDeserializer<'_, Wrong> = text.as_str().into_deserializer();
        visitor.visit_newtype_struct(text).map_err(Self::placed(&path))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let Value::Array(items) = self.value else { return Err(self.wrong("a list")) };
        let path = self.path.clone();
        visitor.visit_seq(Items { items: items.iter().enumerate(), of: self }).map_err(Self::placed(&path))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let Value::Object(fields) = self.value else { return Err(self.wrong("a map")) };
        let path = self.path.clone();
        let fields = Fields { fields: fields.iter(), next: None, of: self, is_struct: false };
        visitor.visit_map(fields).map_err(Self::placed(&path))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let Value::Object(fields) = self.value else { return Err(self.wrong("a map")) };
        let path = self.path.clone();
        let fields = Fields { fields: fields.iter(), next: None, of: self, is_struct: true };
        visitor.visit_map(fields).map_err(Self::placed(&path))
    }

    /// A field that the type does not have.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.unknown.borrow_mut().push(self.path);
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { i128 u128 unit unit_struct tuple tuple_struct enum }
}

/// What the API server says that a quantity looks like.
const FORM: &str = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$";

struct Items<'a> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Value>>,
    of: Reader<'a>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong> {
        let Some((index, value)) = self.items.next() else { return Ok(None) };
        seed.deserialize(self.of.at(value, format!("[{index}]"))).map(Some)
    }
}

struct Fields<'a> {
    fields: serde_json::map::Iter<'a>,
    next: Option<(&'a str, &'a Value)>,
    of: Reader<'a>,
    is_struct: bool,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        let Some((key, value)) = self.fields.next() else { return Ok(None) };
        self.next = Some((key.as_str(), value));
        let key: StrDeserializer<'_, Wrong> = key.as_str().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let Some((key, value)) = self.next.take() else { return Err(Wrong::custom("a value without a key")) };
        // A key of a map is not a field's name, and may have dots.
        let step = if self.is_struct { key.to_owned() } else { format!("[{key}]") };
        seed.deserialize(self.of.at(value, step))
    }
}
