//! `/healthz`, `/readyz` and `/metrics` of a watching process.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::tally::Tally;

/// How many connections there may be; what comes in addition waits.
const MOST: usize = 16;

/// How long one may last.
const LASTS: Duration = Duration::from_secs(10);

/// Answers at `place` until it is dropped.
pub async fn serve(place: &str, tally: &Tally) -> Result<()> {
    let place = if place.starts_with(':') { format!("[::]{place}") } else { place.to_owned() };
    let listener = TcpListener::bind(&place).await.with_context(|| format!("cannot listen at {place}"))?;
    let mut open = FuturesUnordered::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if open.len() < MOST => {
                // One that broke before it began is nobody's.
                if let Ok((stream, _)) = accepted {
                    open.push(connection(stream, tally));
                }
            }
            Some(()) = open.next() => {}
        }
    }
}

async fn connection(stream: TcpStream, tally: &Tally) {
    let answer =
        service_fn(
            |request: Request<Incoming>| async move { Ok::<_, Infallible>(answer(request.uri().path(), tally)) },
        );
    let connection =
        hyper::server::conn::http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), answer);
    let _ = timeout(LASTS, connection).await;
}

fn answer(path: &str, tally: &Tally) -> Response<Full<Bytes>> {
    let (status, text) = match path {
        "/healthz" if tally.is_alive() => (StatusCode::OK, "ok\n".to_owned()),
        "/healthz" => (StatusCode::INTERNAL_SERVER_ERROR, "no pass for a long time\n".to_owned()),
        "/readyz" if tally.is_ready() => (StatusCode::OK, "ok\n".to_owned()),
        "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, "nothing to apply, or no API server\n".to_owned()),
        "/metrics" => (StatusCode::OK, tally.text()),
        _ => (StatusCode::NOT_FOUND, "not found\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response
}
