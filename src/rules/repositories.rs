//! Addresses of repositories, folders and revisions in them, for the rules of [`super::gitops`] and [`super::sync`].

use crate::diagnostic::Findings;
use crate::names::is_dns_subdomain;
use crate::place::Place;
use crate::plan::gitops::trimmed;
use crate::plan::{Plan, TenantPlan};

/// T652: addresses of repositories.
pub fn addresses(plan: &Plan, findings: &mut Findings) {
    let doc = &plan.platform.doc;
    if let Some(repo) = &doc.content.spec.gitops.repo {
        address(repo, doc.at(repo.span), findings);
    }
    // Of one in plain HTTP, T672 speaks.
    let sync = doc.content.spec.sync.as_ref().map(|sync| &sync.git.repo);
    if let Some(repo) = sync.filter(|repo| !repo.starts_with("http://")) {
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
        findings.error("T652", at.clone(), "expected the address of a repository").hidden().hint(hint);
    };
    let example = "write `https://git.example.org/team/app.git` or `ssh://git@git.example.org/team/app.git`";
    let Some((scheme, rest)) = repo.split_once("://") else {
        // The short form of SSH, `git@host:team/app.git`, which Flux does not take.
        return match repo.split_once(':').filter(|(host, _)| host.contains('@') && !host.contains(['/', ':'])) {
            // Where that is what it is: `user:password@host` has the same form.
            Some((host, path)) if host.starts_with("git@") && path.bytes().all(|b| is_plain(b) || b == b'/') => {
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
    // The engine asks it, from where it stands: the metadata of its node is none of a tenant's business.
    let is_near = host.eq_ignore_ascii_case("localhost") || host.starts_with("169.254.") || host.starts_with("0.");
    let host_is_fine = is_dns_subdomain(&host.to_ascii_lowercase()) && !is_near;
    let number =
        |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    let port_is_fine = port.is_none_or(number);
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

/// T653: folders and revisions in them.
pub fn paths(plan: &Plan, findings: &mut Findings) {
    let doc = &plan.platform.doc;
    let gitops = &doc.content.spec.gitops;
    let sync = doc.content.spec.sync.as_ref().map(|sync| &sync.git);
    let sync = sync.map(|git| (&doc.file, &git.path, &git.reference));
    let own = [(&doc.file, &gitops.path, &gitops.revision)].into_iter().chain(sync);
    let deployed = plan.tenants.iter().flat_map(|tenant| {
        tenant.doc.content.spec.deploy.iter().map(|entry| (&tenant.doc.file, &entry.path, &entry.revision))
    });
    for (file, path, revision) in own.chain(deployed) {
        if let Some(path) = path.as_ref().filter(|path| !is_folder(path)) {
            findings
                .error("T653", Place::new(file, path.span), format!("{} is no folder of a repository", quoted(path)))
                .hidden_if(may_hold_a_password(path))
                .hint("write it from the repository's root, such as `deploy/prod`; leave it out for all of it");
        }
        if let Some(revision) = revision.as_ref().filter(|revision| !is_revision(revision)) {
            findings
                .error(
                    "T653",
                    Place::new(file, revision.span),
                    format!("{} is no revision of a repository", quoted(revision)),
                )
                .hidden_if(may_hold_a_password(revision))
                .hint("write a branch such as `main`, a whole ref such as `refs/tags/v1`, or all digits of a commit");
        }
    }
}

/// Whether a text that stands where it does not belong looks like an address.
pub fn may_hold_a_password(text: &str) -> bool {
    text.contains("://") || text.contains('@')
}

/// The text in a message, unless it may hold a password.
pub fn quoted(text: &str) -> String {
    if may_hold_a_password(text) { "an address".to_owned() } else { format!("`{text}`") }
}

fn is_folder(path: &str) -> bool {
    let segment = |s: &str| !s.is_empty() && s != "." && s != ".." && s != ".git" && s.bytes().all(is_plain);
    path.len() <= 1024 && (path == "." || trimmed(path).split('/').all(segment))
}

/// Source: `git-check-ref-format(1)`, and stricter: what is rare in names of branches is not taken, nor is what Argo CD takes for a
/// range of versions (`1.x`, `x`), or for a commit that is not whole.
fn is_revision(text: &str) -> bool {
    let segment = |s: &str| !s.is_empty() && !s.starts_with('.') && !s.ends_with(".lock") && s.bytes().all(is_plain);
    text.len() <= 255
        && text != "HEAD"
        && !text.starts_with('-')
        && !text.contains("..")
        && !text.contains('~')
        && !text.ends_with('.')
        && text.split('/').all(segment)
        && !is_range(text)
        && !is_part_of_a_commit(text)
}

/// `1.x`, `v2.*` and the like, of which `*` is refused already.
fn is_range(text: &str) -> bool {
    let version = text.trim_start_matches(['v', 'V']);
    let wild = |part: &str| part.eq_ignore_ascii_case("x");
    !text.contains('/')
        && version.split('.').any(wild)
        && version.split('.').all(|part| wild(part) || part.bytes().all(|b| b.is_ascii_digit()))
}

/// Digits of a commit, but not all of them, or in capitals: to some engines a commit, to others a branch.
fn is_part_of_a_commit(text: &str) -> bool {
    let whole = text.len() == 40 && !text.bytes().any(|b| b.is_ascii_uppercase());
    (7..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit()) && !whole
}

/// T660: a tenant's entry names the platform's own.
pub fn platforms_own(plan: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    let Some(gitops) = &plan.platform.gitops else { return };
    let own = which(&gitops.source.repo);
    for entry in tenant.doc.content.spec.deploy.iter().filter(|entry| which(&entry.repo) == own) {
        findings
            .error("T660", tenant.doc.at(entry.repo.span), "this is the platform's own repository")
            .hidden()
            .hint("name a repository of the tenant's own");
    }
}

/// Which repository an address means, whatever the protocol: its host and its path.
pub fn which(repo: &str) -> Option<(String, String)> {
    let (_, rest) = repo.split_once("://")?;
    let (authority, path) = rest.split_once('/')?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split(':').next().unwrap_or(host);
    let path = path.trim_end_matches('/').trim_end_matches(".git");
    Some((host.to_lowercase(), path.to_lowercase()))
}
