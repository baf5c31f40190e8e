//! The `mtp` binary: arguments in, exit code out.
#![expect(clippy::disallowed_methods, reason = "this is the shell")]

use std::io::{BufWriter, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use k8s_mtp::cli::{Exit, Streams, run};

/// A fleet is millions of small texts; the allocators of glibc and musl take a quarter of the time of a render for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let (out, err) = (std::io::stdout(), std::io::stderr());
    let (out_is_terminal, err_is_terminal) = (out.is_terminal(), err.is_terminal());
    let no_color = std::env::var("NO_COLOR").is_ok_and(|value| !value.is_empty());
    let (mut out, mut err) = (BufWriter::new(out), err);
    let streams = Streams { out: &mut out, err: &mut err, out_is_terminal, err_is_terminal, no_color };
    let exit = run(std::env::args_os(), streams);
    match out.flush() {
        // A reader that has gone is no failure of ours.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let _ = writeln!(err, "error: cannot write to standard output: {error}");
            ExitCode::from(Exit::Failed as u8)
        }
        _ => ExitCode::from(exit as u8),
    }
}
