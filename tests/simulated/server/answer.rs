//! What the server answers: objects, and refusals in the words of a real one.

use serde_json::{Value, json};

use super::kinds::Kind;
use super::managers::{Conflict, conflict_message};

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body: an object, or text as it is.
    pub body: Value,
    /// The body as bytes, where it is long.
    pub bytes: Option<Vec<u8>>,
    /// `Retry-After` in seconds.
    pub retry_after: Option<u64>,
}

/// One reason why an object is not valid.
#[derive(Debug, Clone)]
pub struct Cause {
    reason: &'static str,
    message: String,
    field: String,
}

impl Answer {
    /// A success.
    pub fn ok(body: Value) -> Answer {
        Answer::with(200, body)
    }

    /// Something was created.
    pub fn created(body: Value) -> Answer {
        Answer::with(201, body)
    }

    fn with(status: u16, body: Value) -> Answer {
        Answer { status, body, bytes: None, retry_after: None }
    }

    /// What a path that the server does not have gets.
    pub fn no_page() -> Answer {
        Answer::with(404, json!("404 page not found\n"))
    }

    /// A refusal.
    pub fn refusal(status: u16, reason: &str, message: &str, details: Value) -> Answer {
        let mut body = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "code": status,
        });
        if !reason.is_empty() {
            body["reason"] = json!(reason);
        }
        if !details.is_null() {
            body["details"] = details;
        }
        Answer::with(status, body)
    }

    /// A refusal that says when to come back.
    pub fn too_many(message: &str, seconds: u64) -> Answer {
        let details = json!({"retryAfterSeconds": seconds});
        let answer = Answer::refusal(429, "TooManyRequests", message, details);
        Answer { retry_after: Some(seconds), ..answer }
    }

    /// The object is not there.
    pub fn not_found(kind: &Kind, name: &str) -> Answer {
        let message = format!("{} {name:?} not found", kind.resource());
        Answer::refusal(404, "NotFound", &message, details(kind, name))
    }

    /// The object is there already.
    pub fn exists(kind: &Kind, name: &str) -> Answer {
        let message = format!("{} {name:?} already exists", kind.resource());
        Answer::refusal(409, "AlreadyExists", &message, details(kind, name))
    }

    /// The object is not as the request thinks.
    pub fn conflict(kind: &Kind, name: &str, why: &str) -> Answer {
        let message = format!("Operation cannot be fulfilled on {} {name:?}: {why}", kind.resource());
        Answer::refusal(409, "Conflict", &message, details(kind, name))
    }

    /// The object changed since it was read.
    pub fn modified(kind: &Kind, name: &str) -> Answer {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Answer::conflict(kind, name, why)
    }

    /// A precondition of a DELETE does not hold. The real server names the kind where others name the resource.
    pub fn precondition(kind: &Kind, name: &str, why: &str) -> Answer {
        let mut details = details(kind, name);
        details["kind"] = json!(kind.kind);
        let group = if kind.group.is_empty() { String::new() } else { format!(".{}", kind.group) };
        let message = format!("Operation cannot be fulfilled on {}{group} {name:?}: {why}", kind.kind);
        Answer::refusal(409, "Conflict", &message, details)
    }

    /// A group that the server has does not have this resource.
    pub fn no_resource(details: Value) -> Answer {
        Answer::refusal(404, "NotFound", "the server could not find the requested resource", details)
    }

    /// Others own fields that are applied.
    pub fn conflicts(conflicts: &[Conflict]) -> Answer {
        let causes: Vec<Value> = conflicts
            .iter()
            .map(|conflict| {
                let message = format!("conflict with {}", conflict.manager.shown());
                json!({"reason": "FieldManagerConflict", "message": message, "field": conflict.path})
            })
            .collect();
        Answer::refusal(409, "Conflict", &conflict_message(conflicts), json!({"causes": causes}))
    }

    /// A PUT does not say which version it replaces. The real server names the resource where others name the kind.
    pub fn no_version(kind: &Kind, name: &str) -> Answer {
        let message = "Invalid value: 0: must be specified for an update";
        let cause = json!({"reason": "FieldValueInvalid", "message": message, "field": "metadata.resourceVersion"});
        let mut details = details(kind, name);
        details["causes"] = json!([cause]);
        let message = format!("{} {name:?} is invalid: metadata.resourceVersion: {message}", kind.resource());
        Answer::refusal(422, "Invalid", &message, details)
    }

    /// The request cannot be read.
    pub fn bad_request(message: &str) -> Answer {
        Answer::refusal(400, "BadRequest", message, Value::Null)
    }

    /// The object is not valid.
    pub fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Answer {
        let group = if kind.group.is_empty() { String::new() } else { format!(".{}", kind.group) };
        let all: Vec<String> = causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect();
        let all = if let [one] = &all[..] { one.clone() } else { format!("[{}]", all.join(", ")) };
        let mut details = details(kind, name);
        details["kind"] = json!(kind.kind);
        details["causes"] =
            causes.iter().map(|c| json!({"reason": c.reason, "message": c.message, "field": c.field})).collect();
        let message = format!("{}{group} {name:?} is invalid: {all}", kind.kind);
        Answer::refusal(422, "Invalid", &message, details)
    }

    /// It is not allowed.
    pub fn forbidden(kind: &Kind, name: &str, why: &str, causes: Value) -> Answer {
        let name_text = if name.is_empty() { String::new() } else { format!(" {name:?}") };
        let message = format!("{}{name_text} is forbidden: {why}", kind.resource());
        let mut details = details(kind, name);
        if !causes.is_null() {
            details["causes"] = causes;
        }
        Answer::refusal(403, "Forbidden", &message, details)
    }

    /// Something in the server does not work.
    pub fn internal(why: &str) -> Answer {
        let message = format!("Internal error occurred: {why}");
        Answer::refusal(500, "InternalError", &message, json!({"causes": [{"message": why}]}))
    }

    /// What was asked for is too old.
    pub fn expired(message: &str) -> Answer {
        Answer::refusal(410, "Expired", message, Value::Null)
    }

    /// It took too long; nobody knows what was done.
    pub fn timeout() -> Answer {
        let message = "Timeout: request did not complete within the allotted timeout";
        Answer::refusal(504, "Timeout", message, json!({}))
    }

    /// Somebody else was counting with that quota at the same moment.
    pub fn quota_conflict(quota: &str) -> Answer {
        let message = format!(
            "Operation cannot be fulfilled on resourcequotas {quota:?}: the object has been modified; please apply your \
             changes to the latest version and try again"
        );
        Answer::refusal(409, "Conflict", &message, json!({"name": quota, "kind": "resourcequotas"}))
    }

    /// The server cannot serve now.
    pub fn unavailable() -> Answer {
        let message = "the server is currently unable to handle the request";
        Answer::refusal(503, "ServiceUnavailable", message, json!({}))
    }

    /// The server does not know who asks.
    pub fn unauthorized() -> Answer {
        Answer::refusal(401, "Unauthorized", "Unauthorized", Value::Null)
    }

    /// Whether it is a success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Cause {
    /// A value that must not be.
    pub fn invalid(field: &str, value: &Value, why: &str) -> Cause {
        let message = format!("Invalid value: {value}: {why}");
        Cause { reason: "FieldValueInvalid", message, field: field.to_owned() }
    }

    /// A field that must not change.
    pub fn forbidden(field: &str, why: &str) -> Cause {
        Cause { reason: "FieldValueForbidden", message: format!("Forbidden: {why}"), field: field.to_owned() }
    }

    /// A field that has to be said.
    pub fn required(field: &str, why: &str) -> Cause {
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        Cause { reason: "FieldValueRequired", message: format!("Required value{why}"), field: field.to_owned() }
    }
}

/// What a Status says of the object that it speaks of.
pub fn details(kind: &Kind, name: &str) -> Value {
    let mut details = json!({"kind": kind.plural});
    if !name.is_empty() {
        details["name"] = json!(name);
    }
    if !kind.group.is_empty() {
        details["group"] = json!(kind.group);
    }
    details
}
