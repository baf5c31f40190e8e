//! `Service` of the webhook: the name that the API server calls.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{pod_labels, scope, selector};
use crate::certs::SERVICE;
use crate::objects::{Build, Kind, Object};
use crate::plan::Plan;

/// The row of [`crate::objects::KINDS`].
pub const KIND: Kind = Kind { group: "", version: "v1", kind: "Service", build: Build::Platform(build) };

/// The port of the Service, which the webhook configurations name.
pub const PORT: i32 = 443;

fn build(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    debug_assert!(selector().match_labels.iter().flatten().all(|label| pod_labels().iter().any(|l| l == label)));
    let port = ServicePort {
        name: Some("https".to_owned()),
        port: PORT,
        protocol: Some("TCP".to_owned()),
        target_port: Some(IntOrString::String("https".to_owned())),
        ..ServicePort::default()
    };
    let spec = ServiceSpec {
        ports: Some(vec![port]),
        selector: selector().match_labels,
        type_: Some("ClusterIP".to_owned()),
        ..ServiceSpec::default()
    };
    let service = Service { metadata: scope.metadata(SERVICE), spec: Some(spec), status: None };
    vec![Object::new(service, scope.webhook.at.clone())]
}
