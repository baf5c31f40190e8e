//! A Kubernetes API server in memory: deterministic, without a clock of its own, and as honest as tests against a real one
//! keep it.
//!
//! A [`Server`] is a handle: tests look at what is stored, change it as others would, read the trace of all requests, and put
//! faults in their way. Its [`Server::client`] is an unmodified client in the same process.

pub mod access;
pub mod answer;
mod apply;
mod controllers;
mod defaults;
mod delete;
mod discovery;
pub mod faults;
mod fields;
mod kinds;
mod managers;
mod merge;
mod normal;
mod patch;
mod quota;
mod read;
mod request;
mod schema;
mod selector;
mod service;
pub mod state;
pub mod trace;
mod validate;
mod watch;
pub mod webhooks;
mod world;
mod write;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;

pub use answer::Answer;
pub use faults::{Failure, Fault};
pub use request::Asked;
pub use service::Connection;
pub use state::{Change, Key};
pub use trace::{Effect, Exchange};
pub use world::Settings;
use world::World;

/// A handle of a server; its clones are handles of the same one.
#[derive(Clone)]
pub struct Server(Arc<Mutex<World>>);

impl Default for Server {
    fn default() -> Server {
        Server::new()
    }
}

impl Server {
    /// A server with the namespaces that every cluster has.
    pub fn new() -> Server {
        Server(Arc::new(Mutex::new(World::new())))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// A client of one who may do everything. Needs a tokio runtime.
    pub fn client(&self) -> kube::Client {
        self.client_of("")
    }

    /// A client of a user; [`Settings::grants`] say what he may do.
    pub fn client_of(&self, user: &str) -> kube::Client {
        kube::Client::new(self.connection(user), "default")
    }

    /// The `tower` service that such a client talks to.
    pub fn connection(&self, user: &str) -> Connection {
        Connection { world: Arc::clone(&self.0), user: user.to_owned() }
    }

    /// Changes settings.
    pub fn set(&self, change: impl FnOnce(&mut Settings)) {
        let mut world = self.world();
        change(&mut world.settings);
        world.told = None;
        world.tick();
    }

    // The clock.

    /// Moves the clock, and has done what is due until then, in its order.
    pub fn advance(&self, time: Duration) {
        let mut world = self.world();
        let end = world.clock + time;
        while let Some(at) = world.next_due().filter(|at| *at <= end) {
            world.clock = world.clock.max(at);
            world.tick();
        }
        world.clock = end;
        world.tick();
    }

    /// Does the next thing that is due, whenever that is; says whether there was one.
    pub fn step(&self) -> bool {
        let mut world = self.world();
        let Some(at) = world.next_due() else { return false };
        world.clock = world.clock.max(at);
        world.tick();
        true
    }

    /// Lets the clock follow tokio's from now on; for a runtime whose time is paused.
    pub fn follow_tokio(&self) {
        let mut world = self.world();
        let since = tokio::time::Instant::now();
        world.tokio_since = Some(since.checked_sub(world.clock).unwrap_or(since));
    }

    /// How long the server has existed, by its own clock.
    pub fn clock(&self) -> Duration {
        self.world().clock
    }

    // What is stored.

    /// An object: `("configmaps", "ns", "name")`, `("deployments.apps", ..)`; no namespace for what is cluster-scoped.
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.world().state.get(&Key::new(resource, namespace, name)).cloned()
    }

    /// The objects of a resource, in a namespace or in all.
    pub fn list(&self, resource: &str, namespace: Option<&str>) -> Vec<Arc<Value>> {
        self.world().state.list(resource, namespace).map(|(_, object)| Arc::clone(object)).collect()
    }

    /// Everything that is stored.
    pub fn all(&self) -> Vec<(Key, Arc<Value>)> {
        self.world().state.all().map(|(key, object)| (key.clone(), Arc::clone(object))).collect()
    }

    /// Everything that was stored at a revision, of one resource.
    pub fn list_at(&self, resource: &str, revision: u64) -> Vec<Arc<Value>> {
        self.world().state.list_at(resource, None, revision).into_values().collect()
    }

    /// The newest revision.
    pub fn revision(&self) -> u64 {
        self.world().state.revision()
    }

    /// All changes so far, by whomever.
    pub fn changes(&self) -> Vec<Change> {
        self.world().state.log().to_vec()
    }

    /// Forgets what was before now: pages and watches that began before are expired.
    pub fn compact(&self) {
        let mut world = self.world();
        let revision = world.state.revision();
        world.state.compact(revision);
    }

