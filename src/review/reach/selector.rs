//! Label selectors: what they say, and the few sets of labels that tell all of them apart.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A label selector; without requirements it selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector(Vec<Requirement>);

/// One requirement of a selector.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Requirement {
    In(String, BTreeSet<String>),
    NotIn(String, BTreeSet<String>),
    Exists(String),
    DoesNotExist(String),
}

/// Labels, as far as any selector asks for them.
pub type Labels = BTreeMap<String, String>;

/// The most sets of labels that are looked at; beyond that, nobody can say for sure.
const MOST: usize = 512;

impl Selector {
    /// Reads one; `None` where it is none.
    pub fn read(value: &Value) -> Option<Selector> {
        let mut all = Vec::new();
        if let Some(labels) = value.get("matchLabels").filter(|v| !v.is_null()) {
            for (key, value) in labels.as_object()? {
                all.push(Requirement::In(key.clone(), BTreeSet::from([value.as_str()?.to_owned()])));
            }
        }
        if let Some(expressions) = value.get("matchExpressions").filter(|v| !v.is_null()) {
            for expression in expressions.as_array()? {
                all.push(requirement(expression)?);
            }
        }
        all.sort();
        all.dedup();
        Some(Selector(all))
    }

    /// Whether it selects everything.
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it selects what has those labels.
    pub fn selects(&self, labels: &Labels) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Requirement::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
            Requirement::Exists(key) => labels.contains_key(key),
            Requirement::DoesNotExist(key) => !labels.contains_key(key),
        })
    }

    /// The value that a label must have, where it asks for one alone and for nothing else.
    pub fn only(&self, wanted: &str) -> Option<&str> {
        match self.0.as_slice() {
            [Requirement::In(key, values)] if key == wanted && values.len() == 1 => values.first().map(String::as_str),
            _ => None,
        }
    }

    /// As people write it on the command line of kubectl.
    pub fn text(&self) -> String {
        let list = |values: &BTreeSet<String>| values.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let each = self.0.iter().map(|requirement| match requirement {
            Requirement::In(key, values) if values.len() == 1 => format!("{key}={}", list(values)),
            Requirement::In(key, values) => format!("{key} in ({})", list(values)),
            Requirement::NotIn(key, values) => format!("{key} notin ({})", list(values)),
            Requirement::Exists(key) => key.clone(),
            Requirement::DoesNotExist(key) => format!("!{key}"),
        });
        each.collect::<Vec<_>>().join(",")
    }
}

fn requirement(value: &Value) -> Option<Requirement> {
    let key = value.get("key")?.as_str()?.to_owned();
    let values = || -> Option<BTreeSet<String>> {
        value.get("values")?.as_array()?.iter().map(|v| v.as_str().map(str::to_owned)).collect()
    };
    Some(match value.get("operator")?.as_str()? {
        "In" => Requirement::In(key, values()?),
        "NotIn" => Requirement::NotIn(key, values()?),
        "Exists" => Requirement::Exists(key),
        "DoesNotExist" => Requirement::DoesNotExist(key),
        _ => return None,
    })
}

/// Sets of labels such that two that no selector of `all` tells apart are not both needed: for each key the values that are
/// named, one that is not, and none. `None` where that would be too many.
pub fn representatives<'s>(all: impl Iterator<Item = &'s Selector>) -> Option<Vec<Labels>> {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for requirement in all.flat_map(|selector| &selector.0) {
        match requirement {
            Requirement::In(key, named) | Requirement::NotIn(key, named) => {
                values.entry(key).or_default().extend(named.iter().map(String::as_str));
            }
            Requirement::Exists(key) | Requirement::DoesNotExist(key) => drop(values.entry(key).or_default()),
        }
    }
    let mut sets = vec![Labels::new()];
    for (key, named) in values {
        // No value of a label holds a blank.
        let others = named.into_iter().chain([" "]);
        let mut more = sets.clone();
        for value in others {
            more.extend(sets.iter().map(|set| {
                let mut set = set.clone();
                set.insert(key.to_owned(), value.to_owned());
                set
            }));
        }
        if more.len() > MOST {
            return None;
        }
        sets = more;
    }
    Some(sets)
}
