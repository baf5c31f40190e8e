//! What is known of the types that the server stores: how their lists and maps merge, and which empty fields are written.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

/// A type, as far as merging and writing depend on it.
#[derive(Debug, Clone)]
pub enum Type {
    /// Text.
    Text,
    /// A number.
    Number,
    /// True or false.
    Truth,
    /// A quantity, a time, a number or a name.
    Scalar,
    /// Whatever it looks like: maps are granular, lists atomic.
    Any,
    /// A list.
    List(Merge, Box<Type>),
    /// A map from names to values of one type.
    Map {
        /// Whether it is owned as a whole.
        atomic: bool,
        /// The type of its values.
        item: Box<Type>,
    },
    /// A structure of the table.
    Named {
        /// Its place there.
        index: usize,
        /// Whether it is owned as a whole where it is used.
        atomic: bool,
    },
    /// A structure of a custom kind.
    Own(Arc<Structure>),
}

/// How a list merges.
#[derive(Debug, Clone, PartialEq)]
pub enum Merge {
    /// It is owned as a whole.
    Atomic,
    /// Each value is owned for itself.
    Set,
    /// Items are known by these fields.
    Keys(Vec<String>),
}

/// A structure: fields of their own types, and for a custom kind perhaps any others.
#[derive(Debug, Clone, Default)]
pub struct Structure {
    /// Whether it is owned as a whole.
    pub atomic: bool,
    /// Its fields by name.
    pub fields: BTreeMap<String, Field>,
    /// The type of fields that are not named.
    pub rest: Option<Type>,
}

/// A field.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its type.
    pub kind: Type,
    /// When it is written.
    pub written: Written,
    /// What it is where it is a key and not said.
    pub default: Option<Value>,
}

/// When a field is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Written {
    /// Where it has a value, be it an empty one.
    WithValue,
    /// Unless it is empty.
    UnlessEmpty,
    /// Always, the empty value of its type too.
    Always,
    /// Always, `null` where it has no value.
    AlwaysOrNull,
}

/// A value seen as its type says.
pub enum Shape<'a> {
    /// A leaf.
    Leaf,
    /// A list whose items are owned for themselves.
    List(&'a Merge, &'a Type),
    /// A map or structure whose fields are owned for themselves; the structure, and the type of what it does not name.
    Map(Option<&'a Structure>, &'a Type),
}

static ANY: Type = Type::Any;

/// The table of built-in types, by name.
struct Table {
    names: BTreeMap<String, usize>,
    all: Vec<Structure>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| read(include_str!("schema.txt")));

/// The type of a built-in kind, as `apps.v1.Deployment`.
pub fn named(name: &str) -> Option<Type> {
    TABLE.names.get(name).map(|index| Type::Named { index: *index, atomic: false })
}

impl Type {
    /// The structure that it is.
    pub fn structure(&self) -> Option<&Structure> {
        match self {
            Type::Named { index, .. } => TABLE.all.get(*index),
            Type::Own(own) => Some(own),
            _ => None,
        }
    }

    /// How a value of this type is taken apart. One that does not fit its type is a leaf.
    pub fn shape<'a>(&'a self, value: &Value) -> Shape<'a> {
        match self {
            Type::Text | Type::Number | Type::Truth | Type::Scalar => Shape::Leaf,
            Type::Any if value.is_object() => Shape::Map(None, &ANY),
            Type::Any => Shape::Leaf,
            Type::List(Merge::Atomic, _) | Type::Map { atomic: true, .. } | Type::Named { atomic: true, .. } => {
                Shape::Leaf
            }
            Type::List(merge, item) if value.is_array() || value.is_null() => Shape::List(merge, item),
            Type::Map { item, .. } if value.is_object() || value.is_null() => Shape::Map(None, item),
            Type::Named { .. } | Type::Own(_) if value.is_object() || value.is_null() => {
                let structure = self.structure().expect("its place is known");
                if structure.atomic {
                    return Shape::Leaf;
                }
                Shape::Map(Some(structure), structure.rest.as_ref().unwrap_or(&ANY))
            }
            _ => Shape::Leaf,
        }
    }

    /// What a field without a value is.
    pub fn zero(&self) -> Value {
        match self {
            Type::Text => json!(""),
            Type::Number => json!(0),
            Type::Truth => json!(false),
            Type::Named { .. } | Type::Own(_) => json!({}),
            Type::Scalar | Type::Any | Type::List(..) | Type::Map { .. } => Value::Null,
        }
    }

    /// The type of one step down.
    pub fn below(&self, step: &str) -> &Type {
        match self {
            Type::List(_, item) | Type::Map { item, .. } => item,
            Type::Named { .. } | Type::Own(_) => {
                let structure = self.structure().expect("its place is known");
                let field = step.strip_prefix("f:").and_then(|name| structure.fields.get(name));
                field.map(|field| &field.kind).or(structure.rest.as_ref()).unwrap_or(&ANY)
            }
            _ => &ANY,
        }
    }

    /// Whether that step is a field that the type names.
    pub fn names(&self, step: &str) -> bool {
        let Some(name) = step.strip_prefix("f:") else { return false };
        self.structure().is_some_and(|structure| structure.fields.contains_key(name))
    }
}

