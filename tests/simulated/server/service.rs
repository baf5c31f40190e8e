//! The server as a client meets it: a `tower` service that takes HTTP requests, with the faults that a test wants.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Bytes;
use kube::client::Body;
use serde_json::{Value, json};
use tower_service::Service;

use super::answer::{Answer, details};
use super::faults::{Broken, Failure, Fault};
use super::request::{Asked, Verb};
use super::trace::Exchange;
use super::watch::{Stream, Watch};
use super::world::World;
use super::write::Outcome;

/// A way to the server for one user.
#[derive(Clone)]
pub struct Connection {
    pub(super) world: Arc<Mutex<World>>,
    pub(super) user: String,
}

/// An answer, or a watch.
enum Reply {
    Answer(Answer),
    Watch(Box<Watch>),
}

impl Connection {
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Executes a request, as of the state before so many writes where it reads.
    fn execute(&self, index: usize, asked: &Asked, stale: usize) -> Reply {
        let mut world = self.lock();
        world.read_clock();
        let takes = world.settings.request_takes;
        world.clock += takes;
        world.tick();
        let length = world.state.log().len();
        let reply = self.reply(&mut world, asked, stale);
        let status = match &reply {
            Reply::Answer(answer) => answer.status,
            Reply::Watch(_) => 200,
        };
        let effects = world.effects_since(length);
        if let Some(exchange) = world.trace.get_mut(index) {
            exchange.status = Some(status);
            exchange.effects = effects;
        }
        world.tick();
        reply
    }

    fn reply(&self, world: &mut World, asked: &Asked, stale: usize) -> Reply {
        if let Some(answer) = world.discover(asked) {
            return Reply::Answer(answer);
        }
        if let Some(seconds) = world.busy.pop() {
            return Reply::Answer(Answer::too_many("Too many requests, please try again later.", seconds));
        }
        let Some(target) = asked.target(&world.kinds) else { return Reply::Answer(world.no_target(asked)) };
        if world.settings.lost_groups.contains(&target.kind.group) {
            let answer = Answer::refusal(503, "ServiceUnavailable", "service unavailable", Value::Null);
            return Reply::Answer(answer);
        }
        let known = match target.subresource.as_str() {
            "" => true,
            "status" => target.kind.status,
            "finalize" => target.kind.plural == "namespaces",
            _ => false,
        };
        if !known {
            let details = if target.kind.custom { details(&target.kind, &target.name) } else { json!({}) };
            return Reply::Answer(Answer::no_resource(details));
        }
        let Some(verb) = asked
            .verb(&target)
            .filter(|verb| !(matches!(verb, Verb::Create) && target.kind.namespaced && target.namespace.is_empty()))
        else {
            let message = "the server does not allow this method on the requested resource";
            return Reply::Answer(Answer::refusal(405, "MethodNotAllowed", message, json!({})));
        };
        if let Err(answer) = world.authorise(&asked.user, verb, &target) {
            return Reply::Answer(answer);
        }
        if let Some(answer) = world.is_initialising(&target.kind) {
            return Reply::Answer(answer);
        }
        let revision = (stale > 0).then(|| world.state.before(stale));
        let outcome: Outcome = match verb {
            Verb::Get => world.get(asked, &target, revision),
            Verb::List => world.list(asked, &target, revision),
            Verb::Watch => match Watch::open(&self.world, world, asked, &target) {
                Ok(watch) => return Reply::Watch(Box::new(watch)),
                Err(answer) => Err(answer),
            },
            Verb::Create => world.create(asked, &target),
            Verb::Update => world.update(asked, &target),
            Verb::Patch => world.patch(asked, &target),
            Verb::Delete => world.delete(asked, &target),
            Verb::DeleteCollection => world.delete_collection(asked, &target),
        };
        Reply::Answer(outcome.unwrap_or_else(|refusal| refusal))
    }

    /// Numbers a request, and asks what is to become of it.
    fn begin(&self, asked: &Asked) -> (usize, Fault) {
        let mut world = self.lock();
        let index = world.trace.len();
        world.trace.push(Exchange::of(index, asked));
        // Without the lock, so that the hook can look at the server.
        let hook = world.hook.take();
        drop(world);
        let Some(mut hook) = hook else { return (index, Fault::Proceed) };
        let fault = hook(index, asked);
        let mut world = self.lock();
        if world.hook.is_none() {
            world.hook = Some(hook);
        }
        (index, fault)
    }

    fn lose(&self, index: usize) {
        if let Some(exchange) = self.lock().trace.get_mut(index) {
            exchange.lost = true;
        }
    }

    async fn handle(self, asked: Asked) -> Result<Response<Stream>, Broken> {
        let (index, fault) = self.begin(&asked);
        match fault {
            Fault::Proceed => Ok(response(self.execute(index, &asked, 0))),
            Fault::StaleRead(writes) => Ok(response(self.execute(index, &asked, writes))),
            Fault::FailBefore(failure) => {
                self.lose(index);
                failed(failure)
            }
            Fault::FailAfter(failure) => {
                self.execute(index, &asked, 0);
                self.lose(index);
                failed(failure)
            }
            Fault::Delay(time) => {
                tokio::time::sleep(time).await;
                Ok(response(self.execute(index, &asked, 0)))
            }
            Fault::DelayAnswer(time) => {
                let reply = self.execute(index, &asked, 0);
                tokio::time::sleep(time).await;
                Ok(response(reply))
            }
        }
    }
}

fn failed(failure: Failure) -> Result<Response<Stream>, Broken> {
    match failure {
        Failure::Connection => Err(Broken),
        Failure::Answer(answer) => Ok(response(Reply::Answer(*answer))),
    }
}

fn response(reply: Reply) -> Response<Stream> {
    let answer = match reply {
        Reply::Watch(watch) => {
            let response = Response::builder().header("content-type", "application/json");
            return response.body(Stream::Watch(watch)).expect("a response");
        }
        Reply::Answer(answer) => answer,
    };
    let mut response = Response::builder().status(answer.status);
    if let Some(seconds) = answer.retry_after {
        response = response.header("retry-after", seconds);
    }
    let (kind, bytes) = match (answer.bytes, answer.body) {
        (Some(bytes), _) => ("application/json", bytes),
        (None, Value::String(text)) => ("text/plain; charset=utf-8", text.into_bytes()),
        (None, body) => ("application/json", serde_json::to_vec(&body).expect("JSON")),
    };
    let response = response.header("content-type", kind);
    response.body(Stream::Whole(Some(Bytes::from(bytes)))).expect("a response")
}

impl Service<Request<Body>> for Connection {
    type Response = Response<Stream>;
    type Error = Broken;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Stream>, Broken>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let connection = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let bytes = body.collect().await.map_err(|_| Broken)?.to_bytes().to_vec();
            let request = Request::from_parts(head, ());
            let asked = Asked::new(&request, &connection.user, bytes);
            connection.handle(asked).await
        })
    }
}

impl Connection {
    /// The duration until something is due by itself.
    pub fn until_due(&self) -> Option<Duration> {
        let world = self.lock();
        world.next_due().map(|at| at.saturating_sub(world.clock))
    }
}

impl Connection {
    /// Executes a request outside of trace and faults.
    pub fn answer(&self, asked: &Asked) -> Answer {
        match self.execute(usize::MAX, asked, 0) {
            Reply::Answer(mut answer) => {
                if let Some(bytes) = answer.bytes.take() {
                    answer.body = serde_json::from_slice(&bytes).expect("JSON");
                }
                answer
            }
            Reply::Watch(_) => panic!("a watch has no end"),
        }
    }
}
