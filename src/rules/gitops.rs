//! Rules about who applies `rendered/`, and about repositories that tenants deploy from.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::repositories::{self, may_hold_a_password, quoted, which};
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
        why: "Argo CD, Flux and git-sync take `https://` and `ssh://`. A password in it would stand in git; a pattern would stand for \
              repositories that nobody has seen.",
        fix: "Write `https://git.example.org/team/app.git` or `ssh://git@git.example.org/team/app.git`.",
        check: Check::Plan(repositories::addresses),
    },
    Rule {
        id: "T653",
        title: "not a folder or a revision of a repository",
        why: "A path that leads out of the repository, or a pattern, would stand for something that nobody has seen.",
        fix: "Write a folder such as `deploy/prod`, and a branch such as `main`, a whole ref such as `refs/tags/v1`, or a commit.",
        check: Check::Plan(repositories::paths),
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
        fix: "Take `admission.webhook.certificates: cert-manager`; or `external`, with the Secret kept by Sealed Secrets or External \
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
    Rule {
        id: "T659",
        title: "more repositories than an engine bears",
        why: "The engine looks at each once a minute, and builds what it is told of one tenant as a whole.",
        fix: "Deploy several folders from one entry, whose `path` holds them.",
        check: Check::Tenant(too_many),
    },
    Rule {
        id: "T660",
        title: "the platform's own repository",
        why: "An engine reads it with the platform's credentials: the tenant would have what only the platform team sees.",
        fix: "Name a repository of the tenant's own.",
        check: Check::Tenant(repositories::platforms_own),
    },
];

/// The most entries of `deploy`: `kubectl kustomize` of their folder takes a blink, of a thousand a quarter of a minute.
const MOST_DEPLOYED: usize = 32;

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

fn engine_names(plan: &Plan, findings: &mut Findings) {
    let doc = &plan.platform.doc;
    let gitops = &doc.content.spec.gitops;
    // Of an engine whose namespace is not stated, the default is meant.
    if let Some(resolved) = plan.platform.gitops.as_ref().filter(|gitops| gitops.runs_in(&plan.platform.namespace)) {
        let stated = [&gitops.argocd.namespace, &gitops.flux.namespace].into_iter().flatten();
        if !stated.into_iter().any(|namespace| namespace.value == *plan.platform.namespace) {
            let about = format!("an engine runs in the platform's namespace, `{}`", plan.platform.namespace);
            findings.error("T654", resolved.at.clone(), about).hint("an engine has a namespace of its own");
        }
    }
    let mut refuse = |what: &At<String>, about: String, hint: &str| {
        findings.error("T654", doc.at(what.span), about).hidden_if(may_hold_a_password(what)).hint(hint);
    };
    for namespace in [&gitops.argocd.namespace, &gitops.flux.namespace].into_iter().flatten() {
        let about = format!("{} is no name for an engine's namespace", quoted(namespace));
        if !is_dns_label(namespace) {
            refuse(namespace, about, "use lower-case letters, digits and `-`");
        } else if namespace.starts_with("tenant-") {
            refuse(namespace, about, "names with `tenant-` are tenants'");
        } else if namespace.value == *plan.platform.namespace {
            refuse(namespace, about, "it is the platform's own; an engine has another one");
        }
    }
    if let Some(project) = &gitops.argocd.project {
        let about = format!("{} is no name for the platform's project", quoted(project));
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
        refuse(
            secret,
            format!("{} is no name for a Secret", quoted(secret)),
            "use lower-case letters, digits, `-` and `.`",
        );
    }
    for tenant in &plan.tenants {
        let spec = &tenant.doc.content.spec;
        for entry in &spec.deploy {
            let at = |text: &At<String>| tenant.doc.at(text.span);
            if let Some(secret) = entry.secret_name.as_ref().filter(|secret| !is_dns_subdomain(secret)) {
                findings
                    .error("T654", at(secret), format!("{} is no name for a Secret", quoted(secret)))
                    .hidden_if(may_hold_a_password(secret))
                    .hint("use lower-case letters, digits, `-` and `.`");
            }
            if let Some(name) = entry.name.as_ref().filter(|name| !is_dns_label(name)) {
                findings
                    .error("T654", at(name), format!("{} is no name for a deployment", quoted(name)))
                    .hidden_if(may_hold_a_password(name))
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
                "take `certificates: cert-manager`, or `certificates: external` and keep the Secret with Sealed Secrets or External \
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
        let about = format!("tenant `{}` has no namespace {}", tenant.name, quoted(named));
        let unknown = findings.error("T656", tenant.doc.at(named.span), about).hidden_if(may_hold_a_password(named));
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
    let mut sources: BTreeMap<_, Place> = BTreeMap::new();
    for entry in &spec.deploy {
        let name = name(entry, spec);
        let at = tenant.doc.at(entry.span);
        let folder = entry.path.as_ref().map_or("", |path| trimmed(path));
        // Of what is no address, T652 speaks.
        if let Some(repo) = which(&entry.repo) {
            let source = (part(entry, spec), repo, folder);
            if let Some(first) = sources.get(&source) {
                findings
                    .error("T657", at.clone(), "this folder is deployed to this namespace already")
                    .related(first.clone(), "first here")
                    .hint("take one of the two out: each would remove what the other adds");
            } else {
                sources.insert(source, at.clone());
            }
        }
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

fn too_many(_: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    let all = &tenant.doc.content.spec.deploy;
    if let Some(first) = all.get(MOST_DEPLOYED) {
        findings
            .error(
                "T659",
                tenant.doc.at(first.span),
                format!("{} entries of `deploy`, {MOST_DEPLOYED} are the most", all.len()),
            )
            .hint("deploy several folders from one entry, whose `path` holds them");
    }
}

fn nobody_deploys(plan: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    let Some(first) = tenant.doc.content.spec.deploy.first().filter(|_| plan.platform.gitops.is_none()) else { return };
    findings
        .warning("T658", tenant.doc.at(first.span), "nothing deploys it: the Platform names no engine")
        .hint("the platform team can set `gitops.engine`");
}
