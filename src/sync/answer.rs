//! What an answer of an API server means for what is done next.
//!
//! Answers are told apart by status, reason and causes. Text is looked at only where a server says nothing else: that a
//! webhook could not be called, and that a kind is still being set up.

use core::time::Duration;

use serde_json::Value;

/// What came back of a request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status; 0 where there was no answer.
    pub status: u16,
    /// The object, a list or a Status; of no answer, nothing.
    pub body: Value,
    /// What `Retry-After` says.
    pub retry_after: Option<Duration>,
    /// Why there was no answer.
    pub lost: Option<String>,
}

/// A field that somebody else applied or set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// The field, as the API server writes it: `.spec.replicas`.
    pub field: String,
    /// Who has it.
    pub manager: String,
    /// The subresource through which he set it; empty for none.
    pub subresource: String,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// It was done.
    Done,
    /// Too many requests, of everybody or of this kind alone: later.
    Later { everybody: bool, after: Duration },
    /// Others have fields of what was applied.
    Conflicts(Vec<Conflict>),
    /// A quota was being counted: at once again, after a moment.
    Busy,
    /// It changed since it was read.
    Stale,
    /// Its Namespace is being deleted.
    Terminating,
    /// It is not allowed by a quota.
    OverQuota(String),
    /// We may not.
    Forbidden(String),
    /// It is not there; or its kind is not, or its Namespace.
    Missing(String),
    /// The API server refuses the content.
    Invalid(String),
    /// What is asked cannot be tried without being done.
    NoDryRun(String),
    /// A webhook did not answer, or could not be asked.
    Webhook(String),
    /// A webhook or a policy denies it.
    Denied(String),
    /// We are nobody, or no longer who we were.
    Unauthorized,
    /// A list is to be begun anew.
    Expired,
    /// It may have been done, or not.
    Unknown(String),
    /// Anything else that says no.
    Refused(String),
}

/// How long to wait where a server that is busy does not say.
const MOMENT: Duration = Duration::from_secs(1);

impl Answer {
    /// What it means.
    pub fn meaning(&self) -> Meaning {
        let message = || self.message();
        match self.status {
            0 => Meaning::Unknown(self.lost.clone().unwrap_or_default()),
            200..=299 => Meaning::Done,
            400 if message().contains("dry run") || message().contains("dryRun") => Meaning::NoDryRun(message()),
            401 => Meaning::Unauthorized,
            403 => self.forbidden(),
            404 => Meaning::Missing(message()),
            409 => self.conflict(),
            410 => Meaning::Expired,
            422 => Meaning::Invalid(message()),
            429 => {
                let everybody = !message().contains("storage is (re)initializing");
                Meaning::Later { everybody, after: self.retry_after.unwrap_or(MOMENT) }
            }
            500 if is_about_webhooks(&message()) => Meaning::Webhook(message()),
            500..=599 => Meaning::Unknown(message()),
            _ => Meaning::Refused(message()),
        }
    }

    /// What a Status says.
    pub fn message(&self) -> String {
        let text = self.body["message"].as_str().or(self.body.as_str()).map(str::to_owned);
        text.unwrap_or_else(|| format!("HTTP status {}", self.status))
    }

    /// The same, or why there is no answer.
    pub fn message_or_loss(&self) -> String {
        self.lost.clone().unwrap_or_else(|| self.message())
    }

    fn causes(&self) -> impl Iterator<Item = &Value> {
        self.body["details"]["causes"].as_array().into_iter().flatten()
    }

    fn has_cause(&self, reason: &str) -> bool {
        self.causes().any(|cause| cause["reason"] == reason)
    }

    fn forbidden(&self) -> Meaning {
        let message = self.message();
        if self.has_cause("NamespaceTerminating") {
            Meaning::Terminating
        } else if message.contains("exceeded quota") {
            Meaning::OverQuota(message)
        } else if message.contains("admission webhook") || message.contains("ValidatingAdmissionPolicy") {
            Meaning::Denied(message)
        } else {
            Meaning::Forbidden(message)
        }
    }

