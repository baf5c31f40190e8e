//! Exchanges with an API server, one for each rule: what is asked, and what of the answers is compared.
//!
//! Each runs against the simulated server and against a real one. `tests/simulated/recorded/` has what the real one answered.

mod apply;
mod custom;
mod kinds;
mod lifecycle;
mod others;
mod refusals;
mod simulated;
pub mod transcript;

use serde_json::Value;

/// A series of requests in a namespace of its own, `{ns}`.
pub struct Exchange {
    /// Its name, and that of its record.
    pub name: &'static str,
    /// Whether controllers write to its objects in a real cluster: then their status, generation and version are not compared.
    pub controlled: bool,
    /// The requests.
    pub steps: Vec<Step>,
}

/// A request.
pub struct Step {
    /// GET, POST, ...
    pub method: &'static str,
    /// Path and query, with `{ns}`, and `{uid}`, `{version}`, `{continue}` of the last answer that had them.
    pub path: String,
    /// The form of the body.
    pub content_type: &'static str,
    /// The body, with the same marks.
    pub body: Value,
    /// Whether it is repeated until it has this status.
    pub until: Option<u16>,
}

/// All exchanges.
pub fn all() -> Vec<Exchange> {
    [apply::all(), others::all(), kinds::all(), custom::all(), lifecycle::all(), refusals::all()]
        .into_iter()
        .flatten()
        .collect()
}

fn exchange(name: &'static str, steps: Vec<Step>) -> Exchange {
    Exchange { name, controlled: false, steps }
}

fn controlled(name: &'static str, steps: Vec<Step>) -> Exchange {
    Exchange { controlled: true, ..exchange(name, steps) }
}

/// The path of an object, or of a collection: `configmaps/a`.
fn at(what: &str) -> String {
    let plural = what.split(['/', '?']).next().unwrap_or_default();
    let (api, inside) = match plural {
        "namespaces" => ("api/v1", false),
        "validatingwebhookconfigurations"
        | "mutatingwebhookconfigurations"
        | "validatingadmissionpolicies"
        | "validatingadmissionpolicybindings" => ("apis/admissionregistration.k8s.io/v1", false),
        "customresourcedefinitions" => ("apis/apiextensions.k8s.io/v1", false),
        "clusterroles" | "clusterrolebindings" => ("apis/rbac.authorization.k8s.io/v1", false),
        "roles" | "rolebindings" => ("apis/rbac.authorization.k8s.io/v1", true),
        "deployments" => ("apis/apps/v1", true),
        "jobs" => ("apis/batch/v1", true),
        "leases" => ("apis/coordination.k8s.io/v1", true),
        "networkpolicies" => ("apis/networking.k8s.io/v1", true),
        "poddisruptionbudgets" => ("apis/policy/v1", true),
        "widgets" => ("apis/{ns}.example.com/v1", true),
        _ => ("api/v1", true),
    };
    format!("/{api}{}/{what}", if inside { "/namespaces/{ns}" } else { "" })
}

fn step(method: &'static str, path: String, content_type: &'static str, body: Value) -> Step {
    Step { method, path, content_type, body, until: None }
}

fn get(what: &str) -> Step {
    step("GET", at(what), "application/json", Value::Null)
}

fn get_until(what: &str, status: u16) -> Step {
    Step { until: Some(status), ..get(what) }
}

fn post(manager: &str, what: &str, body: Value) -> Step {
    step("POST", format!("{}?fieldManager={manager}", at(what)), "application/json", body)
}

fn put(manager: &str, what: &str, body: Value) -> Step {
    step("PUT", format!("{}?fieldManager={manager}", at(what)), "application/json", body)
}

fn apply(manager: &str, what: &str, body: Value) -> Step {
    step("PATCH", format!("{}?fieldManager={manager}", at(what)), "application/apply-patch+yaml", body)
}

fn force(manager: &str, what: &str, body: Value) -> Step {
    step("PATCH", format!("{}?fieldManager={manager}&force=true", at(what)), "application/apply-patch+yaml", body)
}

fn merge(manager: &str, what: &str, body: Value) -> Step {
    step("PATCH", format!("{}?fieldManager={manager}", at(what)), "application/merge-patch+json", body)
}

fn json_patch(manager: &str, what: &str, body: Value) -> Step {
    step("PATCH", format!("{}?fieldManager={manager}", at(what)), "application/json-patch+json", body)
}

fn delete(what: &str, options: Value) -> Step {
    step("DELETE", at(what), "application/json", options)
}

fn dry(step: Step) -> Step {
    let mark = if step.path.contains('?') { '&' } else { '?' };
    Step { path: format!("{}{mark}dryRun=All", step.path), ..step }
}
