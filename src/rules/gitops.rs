//! Rules about who applies `rendered/`, and about repositories that tenants deploy from.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Check, Rule};
use crate::contract::At;
use crate::contract::gitops::GitopsEngine;
use crate::diagnostic::Findings;
use crate::names::{is_dns_label, is_dns_subdomain};
use crate::place::Place;
use crate::plan::admission::CertificatesPlan;
use crate::plan::gitops::{name, part, trimmed};
use crate::plan::{Plan, TenantPlan};
use crate::yaml::shape::{closest, list};

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "T651",
        title: "an engine without a repository",
        why: "Argo CD and Flux read this repository: what is rendered for them has to name it.",
        fix: "Add `gitops.repo` with the address by which the engine reaches this repository.",
        check: Check::Plan(no_repository),
    },
    Rule {
        id: "T652",
        title: "not the address of a repository",
        why: "Argo CD and Flux both take `https://` and `ssh://`. A password in it would stand in git; a pattern would stand for \
              repositories that nobody has seen.",
        fix: "Write `https://git.example.org/team/app.git` or `ssh://git@git.example.org/team/app.git`.",
        check: Check::Plan(addresses),
    },
    Rule {
        id: "T653",
        title: "not a folder or a revision of a repository",
        why: "A path that leads out of the repository, or a pattern, would stand for something that nobody has seen.",
        fix: "Write a folder such as `deploy/prod`, and a branch such as `main`, a whole ref such as `refs/tags/v1`, or a commit.",
        check: Check::Plan(paths),
    },
    Rule {
        id: "T654",
        title: "not a name for an engine's namespace, project or Secret",
        why: "The engine acts for every tenant: in a tenant's namespace or project, its objects would be the tenant's to change. \
              In Argo CD's project `default` anybody's Applications may be.",
        fix: "Name the namespace that the engine was installed to, and a project of the platform's own.",
        check: Check::Plan(engine_names),
    },
    Rule {
        id: "T655",
        title: "Argo CD decrypts no SOPS",
        why: "It would apply the encrypted text as the Secret's values: the webhook would find no certificate, and refuse to serve.",
        fix: "Take `admission.webhook.certificates: certManager`; or `external`, with the Secret kept by Sealed Secrets or External \
              Secrets; or let Flux or `mtp sync` apply it.",
        check: Check::Plan(sops),
    },
    Rule {
        id: "T656",
        title: "deployed to a namespace that the tenant does not have",
        why: "A tenant deploys to its own namespaces alone.",
        fix: "Name the last part of one of the tenant's namespaces, or add the namespace to `namespaces`.",
        check: Check::Tenant(unknown_namespace),
    },
    Rule {
        id: "T657",
        title: "two deployments of one name",
        why: "The engine would have one object for both.",
        fix: "Give one of them a `name`.",
        check: Check::Tenant(two_of_a_name),
    },
    Rule {
        id: "T658",
        title: "nobody deploys",
        why: "Without an engine, nothing reads the tenant's repository.",
        fix: "Name one in the Platform's `gitops.engine`, or take `deploy` out.",
        check: Check::Tenant(nobody_deploys),
    },
];

fn no_repository(plan: &Plan, findings: &mut Findings) {
    let doc = &plan.platform.doc;
    let gitops = &doc.content.spec.gitops;
    let Some(engine) = gitops.engine.filter(|e| e.value != GitopsEngine::None) else { return };
    if gitops.repo.is_none() {
        let about = format!("`engine: {}` without `repo`", engine.as_str());
        findings
            .error("T651", doc.at(engine.span), about)
            .hint("write the address of this repository: `repo: https://git.example.org/platform.git`");
    }
}

fn addresses(plan: &Plan, findings: &mut Findings) {
    let doc = &plan.platform.doc;
    if let Some(repo) = &doc.content.spec.gitops.repo {
        address(repo, doc.at(repo.span), findings);
    }
    for tenant in &plan.tenants {
        for entry in &tenant.doc.content.spec.deploy {
            address(&entry.repo, tenant.doc.at(entry.repo.span), findings);
        }
    }
}

