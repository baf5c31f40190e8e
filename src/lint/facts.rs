//! What is kept of each file for the rules that look at the whole tree; the file itself is let go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Options;
use super::file::{File, Object, entries, items};
use super::layout::Role;
use super::readers::{self, Readers};
use super::webhooks::{self, Closed};
use crate::place::Place;
use crate::yaml::{Node, Value};

/// An object of the tree.
#[derive(Debug)]
pub struct Seen {
    /// Its group.
    pub group: Box<str>,
    /// Its kind.
    pub kind: Box<str>,
    /// Its namespace; nothing where it states none.
    pub namespace: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Where its name stands.
    pub at: Place,
    /// The variables in it that Flux would replace, and where the first one stands.
    pub variables: Option<(Vec<String>, Place)>,
}

/// A Namespace of the tree.
#[derive(Debug)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Where its name stands.
    pub at: Place,
}

/// A label that a selector of namespaces asks for.
#[derive(Debug)]
pub struct Asked {
    /// The label's key.
    pub key: String,
    /// The values that it may have; none: any.
    pub values: Vec<String>,
    /// Where it is asked for.
    pub at: Place,
}

/// What a NetworkPolicy says about egress.
#[derive(Debug)]
pub struct Egress {
    /// The namespace that it binds.
    pub namespace: String,
    /// Whether it lets somebody be reached.
    pub opens: bool,
    /// Whether it may let the cluster's DNS be reached.
    pub dns: bool,
    /// Where its name stands.
    pub at: Place,
}

/// A custom kind of the tree.
#[derive(Debug)]
pub struct Custom {
    /// Its group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// Whether its objects stand in namespaces.
    pub namespaced: bool,
    /// Where the CustomResourceDefinition stands.
    pub at: Place,
}

/// What is kept of the files.
#[derive(Debug, Default)]
pub struct Facts {
    /// All objects.
    pub objects: Vec<Seen>,
    /// All Namespaces.
    pub namespaces: Vec<Named>,
    /// All labels that selectors of namespaces ask for.
    pub asked: Vec<Asked>,
    /// What NetworkPolicies say about egress.
    pub egress: Vec<Egress>,
    /// All custom kinds.
    pub customs: Vec<Custom>,
    /// Webhooks that pods cannot start without.
    pub closed: Vec<Closed>,
    /// All that reads folders.
    pub readers: Readers,
    /// Sizes of files that Argo CD counts, by path.
    pub sizes: Vec<(Arc<str>, usize)>,
}

impl Facts {
    /// Takes over what was seen elsewhere.
    pub fn merge(&mut self, mut more: Facts) {
        self.objects.append(&mut more.objects);
        self.namespaces.append(&mut more.namespaces);
        self.asked.append(&mut more.asked);
        self.egress.append(&mut more.egress);
        self.customs.append(&mut more.customs);
        self.closed.append(&mut more.closed);
        for (folder, mut readers) in more.readers {
            self.readers.entry(folder).or_default().append(&mut readers);
        }
        self.sizes.append(&mut more.sizes);
    }

    /// The objects in files below a folder, in the order of their places.
    pub fn below<'f>(&'f self, folder: &str) -> impl Iterator<Item = &'f Seen> {
        let inside = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let first = self.objects.partition_point(|object| *object.at.path < *inside);
        self.objects.iter().skip(first).take_while(move |object| object.at.path.starts_with(&inside))
    }

    /// Puts things in order once all of them are there.
    pub fn settle(&mut self, files: &BTreeSet<Arc<str>>, base: &str) {
        readers::settle(&mut self.readers, files, base);
        self.objects.sort_by(|a, b| a.at.cmp(&b.at));
    }
}

/// What is to be kept of a file.
pub fn gather(file: &File<'_>, objects: &[Object<'_>], options: &Options) -> Facts {
    let mut facts = Facts::default();
    if !file.path.ends_with(".jsonnet") {
        facts.sizes.push((Arc::clone(file.path), file.text.len()));
    }
    if matches!(file.role, Role::Used | Role::Chart | Role::Kustomization | Role::Unlisted) {
        return facts;
    }
    let variables = file.text.contains("${");
    // What the renderer wrote is as its authors want it: a guess would be about them.
    let ours = file.is_ours();
    for object in objects {
        let variables = if variables { self::variables(object) } else { None };
        facts.objects.push(Seen {
            group: object.group.into(),
            kind: object.kind.into(),
            namespace: object.namespace().into(),
            name: object.name().into(),
            at: object.at(),
            variables,
        });
        facts.closed.extend(webhooks::closed(object));
        match (object.group, object.kind) {
            ("", "Namespace") => facts.namespaces.push(named(object)),
            ("networking.k8s.io", "NetworkPolicy") if !ours => facts.egress.extend(egress(object)),
            ("apiextensions.k8s.io", "CustomResourceDefinition") => facts.customs.push(custom(object)),
            _ => readers::gather(object, options, &mut facts.readers),
        }
        if !ours {
            let selectors = super::selectors::of_namespaces(object);
            selectors.into_iter().for_each(|selector| asked(object, selector, &mut facts.asked));
        }
    }
    facts
}

