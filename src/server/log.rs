//! The log: a JSON object a line. What requests bring in is shortened; bodies, keys and certificates are never logged.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::certs::due::written;
use crate::diagnostic::shortened;

/// Where lines go.
pub struct Log {
    lines: SyncSender<String>,
    /// Whether only problems are written.
    problems_only: bool,
    waiting: Arc<AtomicUsize>,
    last: Mutex<BTreeMap<&'static str, (Instant, u64)>>,
}

/// How many lines may wait to be written.
const WAITING: usize = 1024;

/// How far apart lines of one kind are that anybody in the network could cause.
const RARELY: Duration = Duration::from_secs(1);

/// The longest text that a line repeats, in characters.
const LONGEST: usize = 300;

impl Log {
    /// A log that writes to `out`, on a thread of its own: whoever does not read it keeps nobody from an answer.
    pub fn new(mut out: Box<dyn Write + Send>, problems_only: bool) -> Log {
        let (lines, written) = sync_channel::<String>(WAITING);
        let waiting: Arc<AtomicUsize> = Arc::default();
        let left = Arc::clone(&waiting);
        std::thread::spawn(move || {
            for line in written {
                // Nobody is left to tell that telling failed.
                let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
                left.fetch_sub(1, Ordering::Release);
            }
        });
        Log { lines, problems_only, waiting, last: Mutex::default() }
    }

    /// Waits until all lines are written, if somebody reads them.
    pub fn settle(&self) {
        for _ in 0..100 {
            if self.waiting.load(Ordering::Acquire) == 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Writes a line.
    pub fn say(&self, level: &str, message: &str, mut more: Value) {
        if self.problems_only && level == "info" {
            return;
        }
        let now = OffsetDateTime::now_utc();
        more["time"] = written(now.replace_nanosecond(now.nanosecond() / 1_000_000 * 1_000_000).unwrap_or(now)).into();
        more["level"] = level.into();
        more["message"] = message.into();
        for value in more.as_object_mut().into_iter().flat_map(|map| map.values_mut()) {
            if let Value::String(text) = value {
                *text = shortened(std::mem::take(text), LONGEST);
            }
        }
        // Where too many wait already, the line is lost.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        if self.lines.try_send(format!("{more}\n")).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Writes a line unless one of that kind was written a moment ago; then it is counted, and the next one says how many.
    pub fn rarely(&self, kind: &'static str, level: &str, message: &str, more: impl FnOnce() -> Value) {
        let now = Instant::now();
        let unsaid = {
            let mut last = self.last.lock().unwrap_or_else(|e| e.into_inner());
            match last.get_mut(kind) {
                Some((said, unsaid)) if now.duration_since(*said) < RARELY => {
                    *unsaid += 1;
                    return;
                }
                _ => last.insert(kind, (now, 0)).map_or(0, |(_, unsaid)| unsaid),
            }
        };
        let mut more = more();
        if unsaid > 0 {
            more["unsaid"] = json!(unsaid);
        }
        self.say(level, message, more);
    }
}
