//! `Connections`: how many there are, and who has to go. Nobody who only holds a connection keeps an API server out.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use super::metrics::Metrics;

/// How long a request's head may take from its first byte on.
const HEAD: Duration = Duration::from_secs(10);

/// How long a connection may be idle. Longer than the 90 seconds of Go's clients, or a request could meet a connection that is
/// just being closed.
const IDLE: Duration = Duration::from_secs(120);

/// All connections of a listener.
pub struct Connections {
    most: usize,
    start: Instant,
    all: Mutex<BTreeMap<u64, Arc<Activity>>>,
    next: AtomicU64,
    ended: Notify,
}

/// What a connection does at the moment.
struct Activity {
    /// Requests that are under way.
    busy: AtomicU32,
    /// Since when it is idle, or a head is being read: milliseconds since the start.
    since: AtomicU64,
    /// 1 while a head is being read.
    head: AtomicU32,
    /// Whether it speaks HTTP/2, in which not every byte belongs to a request.
    http2: AtomicBool,
    end: Notify,
}

/// A connection; gone from the list when it is dropped.
pub struct Connection {
    id: u64,
    activity: Arc<Activity>,
    all: Arc<Connections>,
    counted: Gauge,
}

impl Connections {
    /// None so far, and never more than `most`.
    pub fn new(most: usize) -> Arc<Connections> {
        Arc::new(Connections {
            most: most.max(1),
            start: Instant::now(),
            all: Mutex::default(),
            next: AtomicU64::new(0),
            ended: Notify::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Activity>>> {
        self.all.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Takes a connection in; the one that did nothing for the longest time makes room for it.
    pub fn admit(self: &Arc<Self>, metrics: &Metrics) -> Connection {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let activity = Arc::new(Activity {
            busy: AtomicU32::new(0),
            since: AtomicU64::new(self.now()),
            head: AtomicU32::new(0),
            http2: AtomicBool::new(false),
            end: Notify::new(),
        });
        let mut all = self.lock();
        if all.len() >= self.most {
            let idle = all.iter().filter(|(_, a)| a.busy.load(Ordering::Relaxed) == 0);
            let longest = idle.min_by_key(|(_, a)| a.since.load(Ordering::Relaxed)).map(|(id, _)| *id);
            // Where all are busy, the oldest one is: a request takes a few seconds at most.
            if let Some(gone) = longest.or_else(|| all.keys().next().copied()).and_then(|id| all.remove(&id)) {
                gone.end.notify_one();
                metrics.evicted();
            }
        }
        all.insert(id, Arc::clone(&activity));
        drop(all);
        Connection { id, activity, all: Arc::clone(self), counted: metrics.connected() }
    }

    /// Ends all on which no request is under way.
    pub fn close_idle(&self) {
        for activity in self.lock().values().filter(|a| a.busy.load(Ordering::Relaxed) == 0) {
            activity.end.notify_one();
        }
    }

    /// Returns once there is none.
    pub async fn ended(&self) {
        loop {
            let ended = self.ended.notified();
            if self.lock().is_empty() {
                return;
            }
            ended.await;
        }
    }
}

impl Connection {
    /// Returns when this connection has to make room for another.
    pub async fn told_to_end(&self) {
        self.activity.end.notified().await;
    }

    /// Returns when this connection is to be closed: it made room, was idle for too long, or its client is too slow.
    pub async fn over(&self) {
        let mut often = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                () = self.told_to_end() => return,
                _ = often.tick() => {}
            }
            let since =
                Duration::from_millis(self.all.now().saturating_sub(self.activity.since.load(Ordering::Relaxed)));
            let is_head = self.activity.head.load(Ordering::Relaxed) == 1 && !self.is_http2();
            let patience = if is_head { HEAD } else { IDLE };
            if self.activity.busy.load(Ordering::Relaxed) == 0 && since > patience {
                return;
            }
        }
    }

    /// Says that it speaks HTTP/2.
    pub fn speaks_http2(&self) {
        self.activity.http2.store(true, Ordering::Relaxed);
    }

    /// Whether it speaks HTTP/2.
    pub fn is_http2(&self) -> bool {
        self.activity.http2.load(Ordering::Relaxed)
    }

    /// Marks a request as under way until the value is dropped.
    pub fn busy(&self) -> Busy {
        self.activity.busy.fetch_add(1, Ordering::Relaxed);
        Busy { activity: Arc::clone(&self.activity), all: Arc::clone(&self.all) }
    }

    /// A stream that notices when the head of a request begins.
    pub fn watched<S>(&self, stream: S) -> Watched<S> {
        Watched { stream, activity: Arc::clone(&self.activity), all: Arc::clone(&self.all) }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.all.lock().remove(&self.id);
        self.all.ended.notify_waiters();
        self.counted.dec();
    }
}

/// A request that is under way.
pub struct Busy {
    activity: Arc<Activity>,
    all: Arc<Connections>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.activity.head.store(0, Ordering::Relaxed);
        self.activity.since.store(self.all.now(), Ordering::Relaxed);
        self.activity.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream whose reads are noticed.
pub struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    all: Arc<Connections>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        let activity = &self.activity;
        if buf.filled().len() > before
            && activity.busy.load(Ordering::Relaxed) == 0
            && activity.head.swap(1, Ordering::Relaxed) == 0
        {
            activity.since.store(self.all.now(), Ordering::Relaxed);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