fn address(repo: &str, at: Place, findings: &mut Findings) {
    let mut refuse = |hint: String| {
        // Nothing of the text is repeated: it may hold a password.
        findings.error("T652", at.clone(), "expected the address of a repository").hint(hint);
    };
    let example = "write `https://git.example.org/team/app.git` or `ssh://git@git.example.org/team/app.git`";
    let Some((scheme, rest)) = repo.split_once("://") else {
        // The short form of SSH, `git@host:team/app.git`, which Flux does not take.
        return match repo.split_once(':').filter(|(host, _)| host.contains('@') && !host.contains(['/', ':'])) {
            Some((host, path)) if !path.contains([':', '@']) => {
                refuse(format!("write `ssh://{host}/{}`", path.trim_start_matches('/')));
            }
            _ => refuse(example.to_owned()),
        };
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let (host, port) = host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port)));
    let segment = |s: &str| !s.is_empty() && s != "." && s != ".." && s.bytes().all(is_plain);
    let path_is_fine = path.strip_suffix('/').unwrap_or(path).split('/').all(segment);
    let host_is_fine = is_dns_subdomain(&host.to_ascii_lowercase());
    let port_is_fine = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    match (scheme, user) {
        ("https" | "http", Some(_)) => {
            refuse("take the user and the password out: a Secret of the engine holds them".to_owned());
        }
        ("ssh", Some(user)) if user.contains(':') => {
            refuse("take the password out: a Secret of the engine holds the key".to_owned());
        }
        ("ssh", Some(user)) if user.is_empty() || !user.bytes().all(is_plain) => refuse(example.to_owned()),
        ("https" | "http" | "ssh", _) if !(path_is_fine && host_is_fine && port_is_fine) => refuse(example.to_owned()),
        ("https" | "ssh", _) => {}
        ("http", _) => {
            findings
                .warning("T652", at, "whoever is on the way can change what a repository in plain HTTP holds")
                .hint("write `https://`");
        }
        _ => refuse(example.to_owned()),
    }
}

/// What addresses, paths and refs are made of: neither patterns nor what a shell or a template would read.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+".contains(&byte)
}

fn paths(plan: &Plan, findings: &mut Findings) {
    let doc = &plan.platform.doc;
    let gitops = &doc.content.spec.gitops;
    let own = [(&doc.file, &gitops.path, &gitops.revision)];
    let deployed = plan.tenants.iter().flat_map(|tenant| {
        tenant.doc.content.spec.deploy.iter().map(|entry| (&tenant.doc.file, &entry.path, &entry.revision))
    });
    for (file, path, revision) in own.into_iter().chain(deployed) {
        if let Some(path) = path.as_ref().filter(|path| !is_folder(path)) {
            findings
                .error("T653", Place::new(file, path.span), format!("`{path}` is no folder of a repository"))
                .hint("write it from the repository's root, such as `deploy/prod`; leave it out for all of it");
        }
        if let Some(revision) = revision.as_ref().filter(|revision| !is_revision(revision)) {
            findings
                .error("T653", Place::new(file, revision.span), format!("`{revision}` is no revision of a repository"))
                .hint("write a branch such as `main`, a whole ref such as `refs/tags/v1`, or all digits of a commit");
        }
    }
}

fn is_folder(path: &str) -> bool {
    let segment = |s: &str| !s.is_empty() && s != "." && s != ".." && s != ".git" && s.bytes().all(is_plain);
    path.len() <= 1024 && (path == "." || trimmed(path).split('/').all(segment))
}

/// Source: `git-check-ref-format(1)`, and stricter: what is rare in names of branches is not taken.
fn is_revision(text: &str) -> bool {
    let segment = |s: &str| !s.is_empty() && !s.starts_with('.') && !s.ends_with(".lock") && s.bytes().all(is_plain);
    text.len() <= 255
        && text != "HEAD"
        && !text.starts_with('-')
        && !text.contains("..")
        && !text.contains('~')
        && !text.ends_with('.')
        && text.split('/').all(segment)
}

