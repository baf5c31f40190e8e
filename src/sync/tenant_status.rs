//! `.status` of a Tenant: what `kubectl get tenants` shows of a pass.

use serde_json::{Value, json};

use super::outcome::{State, UnitOutcome};

/// Three things that are true of a tenant or not, and of which commit. `None` where `live` says all of it already:
/// an idle pass writes nothing.
///
/// `now` is RFC 3339. A time of a condition is that of its last change.
pub fn status(
    outcome: &UnitOutcome,
    installation: &str,
    commit: &str,
    ready: Result<(), String>,
    live: &Value,
    now: &str,
) -> Option<Value> {
    let problems = || {
        let all: Vec<String> = outcome
            .problems
            .iter()
            .map(|problem| match &problem.id {
                Some(id) => format!("{id}: {}", problem.message),
                None => problem.message.clone(),
            })
            .collect();
        clipped(&all.join("; "))
    };
    let applied = match outcome.state {
        State::Applied => (true, "Applied", format!("all objects are as in {commit}")),
        State::Paused => (false, "Paused", "somebody paused it; only what takes rights away is done".to_owned()),
        State::Held => (false, "Held", problems()),
        State::Degraded => (false, "Failed", problems()),
    };
    let ready = match (outcome.state, ready) {
        (State::Applied, Ok(())) => (true, "Ready", "everything that was applied works".to_owned()),
        (State::Applied, Err(why)) => (false, "Waiting", clipped(&why)),
        _ => (false, "NotApplied", "not all of it is applied".to_owned()),
    };
    let is_ready = ready.0;
    let rendered = (true, "Rendered", format!("rendered from {commit}"));
    let conditions: Vec<Value> = [("Applied", applied), ("Ready", ready), ("Rendered", rendered)]
        .into_iter()
        .map(|(kind, (holds, reason, message))| {
            let status = if holds { "True" } else { "False" };
            let before = live["conditions"].as_array().into_iter().flatten().find(|c| c["type"] == kind);
            let since = before.filter(|c| c["status"] == status).and_then(|c| c["lastTransitionTime"].as_str());
            json!({
                "type": kind, "status": status, "reason": reason, "message": message,
                "lastTransitionTime": since.unwrap_or(now),
            })
        })
        .collect();
    // A commit that changes nothing of a tenant is none that he hears of: a fleet has thousands of them.
    let same = outcome.done.is_empty()
        && live["installation"] == installation
        && ["Applied", "Ready"].iter().all(|kind| {
            let before = live["conditions"].as_array().into_iter().flatten().find(|c| c["type"] == *kind);
            before.is_some_and(|c| c["status"] == "True")
        });
    if same && outcome.state == State::Applied && is_ready {
        return None;
    }
    let wanted = json!({"installation": installation, "observedCommit": commit, "conditions": conditions});
    let said = |status: &Value| {
        let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
        let mut all: Vec<[Value; 4]> =
            conditions.iter().map(|c| ["type", "status", "reason", "message"].map(|field| c[field].clone())).collect();
        all.sort_by_key(|condition| condition[0].to_string());
        (status["installation"].clone(), status["observedCommit"].clone(), all)
    };
    (said(&wanted) != said(live)).then_some(wanted)
}

/// A condition holds so much text.
fn clipped(text: &str) -> String {
    const LONGEST: usize = 4096;
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let mut end = LONGEST;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}
