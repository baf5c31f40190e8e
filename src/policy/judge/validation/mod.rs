//! Core validation, as far as it is modelled: what no API server takes, whatever is admitted; a file a subject.
//!
//! Nothing is said here that the API server does not say: what is not modelled is taken, and the cluster may refuse it yet.
//! Messages are the API server's own. Source: Kubernetes' `pkg/apis/core/validation/validation.go`, and `validation.go` of
//! `pkg/apis/apps` and `pkg/apis/batch`.

pub mod amounts;
pub mod containers;
pub mod pods;
pub mod security;
pub mod services;
pub mod volumes;
pub mod workloads;

mod faults;

pub use faults::{Fault, Faults};

use serde_json::Value;

use super::case::Case;
use super::{Check, Layer, Objection, Whom, decoding};
use crate::policy::json::Json;
use crate::policy::pod::List;

/// The `spec` of a pod, or of the pods of a workload.
pub struct PodSpec<'a> {
    /// The spec.
    pub spec: &'a Json<'a>,
    /// The same, as it was read.
    pub raw: &'a Value,
    /// Volumes that come of a StatefulSet's claims.
    pub claims: Vec<&'a str>,
    /// Where it stands: `spec`, `spec.template.spec`.
    pub path: &'a str,
    /// Whether it is that of a pod, or the template of some.
    pub is_pod: bool,
}

/// An object.
pub struct Whole<'a> {
    /// All of it.
    pub value: &'a Json<'a>,
    /// Its kind.
    pub kind: &'a str,
}

/// A container, and where it stands.
pub struct Container<'a> {
    /// In which list.
    pub list: List,
    /// The container.
    pub value: &'a Json<'a>,
    /// `spec.containers[0]`
    pub path: String,
}

impl<'a> PodSpec<'a> {
    /// The containers of some lists.
    pub fn containers(&self, lists: &[List]) -> impl Iterator<Item = Container<'a>> {
        let (spec, path) = (self.spec, self.path);
        lists.iter().copied().flat_map(move |list| {
            let each = spec[list.field()].items().iter().enumerate();
            each.map(move |(index, value)| Container { list, value, path: format!("{path}.{}[{index}]", list.field()) })
        })
    }
}

/// All three lists, in the order in which they are validated.
pub const EVERY: &[List] = &[List::Main, List::Init, List::Ephemeral];

/// What Kubernetes does not take for an object of the kind.
pub fn ask(case: &Case<'_>) -> Vec<Objection> {
    // What is not read is not validated.
    let unread = decoding::ask(case);
    if unread.iter().any(|objection| objection.rule == decoding::WRONG_TYPE) {
        return unread;
    }
    let mut all = unread;
    let whole = Json::from(case.value);
    let whole = Whole { value: &whole, kind: case.kind };
    for rule in super::all() {
        if let Check::Object(kinds, check) = rule.check
            && (kinds.is_empty() || kinds.contains(&case.kind))
            && decoding::is_known(case.api_version, case.kind)
        {
            let mut faults = Faults::default();
            check(&whole, &mut faults);
            all.extend(faults.into_iter().map(|fault| objection(rule, fault, Whom::Object)));
        }
    }
    let Some(pod) = &case.pod else { return all };
    let path = pod.at("spec");
    let is_pod = pod.whom == Whom::Object;
    // A workload is validated as it was written, its pods, if it comes to that, with what is filled in; a pod with that alone.
    let written = case.template().map_or(&Value::Null, |(_, template)| &template["spec"]);
    if !is_pod {
        all.extend(of_pod(case, written, &path, false, Whom::Object));
    }
    if all.is_empty() || is_pod {
        all.extend(of_pod(case, &pod.value["spec"], &path, true, pod.whom));
    }
    all
}

fn of_pod(case: &Case<'_>, raw: &Value, path: &str, is_pod: bool, whom: Whom) -> Vec<Objection> {
    let spec = Json::from(raw);
    let spec = PodSpec { spec: &spec, raw, claims: claims(case.value), path, is_pod };
    let mut all = Vec::new();
    for rule in super::all() {
        if let Check::Pod(check) = rule.check {
            let mut faults = Faults::default();
            check(&spec, &mut faults);
            all.extend(faults.into_iter().map(|fault| objection(rule, fault, whom)));
        }
    }
    all
}

/// Names of a StatefulSet's claims: its pods have volumes of these names.
fn claims(object: &Value) -> Vec<&str> {
    let claims = object["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten();
    claims.filter_map(|claim| claim["metadata"]["name"].as_str()).collect()
}

fn objection(rule: &'static super::Rule, fault: Fault, whom: Whom) -> Objection {
    let Fault { path, text } = fault;
    let message = format!("{path}: {text}");
    Objection { layer: Layer::Validation, rule: rule.id, refuses: true, whom, path, message, fix: rule.fix.to_owned() }
}
