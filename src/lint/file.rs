//! A file as the rules see it: its text, its documents, and the Kubernetes objects in them.

use std::sync::Arc;

use super::layout::{Role, within};
use crate::place::{Place, Span};
use crate::rendered::HEADER;
use crate::yaml::{Foreign, Node, Unreadable, Value, read_foreign, read_json};

/// A file that was read once.
pub struct File<'i> {
    /// Its path, as it is reported.
    pub path: &'i Arc<str>,
    /// Its path within the folder that was asked for.
    pub inside: &'i str,
    /// Its text.
    pub text: &'i str,
    /// What it is in its folder.
    pub role: Role,
    /// Its documents, up to the first mistake.
    pub documents: Vec<Node<'i>>,
    /// The mistake that ended the reading.
    pub mistake: Option<Unreadable>,
    /// How many values follow one another in it, where it is JSON.
    pub json: Option<usize>,
}

impl<'i> File<'i> {
    /// Reads a file.
    pub fn read(path: &'i Arc<str>, base: &str, text: &'i str, role: Role) -> File<'i> {
        let (Foreign { documents, mistake }, json) = if path.ends_with(".json") {
            // YAML is no superset of JSON in everything: that it is JSON is said by a reader of JSON.
            let values = serde_json::Deserializer::from_str(without_mark(text)).into_iter::<serde::de::IgnoredAny>();
            let values: Result<Vec<_>, _> = values.collect();
            let first = read_foreign(text);
            match values {
                Ok(values) if values.len() > 1 => (Foreign::default(), Some(values.len())),
                // Without places, but not in silence.
                Ok(values) if first.mistake.is_some() => (read_json(without_mark(text)), Some(values.len())),
                Ok(values) => (first, Some(values.len())),
                Err(_) => (Foreign::default(), None),
            }
        } else if path.ends_with(".jsonnet") {
            (Foreign::default(), None)
        } else {
            (read_foreign(text), None)
        };
        File { path, inside: within(path, base), text, role, documents, mistake, json }
    }

    /// Whether the renderer wrote it: nobody edits it, and its mistakes are ours.
    pub fn is_ours(&self) -> bool {
        without_mark(self.text).starts_with(HEADER)
    }

    /// A place in it.
    pub fn at(&self, span: Span) -> Place {
        Place::new(self.path, span)
    }

    /// All objects in it, those of lists too.
    pub fn objects(&self) -> Vec<Object<'_>> {
        let mut all = Vec::new();
        for document in &self.documents {
            self.collect(document, None, 0, &mut all);
        }
        all
    }

    fn collect<'f>(&'f self, node: &'f Node<'f>, list: Option<Object<'f>>, depth: usize, all: &mut Vec<Object<'f>>) {
        // Items of a `SecretList` need not say that they are Secrets.
        let typed = list.and_then(|list| Some((list, list.kind.strip_suffix("List").filter(|kind| !kind.is_empty())?)));
        let inherited = || typed.map(|(list, kind)| Object { node, kind, ..list });
        let Some(object) = Object::of(self, node).or_else(inherited) else { return };
        if object.is_list() && depth < 3 {
            let inner = items(node.get("items"));
            inner.iter().for_each(|item| self.collect(item, Some(object), depth + 1, all));
        } else {
            all.push(object);
        }
    }
}

/// A text without its byte order mark.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// A Kubernetes object in a file.
#[derive(Clone, Copy)]
pub struct Object<'f> {
    /// Where it stands.
    pub file: &'f File<'f>,
    /// All of it.
    pub node: &'f Node<'f>,
    /// The group of its `apiVersion`; of the core group, nothing.
    pub group: &'f str,
    /// The version in its `apiVersion`.
    pub version: &'f str,
    /// Its kind.
    pub kind: &'f str,
}

impl<'f> Object<'f> {
    /// The object that a node is; `None` where `apiVersion` or `kind` is missing.
    pub fn of(file: &'f File<'f>, node: &'f Node<'f>) -> Option<Object<'f>> {
        let text = |key: &str| node.get(key).and_then(Node::text).filter(|text| !text.is_empty());
        let (api, kind) = (text("apiVersion")?, text("kind")?);
        let (group, version) = api.split_once('/').unwrap_or(("", api));
        Some(Object { file, node, group, version, kind })
    }

    /// Whether it is a list of objects and no object itself.
    pub fn is_list(&self) -> bool {
        self.kind.ends_with("List") && matches!(self.get(&["items"]), Some(Node { value: Value::List(_), .. }))
    }

    /// Whether it is of this group and kind.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.kind == kind && self.group == group
    }

    /// The value below some keys.
    pub fn get(&self, keys: &[&str]) -> Option<&'f Node<'f>> {
        below(self.node, keys)
    }

    /// The text below some keys; nothing where there is none.
    pub fn text(&self, keys: &[&str]) -> &'f str {
        self.get(keys).and_then(Node::text).unwrap_or_default()
    }

    /// Its name; nothing where it has none.
    pub fn name(&self) -> &'f str {
        self.text(&["metadata", "name"])
    }

    /// Its namespace; nothing where it states none.
    pub fn namespace(&self) -> &'f str {
        self.text(&["metadata", "namespace"])
    }

    /// The line that it is known by: that of its name, or else that of its kind.
    pub fn at(&self) -> Place {
        let named = self.get(&["metadata", "name"]).filter(|name| name.text().is_some());
        self.file.at(named.or_else(|| self.get(&["kind"])).unwrap_or(self.node).span)
    }

    /// The place of a node of it.
    pub fn place(&self, node: &Node<'_>) -> Place {
        self.file.at(node.span)
    }

    /// How people call it: `Role acme/admin`.
    pub fn title(&self) -> String {
        match (self.namespace(), self.name()) {
            (_, "") => self.kind.to_owned(),
            ("", name) => format!("{} {name}", self.kind),
            (namespace, name) => format!("{} {namespace}/{name}", self.kind),
        }
    }
}

/// How many bytes a node has as JSON, roughly: escapes are not counted.
pub fn json_length(node: &Node<'_>) -> usize {
    match &node.value {
        Value::Scalar { text, plain } => text.len() + if *plain { 0 } else { 2 },
        Value::List(items) => 2 + items.iter().map(|item| json_length(item) + 1).sum::<usize>(),
        Value::Map(entries) => {
            2 + entries
                .iter()
                .map(|(key, value)| key.text().map_or(0, str::len) + json_length(value) + 4)
                .sum::<usize>()
        }
    }
}

/// The value below some keys of a node.
pub fn below<'n, 'a>(node: &'n Node<'a>, keys: &[&str]) -> Option<&'n Node<'a>> {
    keys.iter().try_fold(node, |node, key| node.get(key))
}

/// The items of a list; none where there is no list.
pub fn items<'n, 'a>(node: Option<&'n Node<'a>>) -> &'n [Node<'a>] {
    match node.map(|node| &node.value) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

/// The entries of a map; none where there is no map.
pub fn entries<'n, 'a>(node: Option<&'n Node<'a>>) -> &'n [(Node<'a>, Node<'a>)] {
    match node.map(|node| &node.value) {
        Some(Value::Map(entries)) => entries,
        _ => &[],
    }
}

/// Whether it is a map or list with nothing in it, or nothing at all.
pub fn is_empty(node: &Node<'_>) -> bool {
    match &node.value {
        Value::Map(entries) => entries.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Scalar { .. } => node.is_null(),
    }
}
