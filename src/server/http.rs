//! The routes, and the limits of what a request may cost.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connections::Connection;
use super::{Shared, reload};
use crate::webhook::{self, Verdict};

/// The largest body: a change carries the old and the new object, of 3 MiB at most each.
///
/// Source: kubernetes-sigs/controller-runtime#2598
const MAX_BODY: usize = 7 * 1024 * 1024;

/// How long a request may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(10);

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// Bodies of all requests together, in kilobytes.
const ALL_BODIES: usize = 24 * 1024;

/// From which size on a body is judged alone, since it takes up to twenty times its size while it is looked at.
const LARGE: usize = 256 * 1024;

type Answer = Response<Full<Bytes>>;

/// What requests may cost together.
pub struct Budget {
    bodies: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

impl Budget {
    /// All of it.
    pub fn new() -> Budget {
        Budget { bodies: Arc::new(Semaphore::new(ALL_BODIES)), large: Arc::new(Semaphore::new(1)) }
    }
}

/// Serves a connection until it ends, or has to.
pub async fn serve<S>(stream: S, is_known: bool, shared: Arc<Shared>, connection: Connection)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(connection.watched(stream));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // Heads of API servers have some 500 bytes.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(64 * 1024).max_headers(64);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(16)
        .max_header_list_size(16 * 1024)
        // What a connection may send before anybody reads it.
        .initial_connection_window_size(128 * 1024)
        .initial_stream_window_size(64 * 1024)
        .max_send_buf_size(16 * 1024);
    let service = service_fn(|request| {
        let busy = connection.busy();
        let shared = Arc::clone(&shared);
        async move {
            let answer = route(request, is_known, &shared).await;
            drop(busy);
            Ok::<_, Infallible>(answer)
        }
    });
    let mut serving = std::pin::pin!(builder.serve_connection(io, service));
    tokio::select! {
        // That a client went away in the middle is its own business.
        _ = &mut serving => return,
        () = connection.over() => {}
    }
    // Those that speak HTTP/2 are told, so that no request meets the end.
    if connection.is_http2() {
        serving.as_mut().graceful_shutdown();
        let _ = tokio::time::timeout(GOODBYE, serving).await;
    }
}

/// Serves a connection of whoever reads metrics.
pub async fn serve_metrics(stream: TcpStream, shared: Arc<Shared>, connection: Connection) {
    let io = TokioIo::new(connection.watched(stream));
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(16 * 1024);
    let service = service_fn(|request: Request<Incoming>| {
        let busy = connection.busy();
        let answer = match request.uri().path() {
            "/metrics" => {
                let mut answer = text(StatusCode::OK, shared.metrics.text());
                let form = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(form));
                answer
            }
            path => health(path, &shared).unwrap_or_else(|| text(StatusCode::NOT_FOUND, "there is nothing here\n")),
        };
        drop(busy);
        std::future::ready(Ok::<_, Infallible>(answer))
    });
    tokio::select! {
        _ = builder.serve_connection(io, service) => {}
        () = connection.over() => {}
    }
}