    /// Does what a request of this kind does, at once and outside of trace and faults: as a person with kubectl, or as another
    /// controller. The path may have a query: `?fieldManager=kubectl-edit`.
    pub fn request(&self, method: &str, path: &str, content_type: &str, body: &Value) -> Answer {
        let builder = http::Request::builder().method(method).uri(path).header("content-type", content_type);
        let request = builder.body(()).expect("a request");
        let bytes = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).expect("JSON") };
        self.connection("").answer(&Asked::new(&request, "", bytes))
    }

    /// Changes an object as `kubectl edit` does: an update by a field manager. Panics where that is refused.
    pub fn edit(&self, manager: &str, resource: &str, namespace: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let found = self.get(resource, namespace, name);
        let mut object = (*found.unwrap_or_else(|| panic!("no {resource} {namespace}/{name}"))).clone();
        change(&mut object);
        let path = format!("{}?fieldManager={manager}", self.path(resource, namespace, name));
        let answer = self.request("PUT", &path, "application/json", &object);
        assert!(answer.is_success(), "{path}: {}", answer.body);
    }

    /// Creates an object as another manager. Panics where that is refused.
    pub fn create(&self, manager: &str, object: &Value) -> Value {
        let kind = self.world().kind_of(object).unwrap_or_else(|| panic!("no such kind: {object}"));
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        let path = format!("{}?fieldManager={manager}", self.path(&kind.resource(), namespace, ""));
        let answer = self.request("POST", &path, "application/json", object);
        assert!(answer.is_success(), "{path}: {}", answer.body);
        answer.body
    }

    /// Applies an object as another manager, by force. Panics where that is refused.
    pub fn apply(&self, manager: &str, object: &Value) -> Value {
        let kind = self.world().kind_of(object).unwrap_or_else(|| panic!("no such kind: {object}"));
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
        let path = self.path(&kind.resource(), text("namespace"), text("name"));
        let path = format!("{path}?fieldManager={manager}&force=true");
        let answer = self.request("PATCH", &path, "application/apply-patch+yaml", object);
        assert!(answer.is_success(), "{path}: {}", answer.body);
        answer.body
    }

    /// Deletes an object, as a person does; says what the server answers.
    pub fn delete(&self, resource: &str, namespace: &str, name: &str) -> Answer {
        self.request("DELETE", &self.path(resource, namespace, name), "application/json", &Value::Null)
    }

    /// Writes an object past all rules, owners included; with no object, removes what is there.
    pub fn put_raw(&self, resource: &str, namespace: &str, name: &str, object: Option<Value>) {
        let key = Key::new(resource, namespace, name);
        let mut world = self.world();
        match object {
            Some(object) => drop(world.state.put(&key, object)),
            None => drop(world.state.remove(&key)),
        }
        world.tick();
    }

    /// The path of an object, or of a collection where there is no name.
    pub fn path(&self, resource: &str, namespace: &str, name: &str) -> String {
        let kind = self.world().kind(resource).unwrap_or_else(|| panic!("no such resource: {resource}"));
        let prefix = if kind.group.is_empty() { "api".to_owned() } else { format!("apis/{}", kind.group) };
        let inside =
            if kind.namespaced && !namespace.is_empty() { format!("/namespaces/{namespace}") } else { String::new() };
        let slash = if name.is_empty() { "" } else { "/" };
        format!("/{prefix}/{}{inside}/{}{slash}{name}", kind.version, kind.plural)
    }

    // Requests.

    /// All requests so far.
    pub fn trace(&self) -> Vec<Exchange> {
        self.world().trace.clone()
    }

    /// Forgets the requests so far; the next one is number 0.
    pub fn forget_trace(&self) {
        self.world().trace.clear();
    }

    /// Asks this about each request from now on; it may use the server.
    pub fn on_request(&self, hook: impl FnMut(usize, &Asked) -> Fault + Send + 'static) {
        self.world().hook = Some(Box::new(hook));
    }

    /// Asks nobody any more.
    pub fn without_faults(&self) {
        self.world().hook = None;
    }

    /// Answers the next `n` requests with 429 and that `Retry-After`.
    pub fn be_busy(&self, n: usize, seconds: u64) {
        self.world().busy = vec![seconds; n];
    }

    /// Ends all watches.
    pub fn cut_watches(&self) {
        let mut world = self.world();
        world.watches_cut += 1;
        world.told = None;
        world.tick();
    }
}
