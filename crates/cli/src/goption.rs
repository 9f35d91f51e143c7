//! GLib's rules for a command line, in front of clap.
//!
//! Scripts written for the C tool rely on them: options may stand anywhere, a
//! value follows as `--name=value` or as the next word whatever that looks like
//! (`--depth -1`), single-letter options cluster (`-RC`) but take no glued value
//! (`-bfoo` is an error there and here), the last of a repeated option wins, and
//! `--` ends the options. [`normalise`] rewrites such a line so that clap can
//! only agree: `--name=value … -- positionals`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use clap::{Arg, ArgAction};

use crate::error::OptionError;

/// What a command line asks for.
#[derive(Debug, Eq, PartialEq)]
pub enum Parsed {
    /// Run the command with these arguments.
    Run(Vec<OsString>),
    /// `--help` was met; nothing after it counts.
    Help,
}

/// Rewrites `args` for `command`.
///
/// # Errors
/// An unknown option, or one without its value.
pub fn normalise(command: &clap::Command, args: &[OsString]) -> Result<Parsed, OptionError> {
    let mut line = Line {
        command,
        words: args.iter(),
        options: Vec::new(),
        help: false,
    };
    let mut positionals: Vec<OsString> = Vec::new();
    while let Some(word) = line.words.next() {
        let bytes = word.as_bytes();
        if bytes == b"--" {
            positionals.extend(line.words.by_ref().cloned());
        } else if let Some(long) = bytes.strip_prefix(b"--") {
            line.long(word, long)?;
        } else if bytes.len() > 1 && bytes[0] == b'-' {
            line.cluster(word)?;
        } else {
            positionals.push(word.clone());
        }
        if line.help {
            return Ok(Parsed::Help);
        }
    }
    Ok(Parsed::Run(line.canonical(positionals)))
}

struct Line<'a> {
    command: &'a clap::Command,
    words: std::slice::Iter<'a, OsString>,
    options: Vec<(&'a Arg, Option<OsString>)>,
    help: bool,
}

impl<'a> Line<'a> {
    fn long(&mut self, word: &OsStr, long: &[u8]) -> Result<(), OptionError> {
        let (name, value) = match long.iter().position(|&b| b == b'=') {
            Some(at) => (
                &long[..at],
                Some(OsStr::from_bytes(&long[at + 1..]).to_owned()),
            ),
            None => (long, None),
        };
        if name == b"help" || name == b"help-all" {
            self.help = true;
            return Ok(());
        }
        let arg = find(self.command, |a| {
            a.get_long().is_some_and(|l| l.as_bytes() == name)
        })
        .ok_or_else(|| unknown(word))?;
        if takes_value(arg) {
            let value = match value {
                Some(value) => value,
                None => self.words.next().cloned().ok_or_else(|| missing(word))?,
            };
            self.options.push((arg, Some(value)));
        } else {
            // `--flag=anything` sets the flag, as GLib has it.
            self.options.push((arg, None));
        }
        Ok(())
    }

    /// `-abc`: each letter an option, at most one of which takes the next word.
    /// If one letter is unknown, so is the whole word.
    fn cluster(&mut self, word: &OsStr) -> Result<(), OptionError> {
        let letters = word.to_str().ok_or_else(|| unknown(word))?[1..].chars();
        let mut found = Vec::new();
        for letter in letters {
            if letter == 'h' || letter == '?' {
                self.help = true;
                return Ok(());
            }
            let arg = find(self.command, |a| a.get_short() == Some(letter))
                .ok_or_else(|| unknown(word))?;
            found.push((letter, arg));
        }
        let mut value_used = false;
        for (letter, arg) in found {
            let value = if takes_value(arg) {
                if std::mem::replace(&mut value_used, true) {
                    return Err(OptionError(format!("Error parsing option -{letter}")));
                }
                let name = format!("-{letter}");
                Some(
                    self.words
                        .next()
                        .cloned()
                        .ok_or_else(|| missing(OsStr::new(&name)))?,
                )
            } else {
                None
            };
            self.options.push((arg, value));
        }
        Ok(())
    }

    /// Only the last of an option that is not a list; positionals behind `--`.
    fn canonical(self, positionals: Vec<OsString>) -> Vec<OsString> {
        let mut line = Vec::new();
        for (at, (arg, value)) in self.options.iter().enumerate() {
            let repeated = self.options[at + 1..]
                .iter()
                .any(|(later, _)| later.get_id() == arg.get_id());
            if repeated && !matches!(arg.get_action(), ArgAction::Append) {
                continue;
            }
            let mut word = OsString::from("--");
            word.push(arg.get_long().unwrap_or_default());
            if let Some(value) = value {
                word.push("=");
                word.push(value);
            }
            line.push(word);
        }
        line.push("--".into());
        line.extend(positionals);
        line
    }
}