/// The variables of an object that Flux would replace and that have no default.
///
/// Source: `docs/spec/v1/kustomizations.md` of fluxcd/kustomize-controller, "Post build variable substitution"
fn variables(object: &Object<'_>) -> Option<(Vec<String>, Place)> {
    let disabled =
        |kind: &str| object.text(&["metadata", kind, "kustomize.toolkit.fluxcd.io/substitute"]) == "disabled";
    if disabled("annotations") || disabled("labels") {
        return None;
    }
    let (mut names, mut first) = (Vec::new(), None);
    let mut open = vec![object.node];
    while let Some(node) = open.pop() {
        match &node.value {
            Value::Scalar { text, .. } => {
                let before = names.len();
                names.extend(names_in(text));
                if names.len() > before {
                    first.get_or_insert_with(|| object.place(node));
                }
            }
            Value::List(items) => open.extend(items.iter().rev()),
            Value::Map(entries) => open.extend(entries.iter().rev().map(|(_, value)| value)),
        }
    }
    Some((names, first?))
}

/// The names of variables in a text. `$$` is how one writes a `$` that is left alone; what follows a name gives a default.
fn names_in(text: &str) -> impl Iterator<Item = String> {
    let open = text.match_indices("${").filter(|(at, _)| !text[..*at].ends_with('$'));
    open.filter_map(|(at, _)| {
        let inside = &text[at + 2..];
        let end = inside.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
        let closed = inside[end..].starts_with('}');
        (end > 0 && closed && !inside.starts_with(|c: char| c.is_ascii_digit())).then(|| inside[..end].to_owned())
    })
}

fn named(object: &Object<'_>) -> Named {
    let mut labels: BTreeMap<String, String> = entries(object.get(&["metadata", "labels"]))
        .iter()
        .filter_map(|(key, value)| Some((key.text()?.to_owned(), value.text()?.to_owned())))
        .collect();
    // The API server adds it to each.
    labels.insert("kubernetes.io/metadata.name".to_owned(), object.name().to_owned());
    Named { name: object.name().to_owned(), labels, at: object.at() }
}

fn asked(object: &Object<'_>, selector: &Node<'_>, all: &mut Vec<Asked>) {
    for (key, value) in entries(selector.get("matchLabels")) {
        if let (Some(key_text), Some(value)) = (key.text(), value.text()) {
            all.push(Asked { key: key_text.to_owned(), values: vec![value.to_owned()], at: object.place(key) });
        }
    }
    for expression in items(selector.get("matchExpressions")) {
        let (Some(key), Some(operator)) = (expression.get("key"), expression.get("operator").and_then(Node::text))
        else {
            continue;
        };
        let values: Vec<String> =
            items(expression.get("values")).iter().filter_map(|v| v.text().map(str::to_owned)).collect();
        if operator == "Exists" || (operator == "In" && !values.is_empty()) {
            all.push(Asked { key: key.text().unwrap_or_default().to_owned(), values, at: object.place(key) });
        }
    }
}

fn egress(object: &Object<'_>) -> Option<Egress> {
    let rules = items(object.get(&["spec", "egress"]));
    let types = object.get(&["spec", "policyTypes"]);
    let binds = match types {
        Some(_) => items(types).iter().any(|t| t.text() == Some("Egress")),
        None => !rules.is_empty(),
    };
    // What is fenced in is the pods that it selects; only a policy for all of them is one for the namespace.
    let dns = rules.iter().any(|rule| {
        let ports = items(rule.get("ports"));
        let port = |port: &Node<'_>| match (port.get("port").and_then(Node::text), port.get("endPort")) {
            (None, _) => true,
            (Some(from), Some(to)) => {
                let number = |text: &str| text.parse::<u32>().ok();
                let to = to.text().and_then(number);
                number(from).zip(to).is_none_or(|(from, to)| (from..=to).contains(&53))
            }
            (Some(port), None) => !port.bytes().all(|b| b.is_ascii_digit()) || matches!(port, "53" | "5353"),
        };
        ports.is_empty() || ports.iter().any(port)
    });
    binds.then(|| Egress { namespace: object.namespace().to_owned(), opens: !rules.is_empty(), dns, at: object.at() })
}

fn custom(object: &Object<'_>) -> Custom {
    Custom {
        group: object.text(&["spec", "group"]).to_owned(),
        kind: object.text(&["spec", "names", "kind"]).to_owned(),
        namespaced: object.text(&["spec", "scope"]) != "Cluster",
        at: object.at(),
    }
}
