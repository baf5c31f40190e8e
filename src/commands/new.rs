//! `mtp new tenant`: a tenant file that is valid before it is written.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

use super::{Shell, Stream};
use crate::cli::Exit;
use crate::diagnostic::has_errors;
use crate::disk;
use crate::inputs::{Input, TENANTS};
use crate::parse;
use crate::report::Report;
use crate::scaffold;

/// Options of the command.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write tenants/NAME.yaml
    Tenant(Tenant),
}

#[derive(Debug, Args)]
struct Tenant {
    /// Name of the tenant
    name: String,
    /// Tier of the tenant (default: the first one by name, `free` before others)
    #[arg(long)]
    tier: Option<String>,
    /// Whom to write to
    #[arg(long, value_name = "EMAIL", default_value = "owner@example.org")]
    owner_email: String,
    /// A user who runs everything in the tenant's namespaces (repeatable)
    #[arg(long, value_name = "USER")]
    admin: Vec<String>,
}

/// Runs the command.
pub fn run(options: &Options, shell: &mut Shell<'_>) -> Result<Exit> {
    let What::Tenant(tenant) = &options.what;
    if !crate::names::is_dns_label(&tenant.name) {
        bail!("`{}` is no name for a Tenant: use lower-case letters, digits and `-`", tenant.name);
    }
    let root = shell.root()?;
    let mut inputs = disk::read(&root)?;
    let tier = match &tenant.tier {
        Some(tier) => tier.clone(),
        None => default_tier(&inputs)?,
    };
    let path = format!("{TENANTS}/{}.yaml", tenant.name);
    if disk::exists(&root.join(&path)) {
        bail!("{path} is there already");
    }
    let text = scaffold::tenant(&tenant.name, &tier, &tenant.owner_email, &tenant.admin)?;
    inputs.insert(path.as_str(), Input::Bytes(text.as_bytes().into()));
    let (_, diagnostics) = crate::render(&inputs);
    if has_errors(&diagnostics) {
        let report = Report { command: "new", diagnostics, ..Report::default() };
        shell.report(&report, &inputs, Stream::Err)?;
        return Ok(Exit::Failed);
    }
    disk::create_text(&root.join(&path), &text)?;
    shell.answer(&format!("written {path}\n"))?;
    shell.note("edit it, then run `mtp render`");
    Ok(Exit::Clean)
}

fn default_tier(inputs: &crate::inputs::Inputs) -> Result<String> {
    let (parsed, _) = parse::parse(inputs);
    let names: std::collections::BTreeSet<&str> =
        parsed.tiers.iter().map(|t| t.content.metadata.name.value.as_str()).collect();
    match names.get("free").or_else(|| names.first()) {
        Some(name) => Ok((*name).to_owned()),
        None => bail!("there is no Tier yet; `mtp init` writes three"),
    }
}
