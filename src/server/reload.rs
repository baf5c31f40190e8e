//! Files that change under the server: looked at once a second, taken over whole, or the old ones kept.
//!
//! Looking is preferred to being told: a watch on a file survives one rotation of the kubelet, and two calls a second cost
//! nothing.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use time::OffsetDateTime;

use super::tls::{self, FILES, snapshot};
use super::{Settings, Shared};
use crate::webhook::View;
use crate::webhook::view::{SHARDS, TIERS, shard_file};

/// How often files are looked at.
const OFTEN: Duration = Duration::from_secs(1);

/// Reads the view of a folder.
pub fn view(folder: &Path) -> Result<View, String> {
    let now = snapshot(folder);
    View::read(|name| {
        let path = now.join(name);
        fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    })
}

/// Takes over what changes, until the server drains.
pub fn watch(settings: &Settings, shared: &Arc<Shared>) {
    let shards: Vec<String> = (0..SHARDS).map(shard_file).collect();
    let view_files: Vec<&str> = std::iter::once(TIERS).chain(shards.iter().map(String::as_str)).collect();
    let is_renewed = tls::is_renewed(&settings.certs);
    shared.metrics.renewed(is_renewed);
    if !is_renewed {
        let about = "the certificate's folder is no mounted volume, or its files are mounted by subPath: it may never be renewed";
        shared.log.say("warn", about, json!({"folder": settings.certs.display().to_string()}));
    }
    let mut seen_pair = shared.pair.load().version.clone();
    let mut seen_view = tls::version(&settings.tenants, &view_files);
    loop {
        shared.metrics.certificate(&shared.pair.load());
        shared.metrics.namespaces(shared.view.load().len());
        std::thread::sleep(OFTEN);
        if shared.draining.load(Ordering::Relaxed) {
            return;
        }
        let version = tls::version(&settings.certs, &FILES);
        if version != seen_pair {
            seen_pair = version;
            match tls::load(&settings.certs, &settings.namespace) {
                Ok(pair) => {
                    // Files may have changed again between the look and the read; what was read counts.
                    seen_pair.clone_from(&pair.version);
                    let more = json!({"certificate": pair.sha256, "until": crate::certs::due::written(pair.not_after)});
                    shared.pair.store(Arc::new(pair));
                    shared.metrics.reloaded("certificate");
                    shared.log.say("info", "took over a new certificate", more);
                }
                Err(why) => failed(shared, "certificate", &why),
            }
        }
        let version = tls::version(&settings.tenants, &view_files);
        if version != seen_view {
            seen_view = version;
            match view(&settings.tenants) {
                Ok(view) => {
                    let more = json!({"namespaces": view.len()});
                    shared.view.store(Arc::new(view));
                    shared.metrics.reloaded("tenants");
                    shared.log.say("info", "took over new tenants", more);
                }
                Err(why) => failed(shared, "tenants", &why),
            }
        }
        if !is_served_now(shared) {
            shared.log.rarely(
                "over",
                "error",
                "the certificate does not hold now",
                || json!({"certificate": shared.pair.load().sha256}),
            );
        }
    }
}

fn failed(shared: &Shared, what: &'static str, why: &str) {
    shared.metrics.reload_failed(what);
    shared.log.say(
        "error",
        "kept what was there before: the new files cannot be used",
        json!({"what": what, "error": why}),
    );
}

/// Whether the API server would take the certificate at this moment.
pub fn is_served_now(shared: &Shared) -> bool {
    let (pair, now) = (shared.pair.load(), OffsetDateTime::now_utc());
    (pair.not_before..=pair.not_after).contains(&now)
}
