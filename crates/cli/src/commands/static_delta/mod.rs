//! `ostree static-delta SUB`.

mod apply_offline;
mod delete;
mod generate;
mod indexes;
mod list;
mod reindex;
mod show;
mod verify;

use std::fmt::Display;
use std::io::{self, Write};

use anyhow::{Result, bail};

use crate::table::{Entry, repo};

/// Sub-commands, in the order of the help.
pub const COMMANDS: &[Entry] = &[
    repo::<list::Args>("list"),
    repo::<show::Args>("show"),
    repo::<delete::Args>("delete"),
    repo::<generate::Args>("generate"),
    repo::<apply_offline::Args>("apply-offline"),
    repo::<verify::Args>("verify"),
    repo::<indexes::Args>("indexes"),
    repo::<reindex::Args>("reindex"),
];

/// The first argument, which names a delta.
fn delta_argument(args: &[String]) -> Result<&str> {
    match args.first() {
        Some(delta) => Ok(delta),
        None => bail!("DELTA must be specified"),
    }
}

/// One line for each, or the word that there is none.
fn list_lines<T: Display>(out: &mut impl Write, items: &[T], none: &str) -> io::Result<()> {
    if items.is_empty() {
        return writeln!(out, "{none}");
    }
    items.iter().try_for_each(|item| writeln!(out, "{item}"))
}
