//! The commands: one file each, named as it is typed. They read, call the core, and write; they decide nothing.

pub mod certs;
pub mod clock;
pub mod connection;
pub mod diff;
pub mod explain;
pub mod init;
pub mod lint;
pub mod new;
pub mod policy;
pub mod render;
pub mod schema;
pub mod sync;
pub mod validate;
pub mod webhook;

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cli::{Color, Exit, Global, Output, Streams};
use crate::disk;
use crate::inputs::Inputs;
use crate::report::review::ReviewReport;
use crate::report::{self, Format, Report};

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
        if let Some(other) = self.global.output.iter().find(|o| !o.format.is_general()) {
            let name = Format::ALL.iter().find(|(_, f)| *f == other.format).map_or("this", |(name, _)| *name);
            anyhow::bail!("`mtp {}` has no report in the form {name}; only `mtp diff` has", report.command);
        }
        let out_colour = self.colour(self.streams.out_is_terminal);
        let err_colour = self.colour(self.streams.err_is_terminal);
        for Output { format, path } in &self.global.output {
            match path {
                Some(path) => disk::write_text(path, &report.write(*format, inputs, false))?,
                None => {
                    let text = report.write(*format, inputs, out_colour);
                    self.streams.out.write_all(text.as_bytes()).context("cannot write to standard output")?;
                }
            }
        }
        if self.global.output.iter().any(|o| o.path.is_none()) {
            return Ok(());
        }
        let (writer, colour) = match stream {
            Stream::Out => (&mut *self.streams.out, out_colour),
            Stream::Err => (&mut *self.streams.err, err_colour),
        };
        let text = report.write(Format::Text, inputs, colour);
        writer.write_all(text.as_bytes()).context("cannot write the report")
    }

    /// Prints the problems that keep a command from its answer, in the forms that every command has.
    pub fn problems(&mut self, report: &Report, inputs: &Inputs, stream: Stream) -> Result<()> {
        let all = std::mem::take(&mut self.global.output);
        let (general, own): (Vec<Output>, Vec<Output>) = all.into_iter().partition(|o| o.format.is_general());
        self.global.output = general;
        let done = self.report(report, inputs, stream);
        self.global.output.extend(own);
        done
    }

    /// Whether a report in one of some forms was asked for.
    pub fn writes(&self, formats: &[Format]) -> bool {
        self.global.output.iter().any(|o| formats.contains(&o.format))
    }

    /// Prints and writes the review of a change in the forms that were asked for; text, where none was.
    pub fn review(&mut self, report: &ReviewReport) -> Result<()> {
        let outputs = std::mem::take(&mut self.global.output);
        let colour = self.colour(self.streams.out_is_terminal);
        for Output { format, path } in &outputs {
            match path {
                Some(path) => disk::write_parts(path, &report.write(*format, false))?,
                None => self.answer(&report.write(*format, colour).join("\n"))?,
            }
        }
        if !outputs.iter().any(|o| o.path.is_none()) {
            let format = if self.global.quiet { Format::Summary } else { Format::Text };
            self.answer(&report.write(format, colour).join("\n"))?;
        }
        self.global.output = outputs;
        Ok(())
    }

    /// Prints and writes an answer that has two forms: text, and json for programs.
    pub fn answer_as(&mut self, command: &str, text: &str, json: &dyn Fn() -> String) -> Result<()> {
        let outputs = std::mem::take(&mut self.global.output);
        for Output { format, path } in &outputs {
            let text = match format {
                Format::Text => text.to_owned(),
                Format::Json => json(),
                _ => anyhow::bail!("`mtp {command}` reports as text and json here"),
            };
            match path {
                Some(path) => disk::write_text(path, &text)?,
                None => self.answer(&text)?,
            }
        }
        if !outputs.iter().any(|output| output.path.is_none()) {
            self.answer(text)?;
        }
        self.global.output = outputs;
        Ok(())
    }

    fn colour(&self, terminal: bool) -> bool {
        match self.global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !self.streams.no_color,
        }
    }

    /// Prints why the machine failed: each cause once.
    pub fn fail(&mut self, error: &anyhow::Error) -> Exit {
        let _ = writeln!(self.streams.err, "error: {}", report::visible(&report::causes(error)));
        Exit::Failed
    }
}
