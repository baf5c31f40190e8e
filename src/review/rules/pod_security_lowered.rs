//! R301: a namespace admits pods that it refused.

use super::{Check, Rule, tenant_of};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;
use crate::review::{Change, Manifest, Pair, Side};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R301",
    name: "pod-security-lowered",
    title: "pod security lowered",
    class: Class::PodSecurity,
    severity: Severity::Error,
    why: "The level of Pod Security is what keeps a tenant's pods from the node, and so from all other tenants.",
    example: "`podSecurity.level: baseline` in a tier that had `restricted`.",
    approvable: true,
    check: Check::Pair(|pair, unit, change, found| compare(&RULE, pair, unit, change, found, true)),
};

/// The modes.
const MODES: [&str; 3] = ["enforce", "audit", "warn"];

const LABEL: &str = "pod-security.kubernetes.io/";

/// Tells of levels and versions that are lower than before, or higher.
pub fn compare(
    rule: &'static Rule,
    pair: &Pair,
    unit: &Unit<'_>,
    change: &Change<'_>,
    found: &mut Findings,
    lowered: bool,
) {
    if !pair.id.is_namespace() {
        return;
    }
    if lowered && unit.is_new() {
        return new(rule, pair, unit, change, found);
    }
    let (Some(before), Some(after)) = (pair.side(Side::Before), pair.side(Side::After)) else { return };
    let mut enforced = None;
    for mode in MODES {
        let (was, is) = (stated(before, mode), stated(after, mode));
        let tells = if lowered { is.rank() < was.rank() } else { is.rank() > was.rank() };
        let step = Some((was.rank(), is.rank()));
        // What audits and warns as it enforces is no news of its own.
        if !tells || step == enforced {
            continue;
        }
        if mode == "enforce" {
            enforced = step;
        }
        let verb = if lowered { "admits" } else { "refuses" };
        let message = match mode {
            "enforce" => format!("the namespace {verb} more pods: {} instead of {}", is.text(), was.text()),
            mode => format!("pod security {mode}s by {} instead of {}", is.text(), was.text()),
        };
        let pointer = format!("/metadata/labels/{}", crate::objects::step(&format!("{LABEL}{mode}")));
        let told = unit.tell_of(rule, message, pair, &pointer, change).sides(vec![was.text()], vec![is.text()]);
        found.add(if mode == "enforce" { told } else { told.severity(Severity::Notice) });
    }
}

/// A new namespace lowers nothing. Held against what is known: the lowest of its tenant's other ones, or, of nobody's tenant,
/// that it has a level at all.
fn new(rule: &'static Rule, pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    let Some(after) = &pair.after else { return };
    let is = stated(after, "enforce");
    let lowest = match (change.plans[0].zip(unit.tenant()), change.plans[1]) {
        (Some((before, name)), Some(_)) => {
            let levels =
                tenant_of(before, name).into_iter().flat_map(|t| &t.namespaces).map(|n| n.tier.pod_security.level);
            levels.min().map(|level| (level.as_str(), "the lowest of its tenant's was"))
        }
        (None, None) => Some(("baseline", "expected at least")),
        _ => None,
    };
    let Some((level, why)) = lowest else { return };
    if is.rank().0 < (Stated { level: Some(level), version: None }).rank().0 {
        let message = format!("a new namespace admits pods by {}; {why} {level}", is.text());
        let pointer = format!("/metadata/labels/{}", crate::objects::step(&format!("{LABEL}enforce")));
        found.add(unit.tell_of(rule, message, pair, &pointer, change));
    }
}

/// A level and its version.
struct Stated<'m> {
    level: Option<&'m str>,
    version: Option<&'m str>,
}

fn stated<'m>(manifest: &'m Manifest, mode: &str) -> Stated<'m> {
    Stated {
        level: manifest.label(&format!("{LABEL}{mode}")),
        version: manifest.label(&format!("{LABEL}{mode}-version")),
    }
}

impl Stated<'_> {
    /// The higher, the fewer pods are admitted. A word that is no level is taken for `restricted` by the API server; a later
    /// version refuses more, and `latest` the most.
    ///
    /// Source: <https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/pod-security-admission/api/helpers.go>
    fn rank(&self) -> (u32, u32) {
        let level = match self.level {
            None | Some("privileged") => 0,
            Some("baseline") => 1,
            Some(_) => 2,
        };
        let minor = self.version.and_then(|v| v.strip_prefix("v1.")).and_then(|minor| minor.parse().ok());
        // Of no level there is no version.
        (level, if level == 0 { 0 } else { minor.unwrap_or(u32::MAX) })
    }

    fn text(&self) -> String {
        match (self.level, self.version) {
            (None, _) => "none".to_owned(),
            (Some(level), None) => level.to_owned(),
            (Some(level), Some(version)) => format!("{level} {version}"),
        }
    }
}
