//! What was asked, and what came of it.

use http::Method;

use super::request::Asked;
use super::state::{Change, Key};

/// A request and what came of it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Its number, from 0.
    pub index: usize,
    /// GET, POST, ...
    pub method: Method,
    /// The path.
    pub path: String,
    /// The query, in the order of its keys.
    pub query: String,
    /// Who asked; empty for one who may do everything.
    pub user: String,
    /// The status that the server gave, also where the client did not get it; nothing where it was not executed.
    pub status: Option<u16>,
    /// Whether the client got something else.
    pub lost: bool,
    /// What it changed in the storage.
    pub effects: Vec<Effect>,
}

/// A change of the storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Something new.
    Created(Key),
    /// Something changed.
    Changed(Key),
    /// Something gone.
    Removed(Key),
}

impl Exchange {
    /// One that is about to be executed.
    pub fn of(index: usize, asked: &Asked) -> Exchange {
        let query: Vec<String> = asked.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
        Exchange {
            index,
            method: asked.method.clone(),
            path: asked.path.clone(),
            query: query.join("&"),
            user: asked.user.clone(),
            status: None,
            lost: false,
            effects: Vec::new(),
        }
    }

    /// Whether it asked for a change: not a read, and not a dry run.
    pub fn is_write(&self) -> bool {
        self.method != Method::GET && !self.query.contains("dryRun=")
    }
}

impl Effect {
    /// What a change of the storage is.
    pub fn of(change: &Change) -> Effect {
        let key = change.key.clone();
        match (&change.before, &change.after) {
            (None, _) => Effect::Created(key),
            (_, Some(_)) => Effect::Changed(key),
            (_, None) => Effect::Removed(key),
        }
    }

    /// What it is about.
    pub fn key(&self) -> &Key {
        match self {
            Effect::Created(key) | Effect::Changed(key) | Effect::Removed(key) => key,
        }
    }
}

impl std::fmt::Display for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        write!(f, "{} {} {}{query}", self.index, self.method, self.path)?;
        match self.status {
            Some(status) => write!(f, " -> {status}")?,
            None => write!(f, " -> not executed")?,
        }
        if self.lost { f.write_str(", lost") } else { Ok(()) }
    }
}
