//! What the server counts, in the text format of Prometheus.

use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::tls::Pair;
use crate::contract::admission::Mode;
use crate::policy::POLICIES;
use crate::webhook::Verdict;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Review {
    webhook: &'static str,
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Breach {
    policy: &'static str,
    mode: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct What {
    what: &'static str,
}

/// All of it. What each review counts is found without a lock.
pub struct Metrics {
    registry: Registry,
    reviews: [[Counter; 3]; 2],
    breaches: Vec<[Counter; 3]>,
    seconds: Histogram,
    refused: Family<Reason, Counter>,
    handshakes: Family<Reason, Counter>,
    reloads: Family<What, Counter>,
    reload_failures: Family<What, Counter>,
    panics: Counter,
    evicted: Counter,
    connections: Gauge,
    namespaces: Gauge,
    not_after: Gauge<i64, AtomicI64>,
    is_renewed: Gauge,
    resident: Gauge<u64, AtomicU64>,
}

/// The webhooks by their place in [`Metrics::reviews`].
const WEBHOOKS: [&str; 2] = ["validate", "mutate"];

const VERDICTS: [Verdict; 3] = [Verdict::Allowed, Verdict::Denied, Verdict::Patched];

const MODES: [Mode; 3] = [Mode::Audit, Mode::Warn, Mode::Deny];

impl Metrics {
    /// All at zero; each name is there from the beginning, so that a query never meets a gap.
    pub fn new() -> Metrics {
        let mut all = Registry::with_prefix("mtp_webhook");
        let reviews: Family<Review, Counter> = Family::default();
        all.register("reviews", "Answers to the API server by webhook and verdict", reviews.clone());
        let breaches: Family<Breach, Counter> = Family::default();
        all.register("breaches", "Pods that broke a policy, by policy and what it led to", breaches.clone());
        // From 10 microseconds to a sixth of a second; the API server waits for three.
        let seconds = Histogram::new((0..15).map(|power| 0.00001 * f64::from(1u32 << power)));
        all.register_with_unit(
            "review_duration",
            "Time to judge a review, without the network",
            Unit::Seconds,
            seconds.clone(),
        );
        let refused: Family<Reason, Counter> = Family::default();
        all.register("refused_requests", "Requests that were no reviews, by reason", refused.clone());
        let handshakes: Family<Reason, Counter> = Family::default();
        all.register("failed_handshakes", "TLS handshakes that did not end well, by reason", handshakes.clone());
        let reloads: Family<What, Counter> = Family::default();
        all.register("reloads", "Files that were taken over", reloads.clone());
        let reload_failures: Family<What, Counter> = Family::default();
        all.register(
            "reload_failures",
            "Files that could not be used; the ones before were kept",
            reload_failures.clone(),
        );
        let (panics, evicted) = (Counter::default(), Counter::default());
        all.register("panics", "Reviews that met a defect of this program, and were refused", panics.clone());
        all.register("evicted_connections", "Connections that made room for others", evicted.clone());
        let (connections, namespaces) = (Gauge::default(), Gauge::default());
        all.register("connections", "Open connections", connections.clone());
        all.register("namespaces", "Namespaces of tenants that are known", namespaces.clone());
        let not_after = Gauge::default();
        all.register("certificate_not_after_timestamp_seconds", "When the certificate ends", not_after.clone());
        let is_renewed = Gauge::default();
        all.register(
            "certificate_is_renewed",
            "Whether the certificate's folder is one that is renewed",
            is_renewed.clone(),
        );
        let resident = Gauge::default();
        all.register("resident_memory_bytes", "Memory of this process", resident.clone());
        for reason in ["refused", "timeout", "evicted"] {
            drop(handshakes.get_or_create(&Reason { reason }));
        }
        for reason in super::http::REASONS {
            drop(refused.get_or_create(&Reason { reason }));
        }
        for what in ["certificate", "tenants"] {
            drop(reloads.get_or_create(&What { what }));
            drop(reload_failures.get_or_create(&What { what }));
        }
        let review = |webhook| {
            VERDICTS.map(|verdict| reviews.get_or_create(&Review { webhook, verdict: verdict.as_str() }).clone())
        };
        let breach = |policy| MODES.map(|mode| breaches.get_or_create(&Breach { policy, mode: mode.as_str() }).clone());
        Metrics {
            reviews: WEBHOOKS.map(review),
            breaches: POLICIES.iter().map(|policy| breach(policy.id)).collect(),
            registry: all,
            seconds,
            refused,
            handshakes,
            reloads,
            reload_failures,
            panics,
            evicted,
            connections,
            namespaces,
            not_after,
            is_renewed,
            resident,
        }
    }

    /// Counts an answer.
    pub fn review(&self, mutates: bool, verdict: Verdict, breaches: &[(usize, Mode)], took: Duration) {
        self.seconds.observe(took.as_secs_f64());
        if let Some(place) = VERDICTS.iter().position(|v| *v == verdict) {
            self.reviews[usize::from(mutates)][place].inc();
        }
        for (policy, mode) in breaches {
            if let Some(place) = MODES.iter().position(|m| m == mode) {
                self.breaches[*policy][place].inc();
            }
        }
    }

    /// Counts a request that was no review.
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&Reason { reason }).inc();
    }

    /// Counts a handshake that did not end well.
    pub fn handshake_failed(&self, reason: &'static str) {
        self.handshakes.get_or_create(&Reason { reason }).inc();
    }

    /// Counts files that were taken over.
    pub fn reloaded(&self, what: &'static str) {
        self.reloads.get_or_create(&What { what }).inc();
    }

    /// Counts files that could not be used.
    pub fn reload_failed(&self, what: &'static str) {
        self.reload_failures.get_or_create(&What { what }).inc();
    }

    /// Counts a defect of this program.
    pub fn panicked(&self) {
        self.panics.inc();
    }

    /// Counts a connection that made room for another.
    pub fn evicted(&self) {
        self.evicted.inc();
    }

    /// Counts a connection that came, and gives what counts its end.
    pub fn connected(&self) -> Gauge {
        self.connections.inc();
        self.connections.clone()
    }

    /// How many namespaces are known.
    pub fn namespaces(&self, count: usize) {
        self.namespaces.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// The certificate that is served.
    pub fn certificate(&self, pair: &Pair) {
        self.not_after.set(pair.not_after.unix_timestamp());
    }

    /// Whether the folder is one that is renewed.
    pub fn renewed(&self, is: bool) {
        self.is_renewed.set(i64::from(is));
    }

    /// All of it as text.
    pub fn text(&self) -> String {
        self.resident.set(resident().unwrap_or_default());
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Memory of this process in bytes, where the system says.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
