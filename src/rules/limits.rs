//! Checks of a tier's limits: that they do not contradict each other, and that they fill in what its quota asks for.

use std::collections::BTreeMap;

use super::quota::typed;
use crate::diagnostic::Findings;
use crate::plan::{Placed, Plan, TierPlan};

pub fn contradictions(_: &Plan, tier: &TierPlan, findings: &mut Findings) {
    let limits = &tier.limits;
    type Side<'a> = (&'static str, &'a BTreeMap<&'static str, Placed>);
    let orders: [(Side<'_>, Side<'_>); 7] = [
        (("container.default", &limits.default), ("container.max", &limits.max)),
        (("container.defaultRequest", &limits.default_request), ("container.default", &limits.default)),
        (("container.defaultRequest", &limits.default_request), ("container.max", &limits.max)),
        (("container.min", &limits.min), ("container.defaultRequest", &limits.default_request)),
        (("container.min", &limits.min), ("container.max", &limits.max)),
        (("container.max", &limits.max), ("pod.max", &limits.pod_max)),
        (("persistentVolumeClaim.min", &limits.claim_min), ("persistentVolumeClaim.max", &limits.claim_max)),
    ];
    for ((low, lower), (high, upper)) in orders {
        for (resource, (a, at)) in lower {
            let Some((b, place)) = upper.get(resource).filter(|(b, _)| a > b) else { continue };
            findings
                .error("T307", at.clone(), format!("{low} `{resource}: {a}` is above {high} `{resource}: {b}`"))
                .related(place.clone(), high)
                .hint("keep min ≤ defaultRequest ≤ default ≤ max ≤ the pod's max");
        }
    }
    for (key, (max, at)) in &tier.max {
        if let Some((ceiling, place)) = tier.hard.get(key).filter(|(ceiling, _)| ceiling > max) {
            let name = typed(key);
            findings
                .error("T307", at.clone(), format!("quotaMax `{name}: {max}` is below the quota `{name}: {ceiling}`"))
                .related(place.clone(), "the quota")
                .hint("quotaMax is how far a tenant may raise it");
        }
    }
    // A minimum without a default request: the request is then the default limit.
    for (resource, (min, at)) in limits.min.iter().filter(|(r, _)| !limits.default_request.contains_key(*r)) {
        if let Some((default, place)) = limits.default.get(resource).filter(|(default, _)| min > default) {
            findings
                .error("T307", at.clone(), format!("container.min `{resource}: {min}` is above its default {default}"))
                .related(place.clone(), "container.default");
        }
    }
    for (resource, (ratio, at)) in &limits.ratio {
        if ratio.nanos() < 1_000_000_000 {
            let about = format!("container.maxLimitRequestRatio `{resource}: {ratio}` is below 1");
            findings.error("T307", at.clone(), about).hint("a limit is never below its request");
            continue;
        }
        let bounds = [
            ("max/min", &limits.max, &limits.min),
            ("default/defaultRequest", &limits.default, &limits.default_request),
        ];
        for (what, upper, lower) in bounds {
            let (Some((upper, _)), Some((lower, _))) = (upper.get(resource), lower.get(resource)) else { continue };
            let above = if what == "max/min" {
                // The API server refuses a ratio that no container can reach.
                ratio.nanos().saturating_mul(lower.nanos()) > upper.nanos().saturating_mul(1_000_000_000)
            } else {
                ratio.nanos().saturating_mul(lower.nanos()) < upper.nanos().saturating_mul(1_000_000_000)
            };
            if above {
                let word = if what == "max/min" { "above" } else { "below" };
                let about =
                    format!("container.maxLimitRequestRatio `{resource}: {ratio}` is {word} {what}, {upper}/{lower}");
                findings.error("T307", at.clone(), about).hint("no container could have it");
            }
        }
    }
}

pub fn defaults(_: &Plan, tier: &TierPlan, findings: &mut Findings) {
    for resource in ["cpu", "memory", "ephemeral-storage"] {
        let Some((_, at)) = tier.hard.get(&format!("limits.{resource}")) else { continue };
        if !tier.limits.default.contains_key(resource) && !tier.limits.max.contains_key(resource) {
            let about = format!("with a quota on `{resource}`, a container that states none is refused");
            findings.warning("T310", at.clone(), about).hint("add it to `limitRange.container.default`");
        }
    }
}
