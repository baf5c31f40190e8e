//! The LimitRange: bounds of each container, of a pod's sum, and of claims, once defaults are filled in.
//!
//! Source: `PodValidateLimitFunc` of Kubernetes' `plugin/pkg/admission/limitranger/admission.go`

use serde_json::Value;

use super::amounts::{Amounts, amounts, of_pod};
use super::case::{Case, PodCase};
use super::guardrails::Bounds;
use super::{Check::Layer as ByLayer, Layer, Objection, Rule, Whom};
use crate::quantity::Quantity;

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "A201",
        title: "more than the LimitRange allows",
        why: "A tier bounds how large a single container, pod or claim may be, so that one does not take all.",
        fix: "Lower the limit or the request; the bound is `limitRange` of the tenant's tier.",
        check: ByLayer,
        refused: &[],
    },
    Rule {
        id: "A202",
        title: "less than the LimitRange asks for",
        why: "A tier bounds how small a request may be: what asks for nothing is scheduled anywhere.",
        fix: "Raise the request; the bound is `limitRange` of the tenant's tier.",
        check: ByLayer,
        refused: &[],
    },
    Rule {
        id: "A203",
        title: "a limit too far above its request",
        why: "What is promised to many at a time is there for few: a tier bounds how many times its request a limit may be.",
        fix: "Raise the request, or lower the limit; the bound is `limitRange` of the tenant's tier.",
        check: ByLayer,
        refused: &[],
    },
];

/// What the LimitRange has against an object.
pub fn ask(case: &Case<'_>) -> Vec<Objection> {
    let Some(around) = case.around else { return Vec::new() };
    let mut found = Found::default();
    for bounds in &around.limits.bounds {
        match (bounds.of.as_str(), &case.pod) {
            ("Container", Some(pod)) => containers(bounds, pod, &mut found),
            ("Pod", Some(pod)) => {
                let spec = &pod.value["spec"];
                let stated = Stated { requests: of_pod(spec, "requests"), limits: of_pod(spec, "limits") };
                let path = pod.at("spec");
                found.judge(bounds, &stated, &path, pod.whom);
            }
            ("PersistentVolumeClaim", None) if (case.api_version, case.kind) == ("v1", "PersistentVolumeClaim") => {
                claim(bounds, &case.value["spec"], "spec", Whom::Object, &mut found);
            }
            ("PersistentVolumeClaim", Some(_)) => {
                // A StatefulSet's claims are made as its pods are.
                let claims = case.value["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten();
                for (index, of) in claims.enumerate() {
                    let path = format!("spec.volumeClaimTemplates[{index}].spec");
                    claim(bounds, &of["spec"], &path, Whom::Claims, &mut found);
                }
            }
            _ => {}
        }
    }
    found.0
}

fn containers(bounds: &Bounds, pod: &PodCase, found: &mut Found) {
    let base = pod.at("spec");
    for list in ["containers", "initContainers"] {
        for (index, container) in pod.value["spec"][list].as_array().into_iter().flatten().enumerate() {
            let resources = &container["resources"];
            let stated = Stated { requests: amounts(&resources["requests"]), limits: amounts(&resources["limits"]) };
            found.judge(bounds, &stated, &format!("{base}.{list}[{index}]"), pod.whom);
        }
    }
}

/// Of a claim, the request counts alone.
fn claim(bounds: &Bounds, spec: &Value, path: &str, whom: Whom, found: &mut Found) {
    let requests = amounts(&spec["resources"]["requests"]);
    let path = format!("{path}.resources.requests");
    for (resource, most) in &bounds.max {
        let head = format!("maximum {resource} usage per {} is {most}", bounds.of);
        match requests.get(resource) {
            None => found.add("A201", whom, &path, format!("{head}.  No request is specified")),
            Some(own) if own > most => found.add("A201", whom, &path, format!("{head}, but request is {own}")),
            Some(_) => {}
        }
    }
    found.minimum(bounds, &Stated { requests, limits: Amounts::new() }, &path, whom);
}

/// What something asks for.
struct Stated {
    requests: Amounts,
    limits: Amounts,
}

#[derive(Default)]
struct Found(Vec<Objection>);

impl Found {
    fn add(&mut self, rule: &'static str, whom: Whom, path: &str, message: String) {
        let fix = super::find(rule).map_or("", |rule| rule.fix).to_owned();
        self.0.push(Objection {
            layer: Layer::LimitRange,
            rule,
            refuses: true,
            whom,
            path: path.to_owned(),
            message,
            fix,
        });
    }

    fn judge(&mut self, bounds: &Bounds, stated: &Stated, path: &str, whom: Whom) {
        self.minimum(bounds, stated, path, whom);
        for (resource, most) in &bounds.max {
            let head = format!("maximum {resource} usage per {} is {most}", bounds.of);
            let (request, limit) = (stated.requests.get(resource), stated.limits.get(resource));
            match (request, limit) {
                (_, None) => self.add("A201", whom, path, format!("{head}.  No limit is specified")),
                (_, Some(limit)) if limit > most => {
                    self.add("A201", whom, path, format!("{head}, but limit is {limit}"));
                }
                (Some(request), _) if request > most => {
                    self.add("A201", whom, path, format!("{head}, but request is {request}"));
                }
                _ => {}
            }
        }
        for (resource, most) in &bounds.ratio {
            let (request, limit) = (stated.requests.get(resource), stated.limits.get(resource));
            let head = format!("{resource} max limit to request ratio per {} is {most}", bounds.of);
            match (request.filter(|r| !r.is_zero()), limit.filter(|l| !l.is_zero())) {
                (None, _) => {
                    self.add("A203", whom, path, format!("{head}, but no request is specified or request is 0"));
                }
                (_, None) => self.add("A203", whom, path, format!("{head}, but no limit is specified or limit is 0")),
                (Some(request), Some(limit)) if exceeds(request, limit, most) => {
                    let ratio = ratio(request, limit);
                    self.add("A203", whom, path, format!("{head}, but provided ratio is {ratio:.6}"));
                }
                _ => {}
            }
        }
    }

    fn minimum(&mut self, bounds: &Bounds, stated: &Stated, path: &str, whom: Whom) {
        for (resource, least) in &bounds.min {
            let head = format!("minimum {resource} usage per {} is {least}", bounds.of);
            match (stated.requests.get(resource), stated.limits.get(resource)) {
                (None, _) => self.add("A202", whom, path, format!("{head}.  No request is specified")),
                (Some(request), _) if request < least => {
                    self.add("A202", whom, path, format!("{head}, but request is {request}"));
                }
                (_, Some(limit)) if limit < least => {
                    self.add("A202", whom, path, format!("{head}, but limit is {limit}"))
                }
                _ => {}
            }
        }
    }
}

/// limit / request > most, without a division.
fn exceeds(request: &Quantity, limit: &Quantity, most: &Quantity) -> bool {
    // In thousandths, as the API server compares: two factors of 64 bits are no overflow of 128.
    let milli = |quantity: &Quantity| quantity.nanos().div_euclid(1_000_000);
    milli(limit).saturating_mul(1000) > milli(most).saturating_mul(milli(request))
}

#[allow(clippy::cast_precision_loss, reason = "shown, not compared")]
fn ratio(request: &Quantity, limit: &Quantity) -> f64 {
    limit.nanos() as f64 / request.nanos() as f64
}
