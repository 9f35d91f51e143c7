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
use std::os::fd::AsFd;
use std::path::Path;

use anyhow::{Result, bail};
use osier_delta::DeltaFiles;
use osier_store::Repo;
use osier_store::static_deltas::DeltaName;

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

/// The files of a delta of the repository, or of a superblock by its path, which has a slash.
fn delta_files(repo: &Repo, argument: &str) -> Result<DeltaFiles> {
    if argument.contains('/') {
        return Ok(DeltaFiles::open(Path::new(argument))?);
    }
    let name: DeltaName = argument.parse()?;
    Ok(DeltaFiles::open_at(repo.dir().as_fd(), &name.path())?)
}

/// One line for each, or the word that there is none.
fn list_lines<T: Display>(out: &mut impl Write, items: &[T], none: &str) -> io::Result<()> {
    if items.is_empty() {
        return writeln!(out, "{none}");
    }
    items.iter().try_for_each(|item| writeln!(out, "{item}"))
}
