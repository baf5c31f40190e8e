//! Rules about `mtp sync` in the cluster.

use std::sync::Arc;

use super::admission::is_pinned;
use super::repositories::{may_hold_a_password, quoted};
use super::{Check, Rule};
use crate::contract::At;
use crate::contract::sync::Sync;
use crate::diagnostic::Findings;
use crate::names::{is_dns_label, is_dns_subdomain};
use crate::place::Place;
use crate::plan::Plan;
use crate::plan::admission::CertificatesPlan;

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "T671",
        title: "two that apply",
        why: "An engine and `mtp sync` would each put back what the other one did, and prune what the other one applied.",
        fix: "Keep one of `gitops.engine` and `sync`.",
        check: Check::Plan(two),
    },
    Rule {
        id: "T672",
        title: "a sync that cannot be rendered",
        why: "It may hand out any right in the cluster: which program does so, which repository it follows and what reads that \
              has to be certain.",
        fix: "State both images by digest, and names of Secrets in the platform's namespace; `mtp explain Platform.spec.sync` \
              lists the fields.",
        check: Check::Plan(form),
    },
    Rule {
        id: "T673",
        title: "nobody decrypts the webhook's Secret",
        why: "The webhook's Secret stands in git encrypted by SOPS: without the age key, the webhook finds no certificate.",
        fix: "Name the Secret that holds the age key in `sync.decryptionSecretName`, or take another `certificates`.",
        check: Check::Plan(decryption),
    },
];

fn stated(plan: &Plan) -> Option<&At<Sync>> {
    plan.platform.doc.content.spec.sync.as_ref()
}

fn two(plan: &Plan, findings: &mut Findings) {
    let (Some(sync), Some(gitops)) = (&plan.platform.sync, &plan.platform.gitops) else { return };
    let engine = plan.platform.doc.content.spec.gitops.engine.map(|e| e.as_str()).unwrap_or_default();
    findings
        .error("T671", sync.at.clone(), format!("`sync` beside `engine: {engine}`: both would apply `rendered/`"))
        .related(gitops.at.clone(), "the engine")
        .hint("take `sync` out, or write `engine: none`");
}

fn form(plan: &Plan, findings: &mut Findings) {
    let Some(sync) = stated(plan) else { return };
    let doc = &plan.platform.doc;
    let git = &sync.git;
    for (image, example) in
        [(&sync.image, "registry.example.com/mtp"), (&git.image, "registry.k8s.io/git-sync/git-sync")]
    {
        if !is_pinned(image) {
            let about = format!("expected an image by its digest, found {}", quoted(image));
            let hint = format!("write `{example}@sha256:` and 64 hexadecimal digits");
            findings.error("T672", doc.at(image.span), about).hidden_if(may_hold_a_password(image)).hint(hint);
        }
    }
    let secrets = sync.image_pull_secrets.iter().chain(&git.secret_name).chain(&sync.decryption_secret_name);
    for name in secrets.filter(|name| !is_dns_subdomain(name)) {
        findings
            .error("T672", doc.at(name.span), format!("{} is no name for a Secret", quoted(name)))
            .hidden_if(may_hold_a_password(name))
            .hint("use lower-case letters, digits, `-` and `.`");
    }
    for from in sync.metrics_from.iter().filter(|from| !is_dns_label(&from.namespace)) {
        let about = format!("expected the name of a namespace, found `{}`", from.namespace);
        findings.error("T672", doc.at(from.namespace.span), about);
    }
    if git.repo.starts_with("http://") {
        findings
            .error(
                "T672",
                doc.at(git.repo.span),
                "whoever is on the way says what is applied of a repository in plain HTTP",
            )
            .hidden_if(may_hold_a_password(&git.repo))
            .hint("write `https://`");
    }
    let ssh = git.repo.starts_with("ssh://");
    if ssh && git.secret_name.is_none() {
        findings
            .error("T672", doc.at(git.repo.span), "a repository by SSH without `secretName`")
            .hidden_if(may_hold_a_password(&git.repo))
            .hint("name the Secret that holds `ssh`, the private key, and `known_hosts`");
    }
    let Some(user) = &git.username else { return };
    let mut refuse = |about: String, hint: &str| {
        findings.error("T672", doc.at(user.span), about).hidden_if(may_hold_a_password(user)).hint(hint);
    };
    if ssh {
        refuse("a user beside a repository by SSH".to_owned(), "the address names the user: take `username` out");
    } else if git.secret_name.is_none() {
        refuse("a user without `secretName`".to_owned(), "name the Secret that holds `password`");
    } else if !is_user(user) {
        refuse(format!("{} is no name of a user", quoted(user)), "a password stands in the Secret");
    }
}

/// Whether a text can be the name of a user of a forge, and of nothing that a flag would take for something else.
fn is_user(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._+@".contains(&b);
    (1..=255).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(plain)
}

fn decryption(plan: &Plan, findings: &mut Findings) {
    let Some(sync) = plan.platform.sync.as_ref().filter(|sync| sync.decryption_secret.is_none()) else { return };
    let Some(webhook) = &plan.platform.admission.webhook else { return };
    if let CertificatesPlan::Sops { secret, .. } = &webhook.certificates {
        findings
            .error(
                "T673",
                sync.at.clone(),
                "`sync` without `decryptionSecretName`, and nobody else decrypts the webhook's Secret",
            )
            .related(webhook.at.clone(), "the webhook whose certificate is encrypted by SOPS")
            .related(Place::file(Arc::clone(&secret.file)), "the encrypted Secret")
            .hint("name the Secret in the platform's namespace that holds the age key as `age.agekey`");
    }
}