impl Structure {
    /// A custom kind, whose fields below the root are as its schema says.
    pub fn custom(schema: &Value) -> Structure {
        let mut root = own(schema);
        let field = |kind| Field { kind, written: Written::WithValue, default: None };
        root.fields.insert("apiVersion".to_owned(), field(Type::Text));
        root.fields.insert("kind".to_owned(), field(Type::Text));
        root.fields.insert("metadata".to_owned(), field(named("meta.v1.ObjectMeta").expect("it is in the table")));
        root
    }
}

/// A structure of an OpenAPI schema.
fn own(schema: &Value) -> Structure {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let fields = properties.map(|(name, schema)| {
        let default = schema.get("default").cloned();
        (name.clone(), Field { kind: of_schema(schema), written: Written::WithValue, default })
    });
    Structure {
        atomic: schema["x-kubernetes-map-type"] == "atomic",
        fields: fields.collect(),
        rest: (schema["x-kubernetes-preserve-unknown-fields"] == true).then_some(Type::Any),
    }
}

fn of_schema(schema: &Value) -> Type {
    let atomic = schema["x-kubernetes-map-type"] == "atomic";
    match schema["type"].as_str() {
        _ if schema["x-kubernetes-int-or-string"] == true => Type::Scalar,
        Some("string") => Type::Text,
        Some("integer" | "number") => Type::Number,
        Some("boolean") => Type::Truth,
        Some("array") => {
            let merge = match schema["x-kubernetes-list-type"].as_str() {
                Some("set") => Merge::Set,
                Some("map") => Merge::Keys(
                    schema["x-kubernetes-list-map-keys"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(|key| key.as_str().map(str::to_owned))
                        .collect(),
                ),
                _ => Merge::Atomic,
            };
            Type::List(merge, Box::new(of_schema(&schema["items"])))
        }
        Some("object") if schema["additionalProperties"].is_object() => {
            Type::Map { atomic, item: Box::new(of_schema(&schema["additionalProperties"])) }
        }
        Some("object") if schema["properties"].is_object() || atomic => Type::Own(Arc::new(own(schema))),
        _ => Type::Any,
    }
}

/// Reads the table.
fn read(text: &str) -> Table {
    let lines = || text.lines().filter(|line| !line.starts_with('#'));
    let heads = lines().filter(|line| !line.starts_with(' '));
    let names: BTreeMap<String, usize> =
        heads.enumerate().map(|(index, line)| (line.trim_end_matches(" atomic").to_owned(), index)).collect();
    let mut all: Vec<Structure> = Vec::new();
    for line in lines() {
        match line.strip_prefix("  ") {
            None => all.push(Structure { atomic: line.ends_with(" atomic"), ..Structure::default() }),
            Some(line) => {
                let (field, default) = line.split_once(" = ").map_or((line, None), |(field, default)| {
                    (field, Some(serde_json::from_str(default).expect("JSON")))
                });
                let (name, kind) = field.split_once(' ').expect("a name and a type");
                let (name, written) = match name.trim_end_matches(['!', '?', '*']) {
                    bare if name.ends_with("!*") => (bare, Written::AlwaysOrNull),
                    bare if name.ends_with('!') => (bare, Written::Always),
                    bare if name.ends_with('?') => (bare, Written::UnlessEmpty),
                    bare => (bare, Written::WithValue),
                };
                let field = Field { kind: of_text(kind, &names), written, default };
                all.last_mut().expect("a structure").fields.insert(name.to_owned(), field);
            }
        }
    }
    Table { names, all }
}

fn of_text(text: &str, names: &BTreeMap<String, usize>) -> Type {
    let below = |text: &str| Box::new(of_text(text, names));
    if let Some(rest) = text.strip_prefix('[') {
        let (merge, item) = rest.split_once(']').expect("its end");
        let merge = match merge {
            "" => Merge::Atomic,
            "set" => Merge::Set,
            keys => Merge::Keys(keys.split(',').map(str::to_owned).collect()),
        };
        return Type::List(merge, below(item));
    }
    if let Some(item) = text.strip_prefix("{}") {
        return Type::Map { atomic: false, item: below(item) };
    }
    if let Some(item) = text.strip_prefix("{!}") {
        return Type::Map { atomic: true, item: below(item) };
    }
    match text {
        "str" => Type::Text,
        "num" => Type::Number,
        "bool" => Type::Truth,
        "-" => Type::Scalar,
        "any" => Type::Any,
        name => {
            let bare = name.trim_end_matches('!');
            let index = *names.get(bare).unwrap_or_else(|| panic!("the table has no {bare}"));
            Type::Named { index, atomic: bare != name }
        }
    }
}
