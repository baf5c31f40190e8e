//! The way to an API server: one request at a time under a limit that the server's answers move.
//!
//! kube brings connections, certificates and who we are. What is done about an answer is decided here: its own retries
//! are off, because a request that may have been carried out must not be sent again blindly, and because a server that
//! asks for patience asks it of all requests at once.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use http::Request;
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use kube::client::Body;
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::ask::Ask;
use crate::sync::answer::{Answer, Meaning};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many requests there may be at a time, at first and at most.
const FIRST: usize = 4;
const MOST: usize = 16;

/// How often a request is sent that gets no answer.
const TRIES: u32 = 5;

/// How many requests were sent, for people and for tests of what a pass costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pages of lists.
    pub lists: usize,
    /// Single objects and discovery.
    pub gets: usize,
    /// Everything that may change something.
    pub writes: usize,
}

/// Why nothing is written any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The Lease could not be kept.
    LeaseLost,
    /// There is a newer revision, or the process is told to end.
    Superseded,
}

/// The way to an API server.
pub struct Gateway {
    client: kube::Client,
    /// Places for requests, given to those who wait in the order in which they came.
    places: Semaphore,
    limit: Cell<usize>,
    /// How many places are to go as soon as they are given back.
    owed: Cell<usize>,
    since_change: Cell<usize>,
    pause: Cell<Option<Instant>>,
    /// Until when the Lease is certainly held; `None`: nothing is to be written without one.
    held_until: Cell<Option<Instant>>,
    stop: Cell<Option<Stop>>,
    /// Why the Lease is not renewed, while that is not known to have succeeded.
    trouble: RefCell<Option<String>>,
    counts: Cell<Counts>,
    jitter: RefCell<Jitter>,
}

/// Numbers that spread retries; nothing secret depends on them.
struct Jitter(u64);