fn find(command: &clap::Command, is: impl Fn(&Arg) -> bool) -> Option<&Arg> {
    command
        .get_arguments()
        .find(|a| !a.is_positional() && is(a))
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

fn unknown(word: &OsStr) -> OptionError {
    OptionError(format!("Unknown option {}", word.to_string_lossy()))
}

fn missing(word: &OsStr) -> OptionError {
    OptionError(format!("Missing argument for {}", word.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::*;

    fn command() -> Command {
        Command::new("t")
            .arg(Arg::new("repo").long("repo").action(ArgAction::Set))
            .arg(
                Arg::new("branch")
                    .long("branch")
                    .short('b')
                    .action(ArgAction::Set),
            )
            .arg(
                Arg::new("subject")
                    .long("subject")
                    .short('s')
                    .action(ArgAction::Set),
            )
            .arg(
                Arg::new("recurse")
                    .long("recurse")
                    .short('R')
                    .action(ArgAction::SetTrue),
            )
            .arg(Arg::new("tree").long("tree").action(ArgAction::Append))
            .arg(Arg::new("rest").num_args(0..))
    }

    fn run(line: &[&str]) -> Result<Parsed, String> {
        let args: Vec<OsString> = line.iter().map(OsString::from).collect();
        normalise(&command(), &args).map_err(|e| e.0)
    }

    fn words(line: &[&str]) -> Result<Parsed, String> {
        Ok(Parsed::Run(line.iter().map(OsString::from).collect()))
    }

    #[test]
    fn options_stand_anywhere_and_values_follow_in_both_forms() {
        let expected = words(&["--repo=r", "--branch=x", "--", "p", "q"]);
        assert_eq!(run(&["--repo=r", "-b", "x", "p", "q"]), expected);
        assert_eq!(run(&["p", "--repo", "r", "q", "--branch=x"]), expected);
        assert_eq!(
            run(&["--branch", "--repo"]),
            words(&["--branch=--repo", "--"])
        );
        assert_eq!(run(&["--branch="]), words(&["--branch=", "--"]));
    }

    #[test]
    fn clusters() {
        assert_eq!(
            run(&["-Rb", "x", "p"]),
            words(&["--recurse", "--branch=x", "--", "p"])
        );
        assert_eq!(
            run(&["-bR", "x"]),
            words(&["--branch=x", "--recurse", "--"])
        );
        assert_eq!(run(&["-bfoo"]), Err("Unknown option -bfoo".into()));
        assert_eq!(
            run(&["-Rbs", "x", "y"]),
            Err("Error parsing option -s".into())
        );
        assert_eq!(run(&["-b"]), Err("Missing argument for -b".into()));
    }

    #[test]
    fn the_last_single_option_wins_and_lists_collect() {
        assert_eq!(
            run(&[
                "-b",
                "x",
                "--tree=1",
                "--branch=y",
                "--tree",
                "2",
                "-R",
                "-R"
            ]),
            words(&["--tree=1", "--branch=y", "--tree=2", "--recurse", "--"])
        );
    }

    #[test]
    fn double_dash_and_single_dash() {
        assert_eq!(
            run(&["-", "--", "-R", "--"]),
            words(&["--", "-", "-R", "--"])
        );
    }

    #[test]
    fn flags_ignore_a_value() {
        assert_eq!(run(&["--recurse=0"]), words(&["--recurse", "--"]));
    }

    #[test]
    fn help_stops_the_reading() {
        for line in [
            &["--help", "--bogus"][..],
            &["-R", "-h"],
            &["-?"],
            &["-Rh"],
            &["--help-all"],
        ] {
            assert_eq!(run(line), Ok(Parsed::Help), "{line:?}");
        }
        assert_eq!(
            run(&["--bogus", "--help"]),
            Err("Unknown option --bogus".into())
        );
        assert_eq!(run(&["--", "-h"]), words(&["--", "-h"]));
    }

    #[test]
    fn unknown_and_missing() {
        assert_eq!(run(&["--rep"]), Err("Unknown option --rep".into()));
        assert_eq!(run(&["--bogus=1"]), Err("Unknown option --bogus=1".into()));
        assert_eq!(run(&["-Rx"]), Err("Unknown option -Rx".into()));
        assert_eq!(run(&["--repo"]), Err("Missing argument for --repo".into()));
    }
}
