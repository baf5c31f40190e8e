//! R206: what an engine deploys comes from elsewhere, or is applied as somebody else.

use serde_json::Value;

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
use crate::review::unit::Unit;
use crate::review::{Change, Manifest, Pair, Side};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R206",
    name: "deployed-from",
    title: "deployed from elsewhere",
    class: Class::Rights,
    severity: Severity::Warning,
    why: "Whoever writes to the repository that an engine applies does what the engine's ServiceAccount may do.",
    example: "A tenant's `deploy` names another repository, or a Kustomization another `serviceAccountName`.",
    approvable: true,
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    let [before, after] = [Side::Before, Side::After].map(|side| pair.side(side).map(source).unwrap_or_default());
    if unit.is_gone() || after.is_empty() || before == after {
        return;
    }
    // What applies `rendered/` itself comes with each tenant.
    let own = change.plans[1].and_then(|plan| plan.platform.gitops.as_ref());
    if before.is_empty() && own.is_some_and(|own| after.first() == Some(&format!("repository {}", own.source.repo))) {
        return;
    }
    // A Kustomization that is new comes with the repository that is told of.
    if before.is_empty() && &*pair.id.kind == "Kustomization" {
        return;
    }
    let new: Vec<String> = after.iter().filter(|line| !before.contains(line)).cloned().collect();
    let old: Vec<String> = before.iter().filter(|line| !after.contains(line)).cloned().collect();
    let message = format!("{} `{}` deploys from elsewhere: {}", pair.id.kind, pair.id.name, new.join(", "));
    found.add(unit.tell_of(&RULE, message, pair, "/spec", change).sides(old, new));
}

/// Where an object's content comes from, and as whom it is applied.
fn source(manifest: &Manifest) -> Vec<String> {
    let fields: &[(&str, &str)] = match (&*manifest.id.group, &*manifest.id.kind) {
        ("source.toolkit.fluxcd.io", "GitRepository") => &[
            ("repository", "/spec/url"),
            ("branch", "/spec/ref/branch"),
            ("ref", "/spec/ref/name"),
            ("commit", "/spec/ref/commit"),
        ],
        ("kustomize.toolkit.fluxcd.io", "Kustomization") => &[
            ("source", "/spec/sourceRef/name"),
            ("source's namespace", "/spec/sourceRef/namespace"),
            ("path", "/spec/path"),
            ("ServiceAccount", "/spec/serviceAccountName"),
        ],
        ("argoproj.io", "Application") => &[
            ("repository", "/spec/source/repoURL"),
            ("revision", "/spec/source/targetRevision"),
            ("path", "/spec/source/path"),
            ("project", "/spec/project"),
            ("namespace", "/spec/destination/namespace"),
        ],
        ("argoproj.io", "AppProject") => {
            let accounts = manifest.value.pointer("/spec/destinationServiceAccounts").and_then(Value::as_array);
            let account = |entry: &Value| {
                let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
                format!("ServiceAccount {} in {}", text("defaultServiceAccount"), text("namespace"))
            };
            return accounts.into_iter().flatten().map(account).collect();
        }
        _ => return Vec::new(),
    };
    let text = |(what, pointer): &(&str, &str)| Some(format!("{what} {}", manifest.value.pointer(pointer)?.as_str()?));
    fields.iter().filter_map(text).collect()
}