impl Jitter {
    fn next(&mut self) -> u64 {
        // SplitMix64: <https://prng.di.unimi.it/splitmix64.c>
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Gateway {
    /// A way through `client`; `seed` spreads retries.
    pub fn new(client: kube::Client, seed: u64) -> Gateway {
        Gateway {
            client,
            places: Semaphore::new(FIRST),
            limit: Cell::new(FIRST),
            owed: Cell::new(0),
            since_change: Cell::new(0),
            pause: Cell::new(None),
            held_until: Cell::new(None),
            stop: Cell::new(None),
            trouble: RefCell::new(None),
            counts: Cell::default(),
            jitter: RefCell::new(Jitter(seed)),
        }
    }

    /// What was sent so far.
    pub fn counts(&self) -> Counts {
        self.counts.get()
    }

    /// Until when something may be written.
    pub fn hold(&self, until: Option<Instant>) {
        self.held_until.set(until);
    }

    /// Remembers what stands in the way of the Lease.
    pub fn trouble(&self, what: Option<String>) {
        *self.trouble.borrow_mut() = what;
    }

    /// What stood in the way of the Lease, in words that follow it.
    pub fn why_lost(&self) -> String {
        self.trouble.borrow().as_ref().map_or_else(String::new, |why| format!(" ({why})"))
    }

    /// Lets nothing more be written.
    pub fn stop(&self, why: Stop) {
        if self.stop.get().is_none() {
            self.stop.set(Some(why));
        }
    }

    /// Lets things be written again.
    pub fn go_on(&self) {
        self.stop.set(None);
    }

    /// Why nothing is written any more.
    pub fn stopped(&self) -> Option<Stop> {
        if let Some(until) = self.held_until.get()
            && Instant::now() >= until
        {
            self.stop(Stop::LeaseLost);
        }
        self.stop.get()
    }

    /// Begins a watch, which takes no place among the requests.
    pub async fn stream(&self, request: Request<Body>) -> Result<http::Response<Body>, kube::Error> {
        self.client.send(request).await
    }

    /// Reads: again and again while there is no answer, which changes nothing.
    pub async fn read(&self, ask: &Ask) -> Answer {
        debug_assert!(ask.is_read());
        let mut tries = 0;
        loop {
            let answer = match self.send(ask).await {
                Ok(answer) => answer,
                Err(_) => return lost("told to stop".to_owned()),
            };
            tries += 1;
            match answer.meaning() {
                Meaning::Later { after, .. } if tries < 2 * TRIES => self.later(&answer, after).await,
                Meaning::Unknown(_) if tries < TRIES => self.moment(tries).await,
                Meaning::Unauthorized if tries < 2 => self.moment(tries).await,
                _ => return answer,
            }
        }
    }

    /// Asks what would come of a write; like a read, it changes nothing.
    pub async fn read_trial(&self, ask: &Ask) -> Answer {
        debug_assert!(ask.is_harmless());
        match self.write(ask).await {
            Ok(answer) => answer,
            Err(_) => lost("told to stop".to_owned()),
        }
    }

    /// Writes, unless told to stop; again where the server said that it did nothing yet.
    pub async fn write(&self, ask: &Ask) -> Result<Answer, Stop> {
        let mut tries = 0;
        loop {
            let answer = self.send(ask).await?;
            tries += 1;
            match answer.meaning() {
                Meaning::Later { after, .. } if tries < 2 * TRIES => self.later(&answer, after).await,
                Meaning::Busy if tries < 2 * TRIES => self.moment(1).await,
                Meaning::Unauthorized if tries < 2 => self.moment(tries).await,
                _ => return Ok(answer),
            }
        }
    }

    async fn later(&self, answer: &Answer, after: Duration) {
        if let Meaning::Later { everybody: true, .. } = answer.meaning() {
            let until = Instant::now() + after;
            self.pause.set(Some(self.pause.get().map_or(until, |other| other.max(until))));
        }
        sleep(after + self.spread(Duration::from_millis(200))).await;
    }

    /// Waits a while that doubles with each try.
    pub async fn moment(&self, tries: u32) {
        let longest = Duration::from_millis(250) * 2_u32.saturating_pow(tries.min(6));
        sleep(longest / 2 + self.spread(longest / 2)).await;
    }

    fn spread(&self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX).max(1);
        Duration::from_millis(self.jitter.borrow_mut().next() % most)
    }

    async fn send(&self, ask: &Ask) -> Result<Answer, Stop> {
        let _place = if ask.ahead { None } else { Some(self.place().await) };
        // As late as can be: the Lease may have been lost meanwhile.
        // What is under way still ends, and under the Lease.
        let goes_on = |why: Stop| ask.is_harmless() || ask.ahead && why == Stop::Superseded;
        if let Some(why) = self.stopped().filter(|why| !goes_on(*why)) {
            return Err(why);
        }
        let mut counts = self.counts.get();
        match (ask.is_read(), ask.path.contains("limit=")) {
            (true, true) => counts.lists += 1,
            (true, false) => counts.gets += 1,
            _ => counts.writes += 1,
        }
        self.counts.set(counts);
        let answer = match timeout(PATIENCE, self.exchange(ask)).await {
            Ok(answer) => answer,
            Err(_) => lost(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        self.adapt(&answer);
        Ok(answer)
    }

    /// Waits for a place among the requests, and for the end of a pause that the server asked for.
    async fn place(&self) -> Place<'_> {
        let place = Place { gateway: self, permit: self.places.acquire().await.ok() };
        while let Some(until) = self.pause.get() {
            if Instant::now() >= until {
                self.pause.set(None);
            } else {
                sleep_until(until).await;
            }
        }
        place
    }

    async fn exchange(&self, ask: &Ask) -> Answer {
        let request = Request::builder()
            .method(ask.method.clone())
            .uri(&ask.path)
            .header(ACCEPT, ask.accept)
            .header(CONTENT_TYPE, ask.content_type)
            .body(Body::from(ask.body.clone()));
        let request = match request {
            Ok(request) => request,
            Err(error) => return lost(error.to_string()),
        };
        let response = match self.client.send(request).await {
            Ok(response) => response,
            Err(error) => return lost(told(&error)),
        };
        let status = response.status().as_u16();
        let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let bytes = match response.into_body().collect_bytes().await {
            Ok(bytes) => bytes,
            Err(error) => return lost(told(&error)),
        };
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).chars().take(500).collect()));
        Answer { status, body, retry_after: after.map(Duration::from_secs), lost: None }
    }

    /// A place more for each round of answers that were well, half as many where the server has too much to do.
    fn adapt(&self, answer: &Answer) {
        let limit = self.limit.get();
        match answer.meaning() {
            Meaning::Later { everybody: true, .. } => {
                let fewer = limit - (limit / 2).max(1);
                self.limit.set(limit - fewer);
                self.owed.set(self.owed.get() + fewer - self.places.forget_permits(fewer));
                self.since_change.set(0);
            }
            Meaning::Unknown(_) => {}
            _ => {
                let well = self.since_change.get() + 1;
                if well >= limit && limit < MOST {
                    self.limit.set(limit + 1);
                    self.since_change.set(0);
                    match self.owed.get().checked_sub(1) {
                        Some(owed) => self.owed.set(owed),
                        None => self.places.add_permits(1),
                    }
                } else {
                    self.since_change.set(well);
                }
            }
        }
    }
}

fn lost(why: String) -> Answer {
    Answer { status: 0, body: Value::Null, retry_after: None, lost: Some(why) }
}

/// An error with what caused it, which kube keeps to itself.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

/// One of the places that requests take; given back whatever happens to the request.
struct Place<'g> {
    gateway: &'g Gateway,
    permit: Option<SemaphorePermit<'g>>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(owed) = self.gateway.owed.get().checked_sub(1)
            && let Some(permit) = self.permit.take()
        {
            self.gateway.owed.set(owed);
            permit.forget();
        }
    }
}
