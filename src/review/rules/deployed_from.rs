//! R206: what an engine deploys comes from elsewhere, or is applied as somebody else.

use serde_json::Value;

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::names::without_passwords;
use crate::objects::{deployer, sync};
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
    example: "A tenant's `deploy` or the Platform's `sync` names another repository, or a Kustomization another `serviceAccountName`.",
    approvable: true,
    check: Check::Pair(check),
};

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    let [before, after] = [Side::Before, Side::After].map(|side| pair.side(side).map(source).unwrap_or_default());
    if unit.is_gone() || after.is_empty() || before == after {
        return;
    }
    if before.is_empty() && is_expected(pair, change) {
        return;
    }
    let new: Vec<String> = after.iter().filter(|line| !before.contains(line)).cloned().collect();
    let old: Vec<String> = before.iter().filter(|line| !after.contains(line)).cloned().collect();
    let message = format!("{} `{}` deploys from elsewhere: {}", pair.id.kind, pair.id.name, new.join(", "));
    found.add(unit.tell_of(&RULE, message, pair, "/spec", change).sides(old, new));
}

/// Whether something new needs no word of its own: what applies `rendered/` comes with each tenant, and what a tenant's own
/// ServiceAccount applies from a source beside it comes with that source.
fn is_expected(pair: &Pair, change: &Change<'_>) -> bool {
    let text = |pointer: &str| pair.after.as_ref().and_then(|m| m.value.pointer(pointer)?.as_str()).unwrap_or_default();
    let gitops = change.plans[1].and_then(|plan| plan.platform.gitops.as_ref());
    match &*pair.id.kind {
        "Application" => {
            gitops.and_then(|g| g.argocd.as_ref()).is_some_and(|argocd| text("/spec/project") == argocd.project)
        }
        "AppProject" => {
            let own = gitops.and_then(|g| g.argocd.as_ref());
            own.is_some_and(|argocd| *pair.id.name == *argocd.project || pair.id.name.starts_with("tenant-"))
        }
        "Kustomization" => {
            let of_flux = gitops.and_then(|g| g.flux.as_ref());
            let of_flux = of_flux.is_some_and(|flux| pair.id.namespace.as_deref() == Some(&*flux.namespace));
            of_flux
                || (text("/spec/serviceAccountName") == deployer::NAME && text("/spec/sourceRef/namespace").is_empty())
        }
        // R201 tells what it may do.
        "Deployment" => change.plans[1].is_some_and(|plan| plan.platform.sync.is_some()),
        "GitRepository" => gitops.is_some_and(|g| {
            let in_flux = g.flux.as_ref().is_some_and(|flux| pair.id.namespace.as_deref() == Some(&*flux.namespace));
            in_flux && text("/spec/url") == g.source.repo
        }),
        _ => false,
    }
}

/// Where an object's content comes from, and as whom it is applied.
fn source(manifest: &Manifest) -> Vec<String> {
    let fields: &[(&str, &str)] = match (&*manifest.id.group, &*manifest.id.kind) {
        ("source.toolkit.fluxcd.io", "GitRepository") => &[
            ("repository", "/spec/url"),
            ("branch", "/spec/ref/branch"),
            ("ref", "/spec/ref/name"),
            ("tag", "/spec/ref/tag"),
            ("versions", "/spec/ref/semver"),
            ("commit", "/spec/ref/commit"),
            ("Secret", "/spec/secretRef/name"),
        ],
        ("kustomize.toolkit.fluxcd.io", "Kustomization") => &[
            ("source", "/spec/sourceRef/name"),
            ("source's namespace", "/spec/sourceRef/namespace"),
            ("path", "/spec/path"),
            ("ServiceAccount", "/spec/serviceAccountName"),
            ("kubeconfig", "/spec/kubeConfig/secretRef/name"),
            ("decrypted by", "/spec/decryption/secretRef/name"),
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
            let repos = manifest.value.pointer("/spec/sourceRepos").and_then(Value::as_array).into_iter().flatten();
            let repos = repos.filter_map(|repo| Some(format!("repository {}", without_passwords(repo.as_str()?))));
            return accounts.into_iter().flatten().map(account).chain(repos).collect();
        }
        ("apps", "Deployment") if *manifest.id.name == *sync::NAME => return by_sync(&manifest.value),
        _ => return Vec::new(),
    };
    let text = |(what, pointer): &(&str, &str)| {
        Some(format!("{what} {}", without_passwords(manifest.value.pointer(pointer)?.as_str()?)))
    };
    fields.iter().filter_map(text).collect()
}

/// The same of `mtp sync` in the cluster: what git-sync fetches, and which programs do the one and the other.
fn by_sync(deployment: &Value) -> Vec<String> {
    const FLAGS: [(&str, &str); 4] =
        [("--repo=", "repository"), ("--ref=", "revision"), ("--root=", "folder"), ("--username=", "user")];
    let pod = &deployment["spec"]["template"]["spec"];
    let containers = ["initContainers", "containers"].map(|list| pod[list].as_array());
    let containers: Vec<&Value> = containers.into_iter().flatten().flatten().collect();
    let images = containers.iter().filter_map(|c| Some(format!("image {}", c["image"].as_str()?)));
    let args = containers.iter().filter_map(|c| c["args"].as_array()).flatten().filter_map(Value::as_str);
    let flags = args.filter_map(|arg| {
        let (flag, what) = FLAGS.iter().find(|(flag, _)| arg.starts_with(flag))?;
        Some(format!("{what} {}", without_passwords(&arg[flag.len()..])))
    });
    let volumes = pod["volumes"].as_array().into_iter().flatten();
    let secrets = volumes.filter_map(|v| Some(format!("Secret {}", v["secret"]["secretName"].as_str()?)));
    let account = pod["serviceAccountName"].as_str().map(|name| format!("ServiceAccount {name}"));
    images.chain(flags).chain(secrets).chain(account).collect()
}
