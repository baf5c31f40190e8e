//! `mtp init`: a platform, three tiers, a first tenant, and settings for editors and git. What is there already stays.

use anyhow::Result;
use clap::Args;

use super::Shell;
use crate::cli::Exit;
use crate::contract::KINDS;
use crate::disk;
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
}

/// Lines of `.gitattributes`: `rendered/` is compared and merged as a whole, and has one kind of line ending everywhere.
const GIT_ATTRIBUTES: &str = "\
# Written by mtp init. A conflict in rendered/ is settled by `mtp render`, never by hand.
rendered/** text eol=lf -merge
";

/// Runs the command.
pub fn run(options: &Options, shell: &mut Shell<'_>) -> Result<Exit> {
    let root = shell.new_root()?;
    for name in ["tenants", "tenants/tiers", "schemas", ".gitattributes"] {
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
    let attributes = root.join(".gitattributes");
    let old = disk::read_text(&attributes)?.unwrap_or_default();
    if old.lines().any(|line| line.starts_with("rendered/")) {
        shell.answer("kept    .gitattributes\n")?;
    } else {
        let gap = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
        disk::write_text(&attributes, &format!("{old}{gap}{GIT_ATTRIBUTES}"))?;
        shell.answer("written .gitattributes\n")?;
    }
    shell.note("look at tenants/platform.yaml, then run `mtp render`");
    Ok(Exit::Clean)
}
