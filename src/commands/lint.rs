//! `mtp lint`: what is wrong with manifests, whoever made them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::{Shell, Stream};
use crate::cli::Exit;
use crate::diagnostic::has_errors;
use crate::disk;
use crate::inputs::Inputs;
use crate::lint::{self, rules};
use crate::rendered::RENDERED;
use crate::report::{Report, count};

/// How often `--fix` looks again: an edit may show the next mistake, but not for ever.
const MOST_ROUNDS: usize = 5;

/// Options of the command.
#[derive(Debug, Args)]
pub struct Options {
    /// Folder of manifests (default: rendered/ of the root that the current folder is in, or else the current folder)
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Leave out the findings of a rule (repeatable, or with commas)
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Put right what needs no decision, in files that people write
    #[arg(long)]
    fix: bool,
}

/// Runs the command.
pub fn run(options: &Options, shell: &mut Shell<'_>) -> Result<Exit> {
    let mut ignore = BTreeSet::new();
    for id in &options.ignore {
        let Some(rule) = rules::find(id.trim()) else {
            bail!("there is no lint rule `{id}`; `mtp explain` lists them")
        };
        ignore.insert(rule.id.to_owned());
    }
    let read = match &options.folder {
        Some(folder) => disk::read_tree(folder, None)?,
        None => match shell.root() {
            Ok(root) if root.join(RENDERED).is_dir() => disk::read_tree(&root.join(RENDERED), Some(RENDERED))?,
            Ok(root) => disk::read_tree(&root, Some(""))?,
            Err(_) => disk::read_tree(&disk::current_folder()?, Some(""))?,
        },
    };
    let disk::Tree { mut inputs, base, repository, at } = read;
    let settings = lint::Options { base, repository, ignore };
    let mut linted = lint::lint(&inputs, &settings);
    if options.fix {
        let mut fixed = BTreeSet::new();
        for _ in 0..MOST_ROUNDS {
            if linted.edits.is_empty() {
                break;
            }
            for (path, edits) in lint::by_file(&linted.edits) {
                let text = inputs.text(path).context("a file that cannot be read has no edits")?;
                let text = lint::edited(text, edits);
                disk::edit(&at, path, &text)?;
                inputs.insert(std::sync::Arc::clone(path), crate::inputs::Input::Bytes(text.into_bytes().into()));
                fixed.insert(std::sync::Arc::clone(path));
            }
            linted = lint::lint(&inputs, &settings);
        }
        shell.note(&format!("{} put right", count(fixed.len(), "file")));
    }
    linted.notes.iter().for_each(|note| shell.note(&crate::report::line(note)));
    lint::mask(&mut inputs, &linted.diagnostics);
    conclude(linted, &inputs, shell)
}

fn conclude(linted: lint::Linted, inputs: &Inputs, shell: &mut Shell<'_>) -> Result<Exit> {
    let failed = has_errors(&linted.diagnostics);
    let nothing = linted.diagnostics.is_empty();
    let fixable = linted.edits.len();
    let remedy = (fixable > 0).then(|| format!("`mtp lint --fix` puts {fixable} of them right"));
    let report = Report { command: "lint", diagnostics: linted.diagnostics, remedy, ..Report::default() };
    shell.report(&report, inputs, Stream::Out)?;
    if nothing {
        shell.note(&format!("no problems in {}, {}", count(inputs.len(), "file"), count(linted.objects, "object")));
    }
    Ok(if failed { Exit::Findings } else { Exit::Clean })
}
