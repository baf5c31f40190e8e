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

/// What is known of a folder: which state of it was taken over, and why another one was not.
struct Seen {
    what: &'static str,
    version: String,
    failed: Option<String>,
}

impl Seen {
    /// Looks at the folder, whose state is `version` now, and takes it over with `load` where it is another one. What could
    /// not be used is tried again each time: a certificate may begin to hold, and a shortage of files pass.
    fn look(&mut self, version: String, shared: &Shared, load: impl FnOnce() -> Result<serde_json::Value, String>) {
        let is_new = version != self.version;
        if !is_new && self.failed.is_none() {
            return;
        }
        match load() {
            Ok(about) => {
                shared.metrics.reloaded(self.what);
                shared.log.say("info", &format!("took over new {}", self.what), about);
                self.failed = None;
            }
            Err(why) => {
                if is_new || self.failed.as_ref() != Some(&why) {
                    shared.metrics.reload_failed(self.what);
                    let more = json!({"what": self.what, "error": why});
                    shared.log.say("error", "kept what was there before: the new files cannot be used", more);
                }
                self.failed = Some(why);
            }
        }
        self.version = version;
    }
}

/// The files of a view.
fn view_files() -> Vec<String> {
    std::iter::once(TIERS.to_owned()).chain((0..SHARDS).map(shard_file)).collect()
}

/// What tells one state of the folder of a view from another.
pub fn view_version(folder: &Path) -> String {
    let files = view_files();
    tls::version(folder, &files.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Takes over what changes, until the server drains. `view` is the state of the tenants' folder before it was read.
pub fn watch(settings: &Settings, shared: &Arc<Shared>, view: String) {
    let is_renewed = tls::is_renewed(&settings.certs);
    shared.metrics.renewed(is_renewed);
    if !is_renewed {
        let about = "the certificate's folder is no mounted volume, or its files are mounted by subPath: it may never be renewed";
        shared.log.say("warn", about, json!({"folder": settings.certs.display().to_string()}));
    }
    let version = shared.pair.load().version.clone();
    let mut certificate = Seen { what: "certificate", version, failed: None };
    let mut tenants = Seen { what: "tenants", version: view, failed: None };
    loop {
        shared.metrics.certificate(&shared.pair.load());
        shared.metrics.namespaces(shared.view.load().namespaces());
        std::thread::sleep(OFTEN);
        if shared.draining.load(Ordering::Relaxed) {
            return;
        }
        // The state is looked at before the files are read: what changes in between is looked at again.
        certificate.look(tls::version(&settings.certs, &FILES), shared, || {
            let pair = tls::load(&settings.certs, &settings.namespace)?;
            let about = json!({"certificate": pair.sha256, "until": crate::certs::due::written(pair.not_after)});
            shared.pair.store(Arc::new(pair));
            Ok(about)
        });
        tenants.look(view_version(&settings.tenants), shared, || {
            let view = self::view(&settings.tenants)?;
            let about = json!({"namespaces": view.namespaces()});
            shared.view.store(Arc::new(view));
            Ok(about)
        });
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

/// Whether the API server would take the certificate at this moment.
pub fn is_served_now(shared: &Shared) -> bool {
    let (pair, now) = (shared.pair.load(), OffsetDateTime::now_utc());
    (pair.not_before..=pair.not_after).contains(&now)
}
