//! `LimitRange`: what a container gets that states nothing, and how far one container, pod or claim may go.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem, LimitRangeSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Stored;

use super::{Build, InNamespace, Kind, Object, meta};
use crate::plan::Placed;

/// The row of [`super::KINDS`].
pub const KIND: Kind = Kind { group: "", version: "v1", kind: "LimitRange", build: Build::Namespace(build) };

/// `tenant-defaults`. One item a type: the API server refuses two.
///
/// Source: <https://kubernetes.io/docs/concepts/policy/limit-range/>
fn build(scope: &InNamespace<'_>) -> Vec<Object> {
    let plan = &scope.namespace.tier.limits;
    let mut origins = Vec::new();
    let mut limits = Vec::new();
    let container = [
        ("default", &plan.default),
        ("defaultRequest", &plan.default_request),
        ("max", &plan.max),
        ("maxLimitRequestRatio", &plan.ratio),
        ("min", &plan.min),
    ];
    limits.extend(item("Container", &container, limits.len(), &mut origins));
    limits.extend(item("Pod", &[("max", &plan.pod_max)], limits.len(), &mut origins));
    let claim = [("max", &plan.claim_max), ("min", &plan.claim_min)];
    limits.extend(item("PersistentVolumeClaim", &claim, limits.len(), &mut origins));
    if limits.is_empty() {
        return Vec::new();
    }
    let metadata = meta::in_namespace(scope, "tenant-defaults");
    let range = LimitRange { metadata, spec: Some(LimitRangeSpec { limits }) };
    let mut object = Object::new(range, scope.tenant.doc.at(scope.namespace.span));
    object.origins = origins;
    vec![object]
}

type Bounds<'a> = (&'static str, &'a BTreeMap<&'static str, Placed>);

/// The bounds of one type; none where nothing is stated.
fn item(
    type_: &str,
    bounds: &[Bounds<'_>],
    index: usize,
    origins: &mut Vec<(String, crate::place::Place)>,
) -> Option<LimitRangeItem> {
    if bounds.iter().all(|(_, values)| values.is_empty()) {
        return None;
    }
    let mut item = LimitRangeItem { type_: type_.to_owned(), ..LimitRangeItem::default() };
    for (field, values) in bounds {
        for (resource, (_, at)) in *values {
            origins.push((format!("/spec/limits/{index}/{field}/{resource}"), at.clone()));
        }
        let stored =
            values.iter().map(|(resource, (quantity, _))| ((*resource).to_owned(), Stored(quantity.to_string())));
        let stored: BTreeMap<String, Stored> = stored.collect();
        let stored = (!stored.is_empty()).then_some(stored);
        match *field {
            "default" => item.default = stored,
            "defaultRequest" => item.default_request = stored,
            "max" => item.max = stored,
            "min" => item.min = stored,
            _ => item.max_limit_request_ratio = stored,
        }
    }
    Some(item)
}