    fn conflict(&self) -> Meaning {
        if self.has_cause("FieldManagerConflict") {
            return Meaning::Conflicts(self.causes().filter_map(Conflict::of).collect());
        }
        // What is being counted is no object of ours.
        if self.body["details"]["kind"] == "resourcequotas" && self.message().contains("cannot be fulfilled") {
            return Meaning::Busy;
        }
        Meaning::Stale
    }
}

/// `failed calling webhook` and `conversion webhook for … failed` stand in no cause.
fn is_about_webhooks(message: &str) -> bool {
    message.contains("failed calling webhook") || message.contains("conversion webhook for")
}

impl Conflict {
    /// Reads a cause: `conflict with "kubectl-edit" with subresource "scale" using apps/v1 at …`.
    fn of(cause: &Value) -> Option<Conflict> {
        let message = cause["message"].as_str()?;
        let mut quoted = message.split('"').skip(1).step_by(2);
        let manager = quoted.next()?.to_owned();
        let subresource =
            if message.contains("with subresource") { quoted.next().unwrap_or_default() } else { "" }.to_owned();
        Some(Conflict { field: cause["field"].as_str().unwrap_or_default().to_owned(), manager, subresource })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn meaning(status: u16, body: Value) -> Meaning {
        Answer { status, body, retry_after: None, lost: None }.meaning()
    }

    fn status(reason: &str, message: &str, causes: Value) -> Value {
        json!({"kind": "Status", "reason": reason, "message": message, "details": {"causes": causes}})
    }

    #[test]
    fn each_row_has_its_meaning() {
        assert_eq!(meaning(201, json!({})), Meaning::Done);
        assert_eq!(meaning(429, json!({})), Meaning::Later { everybody: true, after: MOMENT });
        let one = "storage is (re)initializing";
        assert_eq!(meaning(429, json!({"message": one})), Meaning::Later { everybody: false, after: MOMENT });
        let causes = json!([
            {"reason": "FieldManagerConflict", "field": ".spec.replicas",
             "message": "conflict with \"hpa\" with subresource \"scale\" using apps/v1"},
            {"reason": "FieldManagerConflict", "field": ".spec.paused", "message": "conflict with \"a b\" using apps/v1"},
        ]);
        let conflict = |field: &str, manager: &str, subresource: &str| Conflict {
            field: field.to_owned(),
            manager: manager.to_owned(),
            subresource: subresource.to_owned(),
        };
        let expected = vec![conflict(".spec.replicas", "hpa", "scale"), conflict(".spec.paused", "a b", "")];
        assert_eq!(meaning(409, status("Conflict", "two conflicts", causes)), Meaning::Conflicts(expected));
        let busy = json!({"reason": "Conflict", "details": {"kind": "resourcequotas"},
            "message": "Operation cannot be fulfilled on resourcequotas \"q\": the object has been modified"});
        assert_eq!(meaning(409, busy), Meaning::Busy);
        assert_eq!(meaning(409, status("Conflict", "Precondition failed: UID", json!([]))), Meaning::Stale);
        let terminating = json!([{"reason": "NamespaceTerminating", "field": "metadata.namespace"}]);
        assert_eq!(meaning(403, status("Forbidden", "because", terminating)), Meaning::Terminating);
        let quota = "pods \"a\" is forbidden: exceeded quota: q";
        assert_eq!(meaning(403, status("Forbidden", quota, json!([]))), Meaning::OverQuota(quota.to_owned()));
        assert_eq!(meaning(403, status("Forbidden", "no", json!([]))), Meaning::Forbidden("no".to_owned()));
        let denied = "admission webhook \"x\" denied the request: no";
        assert_eq!(meaning(403, status("Forbidden", denied, json!([]))), Meaning::Denied(denied.to_owned()));
        let webhook = "Internal error occurred: failed calling webhook \"x\": refused";
        assert_eq!(meaning(500, json!({"message": webhook})), Meaning::Webhook(webhook.to_owned()));
        assert_eq!(meaning(504, json!({"message": "timeout"})), Meaning::Unknown("timeout".to_owned()));
        assert_eq!(meaning(401, json!({})), Meaning::Unauthorized);
        assert_eq!(meaning(410, json!({})), Meaning::Expired);
        assert_eq!(meaning(413, json!("too large")), Meaning::Refused("too large".to_owned()));
    }
}