fn text(code: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = code;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

fn health(path: &str, shared: &Shared) -> Option<Answer> {
    match path {
        "/healthz" => Some(text(StatusCode::OK, "ok\n")),
        "/readyz" if shared.draining.load(Ordering::Relaxed) => {
            Some(text(StatusCode::SERVICE_UNAVAILABLE, "it was told to end\n"))
        }
        "/readyz" if !reload::is_served_now(shared) => {
            Some(text(StatusCode::SERVICE_UNAVAILABLE, "the certificate does not hold now\n"))
        }
        "/readyz" => Some(text(StatusCode::OK, "ok\n")),
        _ => None,
    }
}

async fn route(request: Request<Incoming>, is_known: bool, shared: &Arc<Shared>) -> Answer {
    let old_http = request.version() < Version::HTTP_2;
    let is_head = request.method() == Method::HEAD;
    let mutates = match request.uri().path() {
        "/validate-pod" => Some(false),
        "/mutate-pod" => Some(true),
        _ => None,
    };
    let (head, mut body) = request.into_parts();
    let mut answer = match mutates {
        Some(mutates) => match review(&head, &mut body, mutates, is_known, shared).await {
            Ok(answer) => answer,
            Err(refusal) => {
                // Whoever is still writing when the connection ends does not get to read why.
                let _ = tokio::time::timeout(GOODBYE, read_over(&mut body)).await;
                refusal.answer(shared)
            }
        },
        None => health(head.uri.path(), shared).unwrap_or_else(|| Refusal::Path.answer(shared)),
    };
    if is_head {
        *answer.body_mut() = Full::default();
    }
    if old_http && shared.draining.load(Ordering::Relaxed) {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// Reasons for which a request is not answered with a review.
pub const REASONS: [&str; 11] =
    ["path", "method", "client", "type", "size", "values", "slow", "broken", "busy", "review", "defect"];

/// Why a request is not answered with a review.
enum Refusal {
    Path,
    Method,
    Client,
    Type,
    TooLarge,
    TooMany,
    TooSlow,
    Broken,
    Busy,
    NoReview(String),
    Defect,
}

impl Refusal {
    fn answer(self, shared: &Shared) -> Answer {
        let (reason, code, about) = match self {
            Refusal::Path => ("path", StatusCode::NOT_FOUND, "there is nothing here\n".into()),
            Refusal::Method => ("method", StatusCode::METHOD_NOT_ALLOWED, "expected POST\n".into()),
            Refusal::Client => ("client", StatusCode::FORBIDDEN, "expected the certificate of an API server\n".into()),
            Refusal::Type => ("type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected application/json\n".into()),
            Refusal::TooLarge => {
                ("size", StatusCode::PAYLOAD_TOO_LARGE, format!("expected at most {MAX_BODY} bytes\n").into())
            }
            Refusal::TooMany => {
                let most = webhook::answer::MOST_VALUES;
                ("values", StatusCode::PAYLOAD_TOO_LARGE, format!("expected at most {most} values\n").into())
            }
            Refusal::TooSlow => ("slow", StatusCode::REQUEST_TIMEOUT, "the body took too long\n".into()),
            Refusal::Broken => ("broken", StatusCode::BAD_REQUEST, "the body broke off\n".into()),
            Refusal::Busy => ("busy", StatusCode::SERVICE_UNAVAILABLE, "too much at a time; try again\n".into()),
            Refusal::NoReview(why) => ("review", StatusCode::BAD_REQUEST, Bytes::from(format!("{why}\n"))),
            Refusal::Defect => {
                ("defect", StatusCode::INTERNAL_SERVER_ERROR, "the program has a defect; see its log\n".into())
            }
        };
        debug_assert!(REASONS.contains(&reason));
        shared.metrics.refused(reason);
        shared.log.rarely(reason, "warn", "refused a request", || json!({"reason": reason, "code": code.as_u16()}));
        let mut answer = text(code, about);
        if reason == "method" {
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        }
        // What is left of the body is not read, so that nothing can follow it.
        if matches!(reason, "size" | "slow" | "busy" | "type" | "client" | "method") {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }
}

async fn review(
    head: &Parts,
    incoming: &mut Incoming,
    mutates: bool,
    is_known: bool,
    shared: &Arc<Shared>,
) -> Result<Answer, Refusal> {
    if head.method != Method::POST {
        return Err(Refusal::Method);
    }
    if !is_known {
        return Err(Refusal::Client);
    }
    let form = head.headers.get(CONTENT_TYPE).and_then(|form| form.to_str().ok()).unwrap_or_default();
    if !form.split(';').next().is_some_and(|form| form.trim().eq_ignore_ascii_case("application/json")) {
        return Err(Refusal::Type);
    }
    let arrival = tokio::time::timeout(ARRIVAL, body(head, incoming, shared));
    let (body, held) = arrival.await.map_err(|_| Refusal::TooSlow)??;
    if body.len() < LARGE {
        let answer = judge(&body, mutates, shared);
        drop(held);
        return answer;
    }
    let alone = tokio::time::timeout(ARRIVAL, Arc::clone(&shared.budget.large).acquire_owned()).await;
    let alone = alone.map_err(|_| Refusal::Busy)?.map_err(|_| Refusal::Busy)?;
    if webhook::answer::has_too_many_values(&body) {
        return Err(Refusal::TooMany);
    }
    // Other requests go on meanwhile.
    let shared = Arc::clone(shared);
    let judged = tokio::task::spawn_blocking(move || {
        let answer = judge(&body, mutates, &shared);
        // Given back with the memory, and not when whoever asked hangs up.
        drop((body, held, alone));
        answer
    });
    let judged = judged.await;
    judged.unwrap_or(Err(Refusal::Defect))
}

/// Reads what is left of a body, and keeps nothing of it.
async fn read_over(incoming: &mut Incoming) {
    let mut left = 2 * MAX_BODY;
    while let Some(Ok(frame)) = incoming.frame().await {
        match frame.data_ref().and_then(|data| left.checked_sub(data.len())) {
            Some(now) => left = now,
            None => return,
        }
    }
}

/// Reads a body within the limits. What it takes is held until the permits are dropped.
async fn body(
    head: &Parts,
    incoming: &mut Incoming,
    shared: &Shared,
) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), Refusal> {
    let stated = head.headers.get(CONTENT_LENGTH).and_then(|n| n.to_str().ok()?.parse::<usize>().ok());
    if stated.is_some_and(|length| length > MAX_BODY) {
        return Err(Refusal::TooLarge);
    }
    // What is announced costs nothing yet: memory grows with what arrives.
    let mut bytes = Vec::new();
    let mut held: Option<OwnedSemaphorePermit> = None;
    let mut kilobytes = 0;
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|_| Refusal::Broken)?;
        let Some(data) = frame.data_ref() else { continue };
        if bytes.len() + data.len() > MAX_BODY {
            return Err(Refusal::TooLarge);
        }
        bytes.extend_from_slice(data);
        // What arrived counts, not what was announced: who only announces takes nothing from others.
        let now = bytes.len() / 1024 + 1;
        let more = u32::try_from(now - kilobytes).unwrap_or(u32::MAX);
        if more > 0 {
            let permit = Arc::clone(&shared.budget.bodies).try_acquire_many_owned(more).map_err(|_| Refusal::Busy)?;
            match &mut held {
                Some(held) => held.merge(permit),
                None => held = Some(permit),
            }
            kilobytes = now;
        }
        if incoming.is_end_stream() {
            break;
        }
    }
    Ok((bytes, held))
}

fn judge(body: &[u8], mutates: bool, shared: &Shared) -> Result<Answer, Refusal> {
    let start = Instant::now();
    let view = shared.view.load();
    let judged = catch_unwind(AssertUnwindSafe(|| {
        if mutates { webhook::mutate(body, &view) } else { webhook::validate(body, &view) }
    }));
    let answer = judged.map_err(|_| {
        shared.metrics.panicked();
        Refusal::Defect
    })?;
    let answer = answer.map_err(Refusal::NoReview)?;
    shared.metrics.review(mutates, answer.verdict, &answer.breaches, start.elapsed());
    if answer.verdict == Verdict::Denied {
        shared.log.rarely("denied", "info", "refused a pod", || {
            let policies: Vec<&str> = answer.policies().collect();
            json!({"namespace": answer.namespace, "policies": policies.join(" ")})
        });
    }
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
