//! `LimitRange`: what a container gets that states nothing, and how far one container, pod or claim may go.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem, LimitRangeSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Stored;

use super::{Build, InNamespace, Kind, Object};
use crate::plan::{LimitsPlan, Placed};

/// The row of [`super::KINDS`].
pub const KIND: Kind = Kind { group: "", version: "v1", kind: "LimitRange", build: Build::Namespace(build) };

/// `tenant-defaults`. One item a type: the API server refuses two.
///
/// Source: <https://kubernetes.io/docs/concepts/policy/limit-range/>
fn build(scope: &InNamespace<'_>) -> Vec<Object> {
    let tier = &scope.namespace.tier;
    let items = items(&tier.limits);
    if items.iter().all(|(_, bounds)| bounds.is_empty()) {
        return Vec::new();
    }
    let key = (KIND.kind, "tenant-defaults", Arc::as_ptr(tier).addr());
    let spec = scope.specs.part(key, "spec", || LimitRangeSpec { limits: items.iter().map(item).collect() });
    let mut object = Object::joined::<LimitRange>(scope, "tenant-defaults", spec);
    if scope.origins {
        for (index, (_, bounds)) in items.iter().enumerate() {
            for (field, values) in bounds {
                for (resource, (_, at)) in *values {
                    object = object.from(format!("/spec/limits/{index}/{field}/{resource}"), at.clone());
                }
            }
        }
    }
    vec![object]
}

/// A field of an item, and its values.
type Bound<'a> = (&'static str, &'a BTreeMap<&'static str, Placed>);

/// The types that something is stated for, each with what is.
fn items(plan: &LimitsPlan) -> Vec<(&'static str, Vec<Bound<'_>>)> {
    let container = [
        ("default", &plan.stored_default),
        ("defaultRequest", &plan.stored_default_request),
        ("max", &plan.max),
        ("maxLimitRequestRatio", &plan.ratio),
        ("min", &plan.min),
    ];
    let claim = [("max", &plan.claim_max), ("min", &plan.claim_min)];
    let all: [(&str, &[Bound<'_>]); 3] =
        [("Container", &container), ("Pod", &[("max", &plan.pod_max)]), ("PersistentVolumeClaim", &claim)];
    all.map(|(kind, bounds)| (kind, stated(bounds)))
        .into_iter()
        .filter(|(_, bounds): &(_, Vec<_>)| !bounds.is_empty())
        .collect()
}

fn stated<'a>(bounds: &[Bound<'a>]) -> Vec<Bound<'a>> {
    bounds.iter().filter(|(_, values)| !values.is_empty()).copied().collect()
}

fn item((kind, bounds): &(&'static str, Vec<Bound<'_>>)) -> LimitRangeItem {
    let mut item = LimitRangeItem { type_: (*kind).to_owned(), ..LimitRangeItem::default() };
    for (field, values) in bounds {
        let stored =
            values.iter().map(|(resource, (quantity, _))| ((*resource).to_owned(), Stored(quantity.to_string())));
        let stored = Some(stored.collect());
        match *field {
            "default" => item.default = stored,
            "defaultRequest" => item.default_request = stored,
            "max" => item.max = stored,
            "min" => item.min = stored,
            _ => item.max_limit_request_ratio = stored,
        }
    }
    item
}
