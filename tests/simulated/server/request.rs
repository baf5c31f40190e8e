//! Requests: what they ask for, from their method, path, query, headers and body.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{Method, Request};
use serde_json::Value;

use super::answer::Answer;
use super::kinds::Kind;

/// A request, with its body.
#[derive(Debug, Clone)]
pub struct Asked {
    /// GET, POST, ...
    pub method: Method,
    /// The path.
    pub path: String,
    /// The query, decoded.
    pub query: BTreeMap<String, String>,
    /// What form of answer is wanted.
    pub accept: String,
    /// The form of the body.
    pub content_type: String,
    /// Who asks; empty for one who may do everything.
    pub user: String,
    /// What program asks: the field manager where none is named.
    pub agent: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// One object is read.
    Get,
    /// Objects are read.
    List,
    /// Changes are read.
    Watch,
    /// An object is created.
    Create,
    /// An object is replaced.
    Update,
    /// An object is changed, or applied.
    Patch,
    /// An object is deleted.
    Delete,
    /// Objects are deleted.
    DeleteCollection,
}

/// What objects a request is about.
#[derive(Debug, Clone)]
pub struct Target {
    /// Their kind.
    pub kind: Arc<Kind>,
    /// Their namespace; empty for all, or for none.
    pub namespace: String,
    /// The name; empty for a collection.
    pub name: String,
    /// The subresource; empty for the object itself.
    pub subresource: String,
}

impl Asked {
    /// Reads the head of a request.
    pub fn new<B>(request: &Request<B>, user: &str, body: Vec<u8>) -> Asked {
        let header = |name: &str| {
            let value = request.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let pairs = request.uri().query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let impersonated = header("impersonate-user");
        Asked {
            method: request.method().clone(),
            path: decoded(request.uri().path()),
            query: pairs.map(|(key, value)| (decoded(key), decoded(&value.replace('+', " ")))).collect(),
            accept: header("accept"),
            content_type: header("content-type"),
            user: if impersonated.is_empty() { user.to_owned() } else { impersonated },
            agent: header("user-agent").split(['/', ' ']).next().unwrap_or_default().to_owned(),
            body,
        }
    }

    /// A parameter of the query.
    pub fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Whether a parameter of the query is set.
    pub fn is_set(&self, name: &str) -> bool {
        matches!(self.parameter(name), "1" | "true")
    }

    /// Whether nothing is to be changed.
    pub fn is_dry(&self) -> bool {
        self.parameter("dryRun") == "All"
    }

    /// The field manager.
    pub fn manager(&self) -> String {
        match self.parameter("fieldManager") {
            "" if self.agent.is_empty() => "unknown".to_owned(),
            "" => self.agent.clone(),
            named => named.to_owned(),
        }
    }

    /// The body as an object.
    pub fn object(&self) -> Result<Value, Answer> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Answer::bad_request(&format!("the object provided is unrecognized (must be of type JSON): {error}"))
        })
    }

    /// What the path is about, of these kinds.
    pub fn target(&self, kinds: &[Arc<Kind>]) -> Option<Target> {
        let mut steps = self.path.trim_matches('/').split('/');
        let (group, version) = match steps.next()? {
            "api" => ("", steps.next()?),
            "apis" => (steps.next()?, steps.next()?),
            _ => return None,
        };
        let steps: Vec<&str> = steps.collect();
        let find = |plural: &str| {
            let is = |kind: &&Arc<Kind>| kind.plural == plural && kind.group == group && kind.version == version;
            kinds.iter().find(is).cloned()
        };
        let target = |kind, namespace: &str, rest: &[&str]| {
            let step = |index: usize| rest.get(index).copied().unwrap_or_default().to_owned();
            (rest.len() <= 2).then(|| Target {
                kind,
                namespace: namespace.to_owned(),
                name: step(0),
                subresource: step(1),
            })
        };
        match &steps[..] {
            ["namespaces", namespace, plural, rest @ ..] if find(plural).is_some_and(|kind| kind.namespaced) => {
                target(find(plural)?, namespace, rest)
            }
            [plural, rest @ ..] => {
                let kind = find(plural)?;
                // Objects in namespaces have no path without one.
                if kind.namespaced && !rest.is_empty() { None } else { target(kind, "", rest) }
            }
            [] => None,
        }
    }

    /// What is done to the target.
    pub fn verb(&self, target: &Target) -> Option<Verb> {
        let one = !target.name.is_empty();
        match self.method.as_str() {
            "GET" if self.is_set("watch") => Some(Verb::Watch),
            "GET" => Some(if one { Verb::Get } else { Verb::List }),
            "POST" if !one => Some(Verb::Create),
            "PUT" if one => Some(Verb::Update),
            "PATCH" if one => Some(Verb::Patch),
            "DELETE" => Some(if one { Verb::Delete } else { Verb::DeleteCollection }),
            _ => None,
        }
    }
}

impl Verb {
    /// As access rules name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "get",
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
            Verb::DeleteCollection => "deletecollection",
        }
    }
}

/// Text without `%41`.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let escaped = (bytes[index] == b'%').then(|| text.get(index + 1..index + 3)).flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                index += 3;
            }
            None => {
                out.push(bytes[index]);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
