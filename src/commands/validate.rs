//! `mtp validate`: read everything, report every problem, write nothing.

use anyhow::Result;

use super::{Shell, Stream};
use crate::cli::Exit;
use crate::diagnostic::has_errors;
use crate::disk;
use crate::report::{Report, count};

/// Runs the command.
pub fn run(shell: &mut Shell<'_>) -> Result<Exit> {
    let inputs = disk::read(&shell.root()?)?;
    let (rendered, diagnostics) = crate::render(&inputs);
    let failed = has_errors(&diagnostics);
    let report = Report { command: "validate", diagnostics, ..Report::default() };
    shell.report(&report, &inputs, Stream::Out)?;
    if !failed && !shell.machine_reads() && !shell.is_quiet() {
        let tenants = rendered.plan().map_or(0, |plan| plan.tenants.len());
        shell.answer(&format!("{} in {} are valid\n", count(tenants, "tenant"), count(inputs.len(), "file")))?;
    }
    Ok(if failed { Exit::Failed } else { Exit::Clean })
}
