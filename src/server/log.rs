//! The log: a JSON object a line. What requests bring in is shortened; bodies, keys and certificates are never logged.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::certs::due::written;

/// Where lines go.
pub struct Log {
    out: Mutex<Box<dyn Write + Send>>,
    last: Mutex<BTreeMap<&'static str, (Instant, u64)>>,
}

/// How far apart lines of one kind are that anybody in the network could cause.
const RARELY: Duration = Duration::from_secs(1);

/// The longest text that a line repeats, in characters.
const LONGEST: usize = 300;

impl Log {
    /// A log that writes to `out`.
    pub fn new(out: Box<dyn Write + Send>) -> Log {
        Log { out: Mutex::new(out), last: Mutex::default() }
    }

    /// Writes a line.
    pub fn say(&self, level: &str, message: &str, mut more: Value) {
        let now = OffsetDateTime::now_utc();
        more["time"] = written(now.replace_nanosecond(now.nanosecond() / 1_000_000 * 1_000_000).unwrap_or(now)).into();
        more["level"] = level.into();
        more["message"] = message.into();
        for value in more.as_object_mut().into_iter().flat_map(|map| map.values_mut()) {
            if let Value::String(text) = value
                && let Some((end, _)) = text.char_indices().nth(LONGEST)
            {
                text.truncate(end);
                text.push('…');
            }
        }
        let line = format!("{more}\n");
        let mut out = self.out.lock().unwrap_or_else(|e| e.into_inner());
        // Nobody is left to tell that telling failed.
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
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
