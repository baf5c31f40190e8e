//! What is due: the one place that holds dates against a time, which somebody else says.

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::lock::{Lock, Phase};
use super::x509::Certificate;

/// How long before the end a warning is given.
pub const WARN: Duration = Duration::days(90);

/// How long before the end `mtp render --check --at` fails.
pub const FAIL: Duration = Duration::days(30);

/// How far a certificate is from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// Nothing is to be done.
    Later,
    /// A rotation is to begin.
    Soon,
    /// A rotation is late.
    Now,
    /// It has ended, or not begun.
    Over,
}

/// How far the end of `not_after` is at `at`.
pub fn due(not_before: OffsetDateTime, not_after: OffsetDateTime, at: OffsetDateTime) -> Due {
    match not_after - at {
        _ if at < not_before || at > not_after => Due::Over,
        left if left <= FAIL => Due::Now,
        left if left <= WARN => Due::Soon,
        _ => Due::Later,
    }
}

/// The end of what a lock relies on: of what is served, or of who is trusted for it, whichever is first. An authority that is
/// trusted besides may end without harm; where others keep the Secret, one of them is used, and the last to end counts.
pub fn of_lock(lock: &Lock, at: OffsetDateTime) -> Option<(Due, OffsetDateTime)> {
    let judged = |c: &Certificate| (due(c.not_before, c.not_after, at), c.not_after);
    let (Some(served), false) = (&lock.served, lock.phase == Phase::External) else {
        return lock.trusted.iter().map(judged).min_by_key(|(due, end)| (*due, std::cmp::Reverse(*end)));
    };
    let signers = lock.trusted.iter().filter(|authority| served.is_signed_by(authority));
    let all = std::iter::once(served).chain(signers).map(judged);
    all.max_by_key(|(due, end)| (*due, std::cmp::Reverse(*end)))
}

/// A time as RFC 3339 writes it: `2027-01-31T00:00:00Z`.
pub fn written(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_else(|_| at.unix_timestamp().to_string())
}

/// Reads a time as RFC 3339 writes it.
pub fn read(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| format!("expected a time such as 2027-01-31T00:00:00Z, found `{text}`"))
}
