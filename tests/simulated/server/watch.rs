//! WATCH: a body that goes on as things change.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame};
use serde_json::{Value, json};
use tokio::time::{Sleep, sleep};

use super::answer::Answer;
use super::read::{Form, Shown, wants_metadata};
use super::request::{Asked, Target};
use super::selector::Selector;
use super::state::Change;
use super::world::World;

/// A watch that is open.
pub struct Watch {
    world: Arc<Mutex<World>>,
    resource: String,
    api_version: String,
    kind: String,
    namespace: Option<String>,
    name: Option<String>,
    selector: Selector,
    form: Form,
    /// How many changes of the log it has seen.
    position: usize,
    /// What it gets before that.
    first: Vec<u8>,
    bookmarks: bool,
    ends: Option<Duration>,
    cut: u64,
    /// Until something is due, where the clock is tokio's.
    sleep: Option<Pin<Box<Sleep>>>,
}

/// The body of an answer.
pub enum Stream {
    /// All at once.
    Whole(Option<Bytes>),
    /// As things change.
    Watch(Box<Watch>),
}

impl Watch {
    /// Opens a watch. One whose start is too old says so in its first event, as the real server does.
    pub fn open(world: &Arc<Mutex<World>>, inside: &World, asked: &Asked, target: &Target) -> Result<Watch, Answer> {
        let selector = Selector::read(asked.parameter("labelSelector"))?;
        let name = asked.parameter("fieldSelector").strip_prefix("metadata.name=").map(str::to_owned);
        let name = Some(target.name.clone()).filter(|name| !name.is_empty()).or(name);
        let mut watch = Watch {
            world: Arc::clone(world),
            resource: target.kind.resource(),
            api_version: target.kind.api_version(),
            kind: target.kind.kind.clone(),
            namespace: Some(target.namespace.clone()).filter(|namespace| !namespace.is_empty()),
            name,
            selector,
            form: if wants_metadata(asked) { Form::Metadata } else { Form::Whole },
            position: inside.state.log().len(),
            first: Vec::new(),
            bookmarks: asked.is_set("allowWatchBookmarks"),
            ends: asked.parameter("timeoutSeconds").parse().ok().map(|s| inside.clock + Duration::from_secs(s)),
            cut: inside.watches_cut,
            sleep: None,
        };
        let since = asked.parameter("resourceVersion");
        let initial = asked.is_set("sendInitialEvents");
        match since.parse::<u64>().unwrap_or_default() {
            0 => watch.start(inside, initial),
            _ if initial => watch.start(inside, true),
            since if since < inside.state.compacted() => {
                let message = format!("too old resource version: {since} ({})", inside.state.compacted());
                let mut status = Answer::expired(&message).body;
                status["reason"] = json!("Expired");
                watch.event("ERROR", &status, Form::Whole);
                watch.cut = u64::MAX;
            }
            since => watch.position = inside.state.log().partition_point(|change| change.revision <= since),
        }
        Ok(watch)
    }

    /// What is there already comes first.
    fn start(&mut self, inside: &World, mark: bool) {
        let all = inside.state.list(&self.resource, self.namespace.as_deref());
        let all: Vec<Arc<Value>> = all.map(|(_, object)| Arc::clone(object)).collect();
        for object in all {
            if self.wants(&object) {
                self.event("ADDED", &object, self.form);
            }
        }
        if mark {
            self.bookmark(inside.state.revision(), true);
        }
    }

    fn bookmark(&mut self, revision: u64, first: bool) {
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if first {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = json!({"kind": self.kind, "apiVersion": self.api_version, "metadata": metadata});
        self.event("BOOKMARK", &object, Form::Whole);
    }

    fn wants(&self, object: &Value) -> bool {
        self.name.as_ref().is_none_or(|name| object["metadata"]["name"] == name.as_str())
            && self.selector.selects(object)
    }

    fn event(&mut self, kind: &str, object: &Value, form: Form) {
        self.first.extend(format!("{{\"type\":{kind:?},\"object\":").into_bytes());
        serde_json::to_writer(&mut self.first, &Shown(object, form)).expect("JSON");
        self.first.extend(b"}\n");
    }

    /// Comes back when something is due, or when it is to end; only tokio's clock moves by itself.
    fn sleep_until(&mut self, inside: &World, context: &mut Context<'_>) {
        let next = inside.next_due().into_iter().chain(self.ends).min();
        self.sleep = next
            .filter(|_| inside.tokio_since.is_some())
            .map(|next| Box::pin(sleep(next.saturating_sub(inside.clock).max(Duration::from_millis(1)))));
        if self.sleep.as_mut().is_some_and(|sleep| sleep.as_mut().poll(context).is_ready()) {
            context.waker().wake_by_ref();
        }
    }

    fn see(&mut self, change: &Change) {
        let (key, form) = (&change.key, self.form);
        if key.resource != self.resource || self.namespace.as_ref().is_some_and(|n| *n != key.namespace) {
            return;
        }
        let before = change.before.as_ref().filter(|object| self.wants(object));
        let after = change.after.as_ref().filter(|object| self.wants(object));
        match (before, after) {
            (None, Some(after)) => self.event("ADDED", after, form),
            (Some(_), Some(after)) => self.event("MODIFIED", after, form),
            (Some(before), None) => {
                let mut last = (**before).clone();
                last["metadata"]["resourceVersion"] = json!(change.revision.to_string());
                self.event("DELETED", &last, form);
            }
            (None, None) => {}
        }
    }
}

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let watch = match self.get_mut() {
            Stream::Whole(bytes) => return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Stream::Watch(watch) => watch,
        };
        let shared = Arc::clone(&watch.world);
        let mut world = shared.lock().unwrap_or_else(|e| e.into_inner());
        world.read_clock();
        world.tick();
        if !world.settings.watches_held {
            let new = world.state.log()[watch.position..].to_vec();
            watch.position += new.len();
            if !world.settings.watches_lossy {
                new.iter().for_each(|change| watch.see(change));
            }
        }
        if !watch.first.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from(std::mem::take(&mut watch.first))))));
        }
        if watch.cut != world.watches_cut || watch.ends.is_some_and(|ends| world.clock >= ends) {
            if watch.bookmarks && watch.cut == world.watches_cut {
                watch.cut = u64::MAX;
                watch.bookmark(world.state.revision(), false);
                return Poll::Ready(Some(Ok(Frame::data(Bytes::from(std::mem::take(&mut watch.first))))));
            }
            return Poll::Ready(None);
        }
        world.wakers.push(context.waker().clone());
        watch.sleep_until(&world, context);
        Poll::Pending
    }
}