fn engine_names(plan: &Plan, findings: &mut Findings) {
    let doc = &plan.platform.doc;
    let gitops = &doc.content.spec.gitops;
    let mut refuse = |what: &At<String>, about: String, hint: &str| {
        findings.error("T654", doc.at(what.span), about).hint(hint);
    };
    for namespace in [&gitops.argocd.namespace, &gitops.flux.namespace].into_iter().flatten() {
        let about = format!("`{namespace}` is no name for an engine's namespace");
        if !is_dns_label(namespace) {
            refuse(namespace, about, "use lower-case letters, digits and `-`");
        } else if namespace.starts_with("tenant-") {
            refuse(namespace, about, "names with `tenant-` are tenants'");
        } else if namespace.value == *plan.platform.namespace {
            refuse(namespace, about, "it is the platform's own; an engine has another one");
        }
    }
    if let Some(project) = &gitops.argocd.project {
        let about = format!("`{project}` is no name for the platform's project");
        if !is_dns_label(project) {
            refuse(project, about, "use lower-case letters, digits and `-`");
        } else if project.starts_with("tenant-") {
            refuse(project, about, "names with `tenant-` are tenants'");
        } else if project.value == "default" {
            refuse(project, about, "anybody's Applications may be in `default`; take one of its own");
        }
    }
    let own = [&gitops.flux.secret_name, &gitops.flux.decryption_secret_name];
    for secret in own.into_iter().flatten().filter(|secret| !is_dns_subdomain(secret)) {
        refuse(secret, format!("`{secret}` is no name for a Secret"), "use lower-case letters, digits, `-` and `.`");
    }
    for tenant in &plan.tenants {
        let spec = &tenant.doc.content.spec;
        for entry in &spec.deploy {
            let at = |text: &At<String>| tenant.doc.at(text.span);
            if let Some(secret) = entry.secret_name.as_ref().filter(|secret| !is_dns_subdomain(secret)) {
                findings
                    .error("T654", at(secret), format!("`{secret}` is no name for a Secret"))
                    .hint("use lower-case letters, digits, `-` and `.`");
            }
            if let Some(name) = entry.name.as_ref().filter(|name| !is_dns_label(name)) {
                findings
                    .error("T654", at(name), format!("`{name}` is no name for a deployment"))
                    .hint("use lower-case letters, digits and `-`");
            }
        }
    }
}

fn sops(plan: &Plan, findings: &mut Findings) {
    let Some(gitops) = plan.platform.gitops.as_ref().filter(|gitops| gitops.argocd.is_some()) else { return };
    let Some(webhook) = &plan.platform.admission.webhook else { return };
    if let CertificatesPlan::Sops { secret, .. } = &webhook.certificates {
        let engine = plan.platform.doc.content.spec.gitops.engine.map(|e| e.as_str()).unwrap_or_default();
        findings
            .error("T655", gitops.at.clone(), format!("with `engine: {engine}`, nobody decrypts the webhook's Secret"))
            .related(webhook.at.clone(), "the webhook whose certificate is encrypted by SOPS")
            .related(Place::file(Arc::clone(&secret.file)), "the encrypted Secret")
            .hint(
                "take `certificates: certManager`, or `certificates: external` and keep the Secret with Sealed Secrets or External \
                 Secrets, or `engine: flux`",
            );
    }
}

fn unknown_namespace(_: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    let spec = &tenant.doc.content.spec;
    let parts = || tenant.namespaces.iter().map(|n| &*n.part);
    for named in spec.deploy.iter().filter_map(|entry| entry.namespace.as_ref()) {
        if parts().any(|part| part == named.value) {
            continue;
        }
        let about = format!("tenant `{}` has no namespace `{named}`", tenant.name);
        let unknown = findings.error("T656", tenant.doc.at(named.span), about);
        let whole = tenant.namespaces.iter().find(|n| *n.name == *named.value);
        unknown.hint(match (whole, closest(named, parts())) {
            (Some(whole), _) => format!("write the last part of its name: `{}`", whole.part),
            (None, Some(close)) => format!("did you mean `{close}`?"),
            (None, None) => format!("it has {}", list(parts().take(20))),
        });
    }
}

fn two_of_a_name(_: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    let spec = &tenant.doc.content.spec;
    let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
    for entry in &spec.deploy {
        let name = name(entry, spec);
        let at = tenant.doc.at(entry.span);
        if let Some(first) = seen.get(name) {
            findings
                .error("T657", at, format!("there is a second deployment `{name}`"))
                .related(first.clone(), "first here")
                .hint(format!("write `name: {}-2`, or what tells it from the first", part(entry, spec)));
        } else {
            seen.insert(name, at);
        }
    }
}

fn nobody_deploys(plan: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    let Some(first) = tenant.doc.content.spec.deploy.first().filter(|_| plan.platform.gitops.is_none()) else { return };
    findings
        .warning("T658", tenant.doc.at(first.span), "nothing deploys it: the Platform names no engine")
        .hint("the platform team can set `gitops.engine`");
}
