//! T2: each request answered by each row of the table of errors: once, twice, for ever. What can be carried on is, and
//! nobody's trouble is another tenant's.

use k8s_mtp::engine::{Outcome, State, Unit};
use serde_json::json;

use crate::installation::{Git, clean, inventory, ours, pass_of, picture, settings, two};
use crate::order::Order;
use crate::server::{Answer, Asked, Failure, Fault, Server};

/// A row: what the server says instead of doing it.
struct Row {
    name: &'static str,
    failure: Failure,
    /// Whether it is done all the same.
    done: bool,
}

fn status(code: u16, reason: &str, message: &str, causes: serde_json::Value) -> Failure {
    Answer::refusal(code, reason, message, json!({"causes": causes})).into()
}

fn rows() -> Vec<Row> {
    let no = json!([]);
    let row = |name, failure| Row { name, failure, done: false };
    let quota = Answer::refusal(
        409,
        "Conflict",
        "Operation cannot be fulfilled on resourcequotas \"q\": the object has been modified",
        json!({"kind": "resourcequotas"}),
    );
    vec![
        row("429", status(429, "TooManyRequests", "too many requests", no.clone())),
        row("409 quota", quota.into()),
        row("409 stale", status(409, "Conflict", "the object has been modified", no.clone())),
        row("403 right", status(403, "Forbidden", "things is forbidden: User \"x\" cannot do it", no.clone())),
        row("403 quota", status(403, "Forbidden", "exceeded quota: q", no.clone())),
        row("403 terminating", status(403, "Forbidden", "it ends", json!([{"reason": "NamespaceTerminating"}]))),
        row("422", status(422, "Invalid", "is invalid", no.clone())),
        row("400 dry-run", status(400, "BadRequest", "does not support dry run", no.clone())),
        row("500 webhook", status(500, "InternalError", "failed calling webhook \"w\": refused", no.clone())),
        row("500", status(500, "InternalError", "etcdserver: leader changed", no.clone())),
        Row { name: "500, done", failure: status(500, "InternalError", "no answer", no.clone()), done: true },
        Row { name: "504, done", failure: status(504, "Timeout", "timed out", no.clone()), done: true },
        row("reset", Failure::Connection),
        Row { name: "reset, done", failure: Failure::Connection, done: true },
        row("401", status(401, "Unauthorized", "Unauthorized", no.clone())),
        row("413", status(413, "RequestEntityTooLarge", "too large", no)),
    ]
}

/// The server answers so the requests that `about` chooses, as often as `times` says.
fn answers(server: &Server, row: &Row, mut times: usize, about: impl Fn(&Asked) -> bool + Send + 'static) {
    let (failure, done) = (row.failure.clone(), row.done);
    server.on_request(move |_, asked| {
        if times == 0 || !about(asked) {
            return Fault::Proceed;
        }
        times -= 1;
        if done { Fault::FailAfter(failure.clone()) } else { Fault::FailBefore(failure.clone()) }
    });
}

fn state_of(outcome: &Outcome, name: &str) -> State {
    let unit = Unit::Tenant(name.into());
    outcome.units.iter().find(|outcome| outcome.unit == unit).expect("a tenant").state
}

/// Whatever one tenant's requests are answered, the other's are carried out, and once the server is well again all is.
#[tokio::test(start_paused = true)]
async fn one_tenant_s_trouble_is_not_another_s() {
    let fresh = two().fresh();
    let reference = Server::new();
    reference.follow_tokio();
    clean(pass_of(&reference, &fresh, &settings("one")).await);
    let expected = picture(&reference);
    for row in rows() {
        for times in [1, 2, usize::MAX] {
            let what = format!("{} {times} times", row.name);
            let server = Server::new();
            server.follow_tokio();
            answers(&server, &row, times, |asked| asked.method == "PATCH" && asked.path.contains("tenant-a-main"));
            let order = Order::of(&server);
            let passed = pass_of(&server, &fresh, &settings("one")).await;
            order.check(&server, &what);
            let outcome = passed.outcome.unwrap_or_else(|error| panic!("{what}: {error:#}"));
            assert_eq!(state_of(&outcome, "b"), State::Applied, "{what}");
            if times == usize::MAX && !row.done {
                assert_ne!(state_of(&outcome, "a"), State::Applied, "{what}");
            }
            server.without_faults();
            clean(pass_of(&server, &fresh, &settings("one")).await);
            order.check(&server, &what);
            assert_eq!(picture(&server), expected, "{what}");
            assert_eq!(inventory(&server), ours(&server), "{what}");
            assert_eq!(pass_of(&server, &fresh, &settings("one")).await.counts.writes, 0, "{what}");
        }
    }
}

/// Each single request, reads and the Lease too: a pass ends, and the next one repairs.
#[tokio::test(start_paused = true)]
async fn any_request_may_be_answered_in_any_way() {
    let before = two();
    let after: Git = before.tenant("b", "  tier: pro\n  operators: [bea@example.org]\n  viewers: [bob@example.org]\n");
    let (before, after) = (before.fresh(), after.fresh());
    let reference = Server::new();
    reference.follow_tokio();
    clean(pass_of(&reference, &before, &settings("one")).await);
    let first = reference.trace().len();
    clean(pass_of(&reference, &after, &settings("one")).await);
    let expected = picture(&reference);
    let requests = reference.trace().len() - first;
    for row in rows() {
        for at in super::crashes::all_or_some(requests) {
            let what = format!("{} at request {at}", row.name);
            let server = Server::new();
            server.follow_tokio();
            clean(pass_of(&server, &before, &settings("one")).await);
            let first = server.trace().len();
            let (failure, done) = (row.failure.clone(), row.done);
            server.on_request(move |index, _| match index - first == at {
                true if done => Fault::FailAfter(failure.clone()),
                true => Fault::FailBefore(failure.clone()),
                false => Fault::Proceed,
            });
            // Whether it fails or not: it says so, and leaves something that can be gone on with.
            let _ = pass_of(&server, &after, &settings("one")).await.outcome;
            server.without_faults();
            let second = pass_of(&server, &after, &settings("two")).await;
            let outcome = second.outcome.unwrap_or_else(|error| panic!("{what}: {error:#}"));
            assert!(outcome.is_clean(), "{what}: {}", crate::installation::told(&outcome));
            Order::of_all().check(&server, &what);
            assert_eq!(picture(&server), expected, "{what}");
            assert_eq!(inventory(&server), ours(&server), "{what}");
        }
    }
}
