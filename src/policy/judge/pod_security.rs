//! Pod Security: the level of the namespace, in the version that its label names.

use super::case::{Case, PodCase};
use super::{Layer, Objection};
use crate::policy::json::Json;
use crate::policy::pod_security::{self, Minor, Violation};

/// What Pod Security has against an object's pod. Of a workload, the API server warns when it is created; its pods are refused.
pub fn ask(case: &Case<'_>) -> Vec<Objection> {
    let (Some(pod), Some(around)) = (&case.pod, case.around) else { return Vec::new() };
    let Some((level, label)) = &around.pod_security else { return Vec::new() };
    // A server does not know what is newer than itself, and means itself by `latest`.
    let server = around.kubernetes.map_or(Minor::LATEST, Minor::new);
    let version = Minor::parse(label).unwrap_or(Minor::LATEST).min(server);
    let violations = pod_security::review(&Json::from(&pod.value), *level, version);
    let objection = |violation: &Violation| Objection {
        layer: Layer::PodSecurity,
        rule: violation.control.id,
        refuses: true,
        whom: pod.whom,
        path: path(pod, &violation.detail),
        message: format!(
            "violates PodSecurity \"{}:{label}\": {}",
            level.as_str(),
            pod_security::message(std::slice::from_ref(violation))
        ),
        fix: violation.control.fix.to_owned(),
    };
    violations.iter().map(objection).collect()
}

/// The first container that the words name, or else the pod.
fn path(pod: &PodCase, detail: &str) -> String {
    let base = pod.at("spec");
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        for (index, container) in pod.value["spec"][list].as_array().into_iter().flatten().enumerate() {
            if container["name"].as_str().is_some_and(|name| detail.contains(&format!("\"{name}\""))) {
                return format!("{base}.{list}[{index}].name");
            }
        }
    }
    base
}
