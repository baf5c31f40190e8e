//! `mtp schema`: the JSON Schemas of tenant files, for editors and for whoever checks them otherwise.

use anyhow::Result;
use clap::Args;

use super::Shell;
use crate::cli::Exit;
use crate::contract::KINDS;
use crate::disk;
use crate::schema;

/// Options of the command.
#[derive(Debug, Args)]
pub struct Options {
    /// Write nothing; exit 1 if schemas/ is stale
    #[arg(long)]
    check: bool,
}

/// Runs the command.
pub fn run(options: &Options, shell: &mut Shell<'_>) -> Result<Exit> {
    let root = shell.root().or_else(|_| shell.new_root())?;
    let mut stale = Vec::new();
    for kind in KINDS {
        let (name, text) = (schema::file_name(kind), schema::text(kind));
        if disk::read_text(&root.join(&name))?.as_deref() == Some(&text) {
            continue;
        }
        if !options.check {
            disk::write_text(&root.join(&name), &text)?;
        }
        stale.push(name);
    }
    for name in &stale {
        shell.answer(&format!("{} {name}\n", if options.check { "stale" } else { "written" }))?;
    }
    if options.check && !stale.is_empty() {
        shell.note("run `mtp schema` and commit the result");
        return Ok(Exit::Findings);
    }
    if stale.is_empty() && !shell.is_quiet() {
        shell.answer("schemas/ is up to date\n")?;
    }
    Ok(Exit::Clean)
}
