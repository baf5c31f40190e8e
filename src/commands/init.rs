//! `mtp init`: a platform, three tiers, a first tenant, and settings for editors and git. What is there already stays.

use std::path::Path;

use anyhow::Result;
use clap::Args;

use super::Shell;
use crate::cli::Exit;
use crate::contract::KINDS;
use crate::disk;
use crate::names::is_email;
use crate::scaffold;
use crate::schema;

/// Options of the command.
#[derive(Debug, Args)]
pub struct Options {
    /// Minor version of the cluster
    #[arg(long, value_name = "VERSION", default_value = "1.36", value_parser = ["1.34", "1.35", "1.36", "1.37"])]
    kubernetes_version: String,
    /// Write no first tenant
    #[arg(long)]
    no_tenant: bool,
    /// Who has to look at what binds every tenant, for CODEOWNERS: @org/team, @user or an e-mail address (repeatable)
    #[arg(long = "code-owner", value_name = "OWNER", value_parser = owner)]
    code_owners: Vec<String>,
}

/// Lines of `.gitattributes`: `rendered/` is compared and merged as a whole, and has one kind of line ending everywhere.
const GIT_ATTRIBUTES: &str = "\
# Written by mtp init. A conflict in rendered/ is settled by `mtp render`, never by hand.
rendered/** text eol=lf -merge
";

/// Where forges look for owners of files, GitHub's order first: a second file would be ignored.
///
/// Sources: <https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners#codeowners-file-location>,
/// <https://docs.gitlab.com/user/project/codeowners/#codeowners-file>
const CODE_OWNERS: [&str; 4] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// What binds every tenant, or what a tenant may do: the last pattern that matches a file wins, and a file that none
/// matches needs nobody in particular.
const OWNED: [&str; 10] = [
    "/tenants/platform.yaml",
    "/tenants/tiers/",
    "/tenants/templates/",
    "/tenants/certs/",
    "/rendered/platform/",
    "/rendered/gitops/",
    "/rendered/tenants/**/namespace-*",
    "/rendered/tenants/**/networkpolicy-*",
    "/rendered/tenants/**/role-*",
    "/rendered/tenants/**/rolebinding-*",
];

/// Runs the command.
pub fn run(options: &Options, shell: &mut Shell<'_>) -> Result<Exit> {
    let root = shell.new_root()?;
    let owners = CODE_OWNERS.into_iter().find(|name| disk::exists(&root.join(name))).unwrap_or("CODEOWNERS");
    let folder = owners.rsplit_once('/').map(|(folder, _)| folder);
    let fixed = ["tenants", "tenants/tiers", "schemas", ".gitattributes", owners];
    for name in fixed.into_iter().chain(folder) {
        disk::refuse_link(&root, name)?;
    }
    let mut files = scaffold::platform(&options.kubernetes_version)?;
    if !options.no_tenant {
        let admins = ["alice@example.org".to_owned()];
        files.push((
            "tenants/example.yaml".to_owned(),
            scaffold::tenant("example", "free", "owner@example.org", &admins)?,
        ));
    }
    files.extend(KINDS.iter().map(|kind| (schema::file_name(kind), schema::text(kind))));
    for (name, text) in files {
        let path = root.join(&name);
        if disk::exists(&path) {
            shell.answer(&format!("kept    {name}\n"))?;
        } else {
            disk::create_text(&path, &text)?;
            shell.answer(&format!("written {name}\n"))?;
        }
    }
    append(&root, ".gitattributes", "rendered/", GIT_ATTRIBUTES, shell)?;
    append(&root, owners, OWNED[0], &code_owners(&options.code_owners), shell)?;
    shell.note("look at tenants/platform.yaml, then run `mtp render`");
    Ok(Exit::Clean)
}

/// Appends a block to a file of the repository, unless a line of it begins with `mark`, as a comment or not.
fn append(root: &Path, name: &str, mark: &str, block: &str, shell: &mut Shell<'_>) -> Result<()> {
    let path = root.join(name);
    let old = disk::read_text(&path)?.unwrap_or_default();
    if old.lines().any(|line| line.trim_start_matches(['#', ' ']).starts_with(mark)) {
        return shell.answer(&format!("kept    {name}\n"));
    }
    let gap = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
    disk::write_text(&path, &format!("{old}{gap}{block}"))?;
    shell.answer(&format!("written {name}\n"))
}

/// The block of CODEOWNERS. Without owners it is a comment: a forge that finds nobody of that name asks nobody at all.
fn code_owners(owners: &[String]) -> String {
    let mut text =
        "# Written by mtp init. What binds every tenant, or says what one may do, is looked at by the platform team.\n"
            .to_owned();
    let (comment, owners) = match owners {
        [] => ("# ", "@example/platform".to_owned()),
        owners => ("", owners.join(" ")),
    };
    if !comment.is_empty() {
        text.push_str("# Put its name here, and take the marks of comment away.\n");
    }
    for pattern in OWNED {
        text.push_str(&format!("{comment}{pattern} {owners}\n"));
    }
    text
}

/// An owner as forges name them; anything else would make them pass over the line.
fn owner(text: &str) -> Result<String, String> {
    let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let is_name = text.strip_prefix('@').is_some_and(|name| name.split('/').all(word));
    if is_name || is_email(text) {
        Ok(text.to_owned())
    } else {
        Err("expected @org/team, @user or an e-mail address".to_owned())
    }
}
