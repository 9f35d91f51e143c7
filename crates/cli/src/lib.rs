//! The `ostree` program: arguments in, one library call, text out.
//!
//! Each command is one file under [`commands`] (or [`admin`]): a clap `Args`
//! struct whose doc comments are the help, and a `run` that turns it into the
//! library's options, makes the call and renders the outcome. [`table`] says
//! which commands exist and what each needs opened; [`goption`] makes argument
//! parsing behave as scripts written for the C tool expect; [`error`] is the
//! only place that turns an error into text and an exit code.
//!
//! ```
//! // `ostree --help`, as a library call.
//! let help = osier_cli::help_text(&[]).unwrap();
//! assert!(help.starts_with("Usage:\n  ostree [OPTION…] COMMAND\n"));
//! assert!(help.contains("  remote "));
//! ```
#![forbid(unsafe_code)]
// Help text lives in doc comments of public argument structs; fields that are
// only plumbing need no sentence of their own.
#![allow(missing_docs)]

pub mod admin;
pub mod clock;
pub mod commands;
pub mod context;
pub mod delta_progress;
pub mod dispatch;
pub mod error;
pub mod extension;
pub mod goption;
pub mod gpg;
pub mod help;
pub mod interrupt;
pub mod json;
pub mod local;
pub mod open;
pub mod output;
pub mod pace;
pub mod progress;
pub mod render;
pub mod signing;
pub mod table;
pub mod tree;
pub mod value;
pub mod version;
pub mod visible;

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the program: `args` without the program's own name.
#[must_use]
pub fn main(args: Vec<OsString>) -> ExitCode {
    dispatch::main(args)
}

/// The help text of the command at `path` (empty: of the program itself).
#[must_use]
pub fn help_text(path: &[&str]) -> Option<String> {
    let mut here = dispatch::root();
    let mut names = vec!["ostree"];
    for name in path {
        let table::Kind::Group(group) = &here.kind else {
            return None;
        };
        here = group.commands.iter().find(|c| c.name == *name)?;
        names.push(here.name);
    }
    Some(help::render(here, &names))
}
