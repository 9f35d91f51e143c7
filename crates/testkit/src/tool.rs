//! Driving an `ostree` program: ours, or the C project's as the peer.

use crate::skip;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The variable that names the program taken for ours, instead of the one in the target folder.
pub const OURS: &str = "OSIER_OSTREE_BIN";
/// The variable that names the C tool, instead of `/usr/bin/ostree`.
pub const PEER: &str = "OSIER_C_OSTREE";

/// An `ostree` program.
#[derive(Clone, Debug)]
pub struct Tool {
    name: &'static str,
    program: PathBuf,
    repo: Option<PathBuf>,
    env: Vec<(String, String)>,
}

impl Tool {
    /// Our program: [`OURS`], else `ostree` beside the running test in the target folder.
    ///
    /// # Panics
    /// When it is not built.
    pub fn ours() -> Tool {
        let program = std::env::var_os(OURS).map_or_else(built, PathBuf::from);
        assert!(
            program.is_file(),
            "{} does not exist: run `cargo build --package osier-cli` first, or set {OURS}",
            program.display()
        );
        Tool::new("ours", program)
    }

    /// The C tool, or `None` where there is none; the skip is printed then.
    pub fn c() -> Option<Tool> {
        let program =
            std::env::var_os(PEER).map_or_else(|| PathBuf::from("/usr/bin/ostree"), PathBuf::from);
        let tool = Tool::new("C", program);
        let version = tool.command(["--version"]).output();
        if version
            .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).starts_with("libostree:"))
        {
            return Some(tool);
        }
        skip::because(&format!(
            "no C ostree at {} (Debian package ostree)",
            tool.program.display()
        ));
        None
    }

    /// Any program that takes ostree's arguments.
    pub fn new(name: &'static str, program: PathBuf) -> Tool {
        // Modes in repositories follow the umask; the tests' expectations are those of 022.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        Tool {
            name,
            program,
            repo: None,
            env: Vec::new(),
        }
    }

    /// `ours` or `C`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The program's path.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The same program with `--repo=PATH` before each command.
    pub fn repo(&self, path: impl Into<PathBuf>) -> Tool {
        Tool {
            repo: Some(path.into()),
            ..self.clone()
        }
    }

    /// The same program with one more environment variable.
    pub fn env(&self, name: &str, value: &str) -> Tool {
        let mut tool = self.clone();
        tool.env.push((name.to_owned(), value.to_owned()));
        tool
    }

    /// The command, not yet started. The environment holds nothing that changes what ostree does, but for what
    /// [`Tool::env`] added; standard input is empty.
    pub fn command<I, S>(&self, args: I) -> Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("OSTREE_") || text.starts_with("LC_") || text.ends_with("_proxy") {
                command.env_remove(&name);
            }
        }
        command
            .env_remove("SOURCE_DATE_EPOCH")
            .env_remove("LANGUAGE");
        command.env("LANG", "C.UTF-8").env("TZ", "UTC");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(repo) = &self.repo {
            let mut option = std::ffi::OsString::from("--repo=");
            option.push(repo);
            command.arg(option);
        }
        command.args(args).stdin(Stdio::null());
        command
    }

    /// Runs it to its end, whatever that is.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn run<I, S>(&self, args: I) -> Outcome
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.finish(&mut self.command(args))
    }

    /// Runs a command that [`Tool::command`] prepared.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn finish(&self, command: &mut Command) -> Outcome {
        let line = std::iter::once(self.name.to_owned())
            .chain(
                command
                    .get_args()
                    .map(|arg| arg.to_string_lossy().into_owned()),
            )
            .collect::<Vec<_>>()
            .join(" ");
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("starting {}: {error}", self.program.display()));
        Outcome::new(line, output)
    }

    /// Runs it and gives its standard output without the last newline.
    ///
    /// # Panics
    /// When it does not exit with 0.
    #[track_caller]
    pub fn ok<I, S>(&self, args: I) -> String
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.run(args).expect_ok().stdout_trimmed()
    }

    /// Runs it and gives what it wrote to standard error.
    ///
    /// # Panics
    /// When it does not exit with 1, the code of every failure that is not a crash.
    #[track_caller]
    pub fn fail<I, S>(&self, args: I) -> String
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.run(args).expect_fail().stderr
    }
}

/// `target/PROFILE/ostree`, seen from a test in `target/PROFILE/deps`.
fn built() -> PathBuf {
    let test = std::env::current_exe().unwrap_or_default();
    let deps = test.parent().unwrap_or(Path::new(""));
    let profile = if deps.ends_with("deps") {
        deps.parent().unwrap_or(deps)
    } else {
        deps
    };
    profile.join("ostree")
}

/// What a run gave.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The command line, for messages.
    pub line: String,
    /// The exit code, or 128 and the number of the signal that ended it, as shells count.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    fn new(line: String, output: Output) -> Outcome {
        let status = output.status;
        Outcome {
            line,
            code: status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Itself, when the exit code is 0.
    ///
    /// # Panics
    /// On any other code, showing the command and what it printed.
    #[track_caller]
    pub fn expect_ok(self) -> Outcome {
        assert!(self.code == 0, "expected success:\n{self}");
        self
    }

    /// Itself, when the exit code is 1 and an error was printed.
    ///
    /// # Panics
    /// On success, on a crash, and on silence.
    #[track_caller]
    pub fn expect_fail(self) -> Outcome {
        assert!(self.code == 1, "expected exit code 1:\n{self}");
        assert!(
            self.stderr.contains("error: "),
            "expected `error: ` on standard error:\n{self}"
        );
        self
    }

    /// Standard output without the last newline.
    pub fn stdout_trimmed(&self) -> String {
        self.stdout
            .strip_suffix('\n')
            .unwrap_or(&self.stdout)
            .to_owned()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  $ {}", self.line)?;
        writeln!(f, "  exit {}", self.code)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            for line in text.lines() {
                writeln!(f, "  {name}: {line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_streams_are_kept_apart() {
        let tool = Tool::new("sh", "/bin/sh".into());
        let outcome = tool.run(["-c", "echo out; echo 'error: no' >&2; exit 1"]);
        assert_eq!(
            (
                outcome.code,
                outcome.stdout.as_str(),
                outcome.stderr.as_str()
            ),
            (1, "out\n", "error: no\n")
        );
        assert_eq!(
            tool.fail(["-c", "echo 'error: no' >&2; exit 1"]),
            "error: no\n"
        );
        assert_eq!(tool.run(["-c", "kill -9 $$"]).code, 137);
    }

    #[test]
    #[should_panic(expected = "expected success")]
    fn a_failure_is_not_taken_for_success() {
        Tool::new("sh", "/bin/sh".into()).ok(["-c", "exit 1"]);
    }

    #[test]
    #[should_panic(expected = "expected exit code 1")]
    fn a_crash_is_not_taken_for_an_error() {
        Tool::new("sh", "/bin/sh".into()).fail(["-c", "echo error: no >&2; kill -ABRT $$"]);
    }
}
