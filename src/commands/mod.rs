//! The commands: one file each, named as it is typed. They read, call the core, and write; they decide nothing.

pub mod certs;
pub mod clock;
pub mod explain;
pub mod init;
pub mod new;
pub mod policy;
pub mod render;
pub mod schema;
pub mod validate;
pub mod webhook;

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cli::{Color, Exit, Global, Output, Streams};
use crate::disk;
use crate::inputs::Inputs;
use crate::report::{Format, Report};

/// What a command works with: where it is, and how it talks.
pub struct Shell<'s> {
    global: Global,
    streams: Streams<'s>,
}

/// To which stream a report goes when nothing else was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// It is the answer.
    Out,
    /// It is why there is no answer.
    Err,
}

impl<'s> Shell<'s> {
    /// A shell for one command line.
    pub fn new(global: Global, streams: Streams<'s>) -> Self {
        Shell { global, streams }
    }

    /// The folder that has `tenants/`.
    pub fn root(&self) -> Result<PathBuf> {
        match &self.global.root {
            Some(root) => Ok(root.clone()),
            None => disk::find_root(&disk::current_folder()?),
        }
    }

    /// The folder that is to get `tenants/`.
    pub fn new_root(&self) -> Result<PathBuf> {
        self.global.root.clone().map_or_else(disk::current_folder, Ok)
    }

    /// Prints an answer.
    pub fn answer(&mut self, text: &str) -> Result<()> {
        self.streams.out.write_all(text.as_bytes()).context("cannot write to standard output")
    }

    /// Prints what is good to know, unless told to be quiet.
    pub fn note(&mut self, text: &str) {
        if !self.global.quiet {
            // In the order in which it was said, where both streams are one terminal.
            let _ = self.streams.out.flush();
            // Notes are a courtesy: a terminal that is gone does not fail the command.
            let _ = writeln!(self.streams.err, "{text}");
        }
    }

    /// Prints what is done, where that was asked for.
    pub fn detail(&mut self, text: &str) {
        if self.global.verbose {
            self.note(text);
        }
    }

    /// Whether only problems are to be printed.
    pub fn is_quiet(&self) -> bool {
        self.global.quiet
    }

    /// Whether progress may be shown.
    pub fn shows_progress(&self) -> bool {
        self.streams.err_is_terminal && !self.global.quiet
    }

    /// Where progress is shown.
    pub fn err(&mut self) -> &mut (dyn std::io::Write + Send) {
        self.streams.err
    }

    /// Whether a form other than text takes standard output.
    pub fn machine_reads(&self) -> bool {
        self.global.output.iter().any(|o| o.path.is_none() && o.format != Format::Text)
    }

    /// Prints and writes a report in the forms that were asked for.
    pub fn report(&mut self, report: &Report, inputs: &Inputs, stream: Stream) -> Result<()> {
        let colour = |terminal| match self.global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !self.streams.no_color,
        };
        for Output { format, path } in &self.global.output {
            match path {
                Some(path) => disk::write_text(path, &report.write(*format, inputs, false))?,
                None => {
                    let text = report.write(*format, inputs, colour(self.streams.out_is_terminal));
                    self.streams.out.write_all(text.as_bytes()).context("cannot write to standard output")?;
                }
            }
        }
        if self.global.output.iter().any(|o| o.path.is_none()) {
            return Ok(());
        }
        let (writer, terminal) = match stream {
            Stream::Out => (&mut *self.streams.out, self.streams.out_is_terminal),
            Stream::Err => (&mut *self.streams.err, self.streams.err_is_terminal),
        };
        let text = report.write(Format::Text, inputs, colour(terminal));
        writer.write_all(text.as_bytes()).context("cannot write the report")
    }

    /// Prints why the machine failed: each cause once.
    pub fn fail(&mut self, error: &anyhow::Error) -> Exit {
        let _ = writeln!(self.streams.err, "error: {}", crate::report::visible(&format!("{error:#}")));
        Exit::Failed
    }
}
