//! What people are told of what did not go well.

use crate::rendered::ObjectId;
use crate::sync::answer::{Answer, Meaning};
use crate::sync::outcome::Problem;
use crate::sync::reason::Reason;

pub fn held(id: &ObjectId, reason: &Reason) -> Problem {
    let passing =
        matches!(reason, Reason::Deleting(_) | Reason::Unread(_) | Reason::NamespacesLeft | Reason::Rebuilding);
    Problem { id: Some(id.clone()), message: reason.to_string(), failed: false, passing }
}

pub fn failed(id: &ObjectId, message: String, passing: bool) -> Problem {
    Problem { id: Some(id.clone()), message, failed: true, passing }
}

pub fn refused(id: &ObjectId, answer: &Answer) -> Problem {
    let (message, passing) = told(answer);
    // A server repeats the values that it does not like.
    let hidden = id.is("", "Secret")
        && matches!(answer.meaning(), Meaning::Invalid(_) | Meaning::Refused(_) | Meaning::Denied(_));
    let message =
        if hidden { format!("the API server refuses its content (HTTP status {})", answer.status) } else { message };
    failed(id, message, passing)
}

/// What an answer that says no tells people, and whether it may say something else in a moment.
pub fn told(answer: &Answer) -> (String, bool) {
    match answer.meaning() {
        Meaning::Forbidden(why) => (format!("a right is missing: {why}"), false),
        Meaning::OverQuota(why) | Meaning::Invalid(why) | Meaning::Denied(why) => (why, false),
        Meaning::Terminating => ("its Namespace is being deleted".to_owned(), true),
        Meaning::Stale => (format!("it changed meanwhile: {}", answer.message()), true),
        Meaning::Unknown(why) => (format!("it is not known whether it was done: {why}"), true),
        Meaning::Webhook(why) => (why, true),
        Meaning::Missing(why) => (why, true),
        _ => (answer.message_or_loss(), false),
    }
}
