//! What templates make has to fit the ceilings of its namespace, or the API server would refuse a part of it.

use std::collections::BTreeMap;

use super::Extra;
use crate::contract::tenant::State;
use crate::diagnostic::Findings;
use crate::plan::{NamespacePlan, PlatformPlan};
use crate::rules::quota;

/// Holds what is made for a namespace against each ceiling that counts it.
pub fn check(extras: &[Extra], namespace: &NamespacePlan, platform: &PlatformPlan, findings: &mut Findings) {
    let mut made: BTreeMap<String, Vec<&Extra>> = BTreeMap::new();
    for extra in extras {
        made.entry(resource(extra, platform)).or_default().push(extra);
    }
    for (key, (ceiling, at)) in namespace.hard.iter() {
        // Pods of a suspended namespace were there before; no new one is meant to fit.
        if key == "pods" && namespace.state != State::Active {
            continue;
        }
        let Some(made) = made.get(key.strip_prefix("count/").unwrap_or(key)) else { continue };
        let count = made.len() + quota::own(key, &namespace.tier);
        if ceiling.nanos() < i128::try_from(count).unwrap_or(i128::MAX).saturating_mul(1_000_000_000) {
            let about = format!("`{key}: {ceiling}` is below {count}, which the platform and its templates need");
            findings.error("T311", at.clone(), about).related(made[0].at.clone(), "made here").hint("raise it");
        }
    }
}

/// A kind as a ResourceQuota counts it: `configmaps`, `deployments.apps`.
fn resource(extra: &Extra, platform: &PlatformPlan) -> String {
    let (group, kind) = (&*extra.id.group, &*extra.id.kind);
    let listed = &platform.doc.content.spec.templates.kinds;
    let custom =
        listed.iter().find(|k| k.group.value == group && k.kind.value == kind).map(|k| k.resource.value.clone());
    let plural = custom.unwrap_or_else(|| {
        let singular = kind.to_ascii_lowercase();
        // Of the kinds that templates make, Ingress alone ends otherwise.
        if singular.ends_with('s') { format!("{singular}es") } else { format!("{singular}s") }
    });
    if group.is_empty() { plural } else { format!("{plural}.{group}") }
}
