//! `mtp webhook serve`: the server around [`crate::webhook`]. It asks nobody anything: certificate and tenants are files.
#![expect(clippy::disallowed_methods, reason = "this is the shell: it reads files, and dates by the clock")]

mod connections;
mod http;
mod log;
mod metrics;
mod reload;
mod tls;
mod workers;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use arc_swap::ArcSwap;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;

use crate::webhook::View;
pub use log::Log;

/// What the server is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of `tls.crt` and `tls.key`.
    pub certs: PathBuf,
    /// The folder of the view of tenants.
    pub tenants: PathBuf,
    /// The platform's namespace, which the name of the certificate depends on.
    pub namespace: String,
    /// Where the API server calls: `:8443` is any address of the machine.
    pub listen: String,
    /// Where metrics are read; without TLS.
    pub metrics_listen: Option<String>,
    /// Who signs the certificates of API servers; `None`: whoever calls is answered.
    pub client_ca: Option<PathBuf>,
    /// The names in those certificates; empty: any that is signed.
    pub client_names: Vec<String>,
    /// How many connections there may be at a time.
    pub max_connections: usize,
    /// How long it goes on answering once it was told to end: so long do API servers still call it.
    pub drain: Duration,
}

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// How long requests that are under way may take after [`Settings::drain`].
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// What all connections share.
struct Shared {
    view: ArcSwap<View>,
    pair: ArcSwap<tls::Pair>,
    metrics: metrics::Metrics,
    log: Arc<Log>,
    draining: AtomicBool,
    budget: http::Budget,
    needs_client: bool,
    client_names: Vec<String>,
}

/// Serves until it is told to end.
pub fn run(settings: &Settings, log: Arc<Log>) -> Result<()> {
    let pair = tls::load(&settings.certs, &settings.namespace).map_err(|why| anyhow!(why))?;
    let version = reload::view_version(&settings.tenants);
    let view = reload::view(&settings.tenants).map_err(|why| anyhow!(why))?;
    let shared = Arc::new(Shared {
        view: ArcSwap::from_pointee(view),
        pair: ArcSwap::from_pointee(pair),
        metrics: metrics::Metrics::new(),
        log: Arc::clone(&log),
        draining: AtomicBool::new(false),
        budget: http::Budget::new(),
        needs_client: settings.client_ca.is_some(),
        client_names: settings.client_names.clone(),
    });
    let tls = tls::config(&shared, settings.client_ca.as_deref())?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the server")?;
    let done = runtime.block_on(serve(settings, shared, TlsAcceptor::from(Arc::new(tls)), version));
    // What still runs is not waited for: its time is over.
    runtime.shutdown_background();
    log.settle();
    done
}

async fn serve(settings: &Settings, shared: Arc<Shared>, acceptor: TlsAcceptor, view: String) -> Result<()> {
    let (listener, address) = listen(&settings.listen).await?;
    let connections = connections::Connections::new(settings.max_connections);
    let mut metrics_address = None;
    if let Some(place) = &settings.metrics_listen {
        let (listener, address) = listen(place).await?;
        metrics_address = Some(address);
        tokio::spawn(accept_plain(listener, Arc::clone(&shared)));
    }
    let ready = serde_json::json!({
        "address": address.to_string(),
        "metrics": metrics_address.map(|address| address.to_string()),
        "namespaces": shared.view.load().namespaces(),
        "certificate": shared.pair.load().sha256,
        "version": env!("CARGO_PKG_VERSION"),
    });
    shared.log.say("info", "listening", ready);
    std::thread::spawn({
        let (shared, settings) = (Arc::clone(&shared), settings.clone());
        move || reload::watch(&settings, &shared, view)
    });
    let workers = workers::Workers::start()?;
    let accepting = tokio::spawn(accept(listener, acceptor, Arc::clone(&shared), Arc::clone(&connections), workers));

    let mut terminate = signal(SignalKind::terminate()).context("cannot listen to signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen to signals")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    // Not ready any more, but still there: API servers learn of it later than this process.
    shared.draining.store(true, Ordering::Relaxed);
    shared.log.say("info", "draining", serde_json::json!({"seconds": settings.drain.as_secs()}));
    tokio::select! {
        () = tokio::time::sleep(settings.drain) => {}
        // Twice means now.
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    accepting.abort();
    connections.close_idle();
    let _ = tokio::time::timeout(LAST_REQUESTS, connections.ended()).await;
    shared.log.say("info", "ended", serde_json::json!({}));
    Ok(())
}

/// Listens at `place`; `:8443` is every address, of both families where the machine has both.
async fn listen(place: &str) -> Result<(TcpListener, SocketAddr)> {
    let places = match place.strip_prefix(':') {
        Some(port) => vec![format!("[::]:{port}"), format!("0.0.0.0:{port}")],
        None => vec![place.to_owned()],
    };
    let mut last = None;
    for place in &places {
        match TcpListener::bind(place).await {
            Ok(listener) => {
                let address = listener.local_addr().with_context(|| format!("cannot listen at {place}"))?;
                return Ok((listener, address));
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(|| anyhow!("no address"), anyhow::Error::from))
        .with_context(|| format!("cannot listen at {place}"))
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    shared: Arc<Shared>,
    connections: Arc<connections::Connections>,
    workers: workers::Workers,
) {
    loop {
        let Some(stream) = next(&listener, &shared).await else { continue };
        // It is a worker's to be told of what arrives.
        let Ok(stream) = stream.into_std() else { continue };
        let connection = connections.admit(&shared.metrics);
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        workers.give(async move {
            let Ok(stream) = TcpStream::from_std(stream) else { return };
            let handshake = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream));
            let stream = tokio::select! {
                done = handshake => match done {
                    Ok(Ok(stream)) => stream,
                    Ok(Err(_)) => return shared.metrics.handshake_failed("refused"),
                    Err(_) => return shared.metrics.handshake_failed("timeout"),
                },
                () = connection.told_to_end() => return shared.metrics.handshake_failed("evicted"),
            };
            let client = tls::is_known_client(&stream, &shared);
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                connection.speaks_http2();
            }
            http::serve(stream, client, shared, connection).await;
        });
    }
}

async fn accept_plain(listener: TcpListener, shared: Arc<Shared>) {
    // Whoever reads metrics comes once in a while; a few connections are enough.
    let connections = connections::Connections::new(32);
    loop {
        let Some(stream) = next(&listener, &shared).await else { continue };
        let connection = connections.admit(&shared.metrics);
        tokio::spawn(http::serve_metrics(stream, Arc::clone(&shared), connection));
    }
}

/// The next connection; `None` where there was an error that may pass, such as too many open files.
async fn next(listener: &TcpListener, shared: &Shared) -> Option<TcpStream> {
    match listener.accept().await {
        Ok((stream, _)) => {
            // Answers are small, and waited for.
            let _ = stream.set_nodelay(true);
            Some(stream)
        }
        Err(error) => {
            shared.log.rarely(
                "accept",
                "warn",
                "cannot accept a connection",
                || serde_json::json!({"error": error.to_string()}),
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}
