//! Errors to text and exit codes: the only place that does it.
//!
//! | what happened | stderr | exit |
//! |---|---|---|
//! | wrong use of a command ([`UsageError`]) | its help, then `error: …` | 1 |
//! | any failure | `error: ACTION: CAUSE` | 1 |
//! | the reader of our output went away | nothing | 141, as a shell reports SIGPIPE |
//! | a command asks for a given code ([`Exit`]) | nothing | that code |

use std::fmt;
use std::io;

use anyhow::Error;

/// The exit code of a program killed by SIGPIPE, as shells report it.
const EXIT_BROKEN_PIPE: u8 = 141;

/// The command line makes no sense: the help is printed before the message.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// The command line cannot be parsed: message only, no help.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OptionError(pub String);

/// End with this code, everything worth saying has been said.
#[derive(Debug, thiserror::Error)]
#[error("exit status {0}")]
pub struct Exit(pub u8);

/// A [`UsageError`] as an `anyhow` error, to return from a command.
pub fn usage(text: impl Into<String>) -> Error {
    UsageError(text.into()).into()
}

/// An error with what may help on a line of its own.
pub fn hinted(
    error: impl std::error::Error + Send + Sync + 'static,
    hint: Option<String>,
) -> Error {
    match hint {
        // One text: causes would come after the hint.
        Some(hint) => anyhow::anyhow!("{}\nhint: {hint}", chain(&error.into())),
        None => error.into(),
    }
}

/// An option that this version accepts in the C tool's place but cannot honour.
/// It fails before anything is done: an option is never silently ignored.
pub fn unsupported(option: &str) -> Error {
    OptionError(format!("{option} is not supported yet")).into()
}

/// Fails with [`unsupported`] if the option was given.
pub fn refuse(given: bool, option: &str) -> Result<(), Error> {
    if given {
        Err(unsupported(option))
    } else {
        Ok(())
    }
}

/// What to print and how to end.
#[derive(Debug, Eq, PartialEq)]
pub struct Report {
    /// Whether the command's help goes to stderr first.
    pub with_help: bool,
    /// The line after `error: `; none for silent ends.
    pub text: Option<String>,
    /// Exit code.
    pub code: u8,
}

/// Decides what a failed run says and returns.
#[must_use]
pub fn report(error: &Error) -> Report {
    if let Some(Exit(code)) = error.downcast_ref() {
        return Report {
            with_help: false,
            text: None,
            code: *code,
        };
    }
    if is_broken_pipe(error) {
        return Report {
            with_help: false,
            text: None,
            code: EXIT_BROKEN_PIPE,
        };
    }
    let with_help = error.downcast_ref::<UsageError>().is_some();
    let text = match error.downcast_ref::<clap::Error>() {
        Some(clap) => crate::value::clap_text(clap),
        None => chain(error),
    };
    Report {
        with_help,
        text: Some(text),
        code: 1,
    }
}

/// A write to standard output found no reader. Only plain I/O errors count: a
/// library error that wraps one is about another descriptor.
fn is_broken_pipe(error: &Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

/// `ACTION: CAUSE: CAUSE`, each said once and without Rust's `(os error N)`.
fn chain(error: &Error) -> String {
    let mut text = String::new();
    let mut last = String::new();
    for cause in error.chain() {
        let part = plain(cause);
        if text.is_empty() {
            text.push_str(&part);
        } else if !last.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        } else {
            continue;
        }
        last = part;
    }
    text
}

fn plain(cause: &dyn fmt::Display) -> String {
    let mut text = cause.to_string();
    while let Some(start) = text.find(" (os error ") {
        let Some(len) = text[start..].find(')') else {
            break;
        };
        text.replace_range(start..=start + len, "");
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn causes_are_joined_once_and_os_error_numbers_are_dropped() {
        let io = io::Error::from_raw_os_error(2);
        let error = Error::from(io)
            .context("opendir(x)")
            .context("opening repo");
        let report = report(&error);
        assert_eq!(
            report.text.as_deref(),
            Some("opening repo: opendir(x): No such file or directory")
        );
        assert_eq!(report.code, 1);
        assert!(!report.with_help);
    }

    #[test]
    fn a_cause_already_in_the_message_is_not_repeated() {
        #[derive(Debug, thiserror::Error)]
        #[error("reading config: {0}")]
        struct Wrapped(#[source] io::Error);
        let error = Error::from(Wrapped(io::Error::from_raw_os_error(13)));
        assert_eq!(
            report(&error).text.as_deref(),
            Some("reading config: Permission denied")
        );
    }

    #[test]
    fn usage_errors_ask_for_the_help_even_with_context() {
        assert!(report(&usage("A rev argument is required")).with_help);
        let error = Err::<(), _>(usage("x")).context("y").unwrap_err();
        assert!(report(&error).with_help);
    }

    #[test]
    fn a_broken_pipe_is_silent() {
        let error = Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(
            report(&error),
            Report {
                with_help: false,
                text: None,
                code: 141
            }
        );
    }

    #[test]
    fn an_explicit_exit_code_is_silent() {
        assert_eq!(report(&Exit(77).into()).code, 77);
        assert_eq!(report(&Exit(77).into()).text, None);
    }
}
