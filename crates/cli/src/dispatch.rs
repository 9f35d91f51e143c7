//! From the command line to the command: find it in the table, parse, run, report.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Arg, ArgAction, ArgMatches, value_parser};

use crate::context::Cx;
use crate::error::{OptionError, UsageError, report};
use crate::goption::{self, Parsed};
use crate::output::Output;
use crate::table::{Command, Entry, Kind, Needs, ROOT};
use crate::visible::visible;
use crate::{extension, help, version};

/// The program's entry in the table.
#[must_use]
pub fn root() -> &'static Entry {
    &ROOT
}

/// Runs the program and turns the outcome into an exit code.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let mut found = Found {
        entry: &ROOT,
        path: vec![ROOT.name],
        rest: args.clone(),
        unknown: None,
    };
    found.descend();
    let result = found.run(&args);
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    let report = report(&error);
    if let Some(text) = report.text {
        let mut stderr = std::io::stderr().lock();
        if report.with_help {
            let _ = stderr.write_all(help::render(found.entry, &found.path).as_bytes());
        }
        // Nothing sensible is left to do if stderr is gone.
        let _ = writeln!(stderr, "error: {}", visible(&text));
    }
    ExitCode::from(report.code)
}

/// Where in the table the command line leads.
struct Found {
    entry: &'static Entry,
    path: Vec<&'static str>,
    /// The words that are not command names.
    rest: Vec<OsString>,
    /// The first word that should have been a command name.
    unknown: Option<String>,
}

impl Found {
    /// Follows command names. A command name is the first word that does not
    /// start with a dash, wherever it stands; so `ostree --repo=R refs` works
    /// and `ostree --repo R refs` does not, as with the C tool.
    fn descend(&mut self) {
        while let Kind::Group(group) = &self.entry.kind {
            let Some(at) = self
                .rest
                .iter()
                .position(|word| word.as_bytes().first() != Some(&b'-'))
            else {
                return;
            };
            let name = self.rest[at].to_string_lossy().into_owned();
            let Some(next) = group.commands.iter().find(|c| c.name == name) else {
                self.rest.remove(at);
                self.unknown = Some(name);
                return;
            };
            self.rest.remove(at);
            self.entry = next;
            self.path.push(next.name);
        }
    }

    fn run(&self, args: &[OsString]) -> Result<()> {
        if let (Some(name), 1) = (&self.unknown, self.path.len())
            && let Some(error) = extension::exec(name, args)
        {
            return Err(anyhow::Error::new(error).context(format!("executing ostree-{name}")));
        }
        let parser = parser(self.entry);
        let mut out = Output::stdout();
        let command = match &self.entry.kind {
            Kind::Command(command) => Some(command),
            Kind::Group(group) => group
                .bare
                .as_ref()
                .filter(|_| self.unknown.is_none() && !self.rest.is_empty()),
        };
        let words = match goption::normalise(&parser, &self.rest) {
            Ok(Parsed::Run(words)) => words,
            Ok(Parsed::Help) => {
                out.write_all(help::render(self.entry, &self.path).as_bytes())?;
                out.flush()?;
                return Ok(());
            }
            // A group shows its help with the mistake, a command does not.
            Err(OptionError(text)) if matches!(self.entry.kind, Kind::Group(_)) => {
                return Err(UsageError(text).into());
            }
            Err(error) => return Err(error.into()),
        };
        if words
            .iter()
            .take_while(|w| *w != "--")
            .any(|w| w == "--version")
        {
            out.write_all(version::text().as_bytes())?;
            out.flush()?;
            return Ok(());
        }
        let Some(command) = command else {
            return Err(self.no_command().into());
        };
        let matches = parser.try_get_matches_from(words)?;
        let mut cx = context(command, &matches, out);
        let result = (command.run)(&matches, &mut cx);
        // What a failed command had to say before it failed is said.
        let flushed = cx.out.flush();
        result?;
        Ok(flushed?)
    }

    fn no_command(&self) -> UsageError {
        let group = self.path[1..].join(" ");
        UsageError(match (&self.unknown, group.is_empty()) {
            (None, true) => "No command specified".to_owned(),
            (None, false) => format!("No \"{group}\" subcommand specified"),
            (Some(name), true) => format!("Unknown command '{name}'"),
            (Some(name), false) => format!("Unknown \"{group}\" subcommand '{name}'"),
        })
    }
}

fn context(command: &Command, matches: &ArgMatches, out: Output) -> Cx {
    let path = |wanted: bool, id: &str| {
        if wanted {
            matches.get_one::<PathBuf>(id).cloned()
        } else {
            None
        }
    };
    let verbose = matches.get_flag("verbose");
    // The C tool prints there what curl tells of each request; here it is what `--verbose` prints.
    if verbose || std::env::var_os("OSTREE_DEBUG_HTTP").is_some() {
        log_to_stderr();
    }
    Cx {
        repo: path(
            matches!(command.needs, Needs::Repo | Needs::RepoPath),
            "repo",
        ),
        sysroot: path(command.needs == Needs::Sysroot, "sysroot"),
        verbose,
        out,
    }
}

fn log_to_stderr() {
    let _ = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(std::io::stderr)
        .without_time()
        .try_init();
}

/// The clap parser of an entry, with the general options its needs imply.
#[must_use]
pub fn parser(entry: &Entry) -> clap::Command {
    let base = clap::Command::new(entry.name)
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true);
    let command = match &entry.kind {
        Kind::Command(command) => Some(command),
        Kind::Group(group) => group.bare.as_ref(),
    };
    let needs = command.map_or(Needs::Nothing, |c| c.needs);
    let path = |id: &'static str| {
        Arg::new(id)
            .long(id)
            .value_name("PATH")
            .action(ArgAction::Set)
            .value_parser(value_parser!(PathBuf))
    };
    let mut parser = match needs {
        Needs::Nothing => base,
        Needs::RepoPath | Needs::Repo => base.arg(path("repo").help(
            "Repository to work on (default: the current directory, then /sysroot/ostree/repo)",
        )),
        Needs::Sysroot => base.arg(path("sysroot").help("Sysroot to work on (default: /)")),
    };
    if let Some(command) = command {
        parser = (command.augment)(parser);
    }
    let mut verbose = Arg::new("verbose")
        .long("verbose")
        .action(ArgAction::SetTrue)
        .help("Print debugging information while working");
    if command.is_none_or(|c| c.short_verbose) {
        verbose = verbose.short('v');
    }
    parser.arg(verbose).arg(
        Arg::new("version")
            .long("version")
            .action(ArgAction::SetTrue)
            .help("Print version information and exit"),
    )
}
