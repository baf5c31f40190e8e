//! The command line: what was typed, and who carries it out.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::commands;
use crate::report::Format;

/// How a run ended; only `main` turns it into the exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is well; warnings alone are well.
    Clean = 0,
    /// The command did its work, and the answer is no.
    Findings = 1,
    /// It could not decide: errors in `tenants/`, usage, files, network.
    Failed = 2,
}

/// What the process is connected to.
pub struct Streams<'s> {
    /// Answers.
    pub out: &'s mut (dyn Write + Send),
    /// Everything else.
    pub err: &'s mut (dyn Write + Send),
    /// Whether `out` is a terminal.
    pub out_is_terminal: bool,
    /// Whether `err` is a terminal.
    pub err_is_terminal: bool,
    /// Whether the environment asks for no colour (<https://no-color.org>).
    pub no_color: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 clean (warnings alone are clean), 1 the answer is no (stale, a finding), \
2 could not decide (errors in tenants/, usage, files).";

/// Renders tenants in git into plain Kubernetes manifests that the platform fully owns
#[derive(Debug, Parser)]
#[command(name = "mtp", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// Folder that has tenants/ (default: the nearest one upwards)
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Form of the report, and where to write it: text, json, github, sarif, markdown; of diff also html, gitlab, side-by-side, summary (repeatable)
    #[arg(long, global = true, value_name = "FORMAT[=PATH]", value_parser = output)]
    pub output: Vec<Output>,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: Color,
    /// Print problems only
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print what is done as well
    #[arg(long, short, global = true)]
    pub verbose: bool,
}

/// A form of the report and where it goes.
#[derive(Debug, Clone)]
pub struct Output {
    /// The form.
    pub format: Format,
    /// A file; absent: standard output.
    pub path: Option<PathBuf>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// At a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a platform, three tiers, a first tenant, and settings for editors and git
    Init(commands::init::Options),
    /// Add a tenant
    New(commands::new::Options),
    /// Read everything, report every problem, write nothing
    Validate,
    /// Write rendered/ from tenants/
    Render(commands::render::Options),
    /// Say what a change means for tenants, and refuse what weakens the platform
    Diff(commands::diff::Options),
    /// Say what Argo CD, Flux, kubectl or the cluster will stumble over in manifests, whoever made them
    Lint(commands::lint::Options),
    /// Write the JSON Schemas of tenant files to schemas/
    Schema(commands::schema::Options),
    /// Say what the admission policies refuse, without a cluster
    Policy(commands::policy::Options),
    /// Make, rotate and check the webhook's certificate
    Certs(commands::certs::Options),
    /// Apply rendered/ to a cluster, and remove what git no longer holds
    Sync(commands::sync::Options),
    /// Carry the admission policies out
    Webhook(commands::webhook::Options),
    /// Explain a rule (T007, L101), a policy (read-only-root) or a field (Tenant.spec.tier)
    Explain(commands::explain::Options),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

fn output(text: &str) -> Result<Output, String> {
    let (name, path) = text.split_once('=').map_or((text, None), |(name, path)| (name, Some(path)));
    let format = Format::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format).ok_or_else(|| {
        let known = crate::yaml::shape::list(Format::ALL.iter().map(|(name, _)| *name));
        format!("expected {known}")
    })?;
    match path {
        Some("") => Err("expected a path behind `=`".to_owned()),
        path => Ok(Output { format, path: path.map(PathBuf::from) }),
    }
}

/// Runs one command line. Everything that is printed goes to `streams`.
pub fn run(args: impl IntoIterator<Item = OsString>, mut streams: Streams<'_>) -> Exit {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &mut streams),
    };
    let mut shell = commands::Shell::new(cli.global, streams);
    let done = match cli.command {
        Command::Init(options) => commands::init::run(&options, &mut shell),
        Command::New(options) => commands::new::run(&options, &mut shell),
        Command::Validate => commands::validate::run(&mut shell),
        Command::Render(options) => commands::render::run(&options, &mut shell),
        Command::Diff(options) => commands::diff::run(&options, &mut shell),
        Command::Lint(options) => commands::lint::run(&options, &mut shell),
        Command::Schema(options) => commands::schema::run(&options, &mut shell),
        Command::Policy(options) => commands::policy::run(&options, &mut shell),
        Command::Certs(options) => commands::certs::run(&options, &mut shell),
        Command::Sync(options) => commands::sync::run(&options, &mut shell),
        Command::Webhook(options) => commands::webhook::run(&options, &mut shell),
        Command::Explain(options) => commands::explain::run(&options, &mut shell),
        Command::Completions { shell: kind } => completions(kind, &mut shell),
        Command::Man => man(&mut shell),
    };
    match done {
        Ok(exit) => exit,
        Err(error) if is_broken_pipe(&error) => Exit::Clean,
        Err(error) => shell.fail(&error),
    }
}

/// Help and version are answers; everything else that clap reports is a usage error.
fn usage(error: &clap::Error, streams: &mut Streams<'_>) -> Exit {
    let asked = error.exit_code() == 0;
    let colour = !streams.no_color && if asked { streams.out_is_terminal } else { streams.err_is_terminal };
    let text = error.render();
    let text = if colour { text.ansi().to_string() } else { text.to_string() };
    let stream = if asked { &mut *streams.out } else { &mut *streams.err };
    // Nobody is left to tell that telling failed.
    let _ = stream.write_all(text.as_bytes());
    if asked { Exit::Clean } else { Exit::Failed }
}

fn completions(kind: clap_complete::Shell, shell: &mut commands::Shell<'_>) -> anyhow::Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(kind, &mut Cli::command(), "mtp", &mut text);
    shell.answer(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Clean)
}

fn man(shell: &mut commands::Shell<'_>) -> anyhow::Result<Exit> {
    let mut text = Vec::new();
    let mut whole = Cli::command();
    // Gives each command its full name.
    whole.build();
    clap_mangen::Man::new(whole.clone()).render(&mut text)?;
    pages_below(&whole, &mut text)?;
    shell.answer(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Clean)
}

/// The pages of a command's commands, and of theirs.
fn pages_below(command: &clap::Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    for command in command.get_subcommands().filter(|c| c.get_name() != "help") {
        let page = clap_mangen::Man::new(command.clone());
        page.render_name_section(text)?;
        page.render_synopsis_section(text)?;
        page.render_options_section(text)?;
        pages_below(command, text)?;
    }
    Ok(())
}

/// Whether the reader of our output has gone, which is his right.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
