//! A commit for people, as `log` and `show` print it.

use std::io::{self, Write};

use osier_object::commit::key;
use osier_object::{Commit, CommitId};

use crate::render::date;

/// The first line, above either form of a commit.
pub fn heading(out: &mut dyn Write, id: &CommitId) -> io::Result<()> {
    writeln!(out, "commit {id}")
}

/// Everything below the heading, up to and with the empty line.
pub fn body(out: &mut dyn Write, commit: &Commit) -> io::Result<()> {
    if let Some(parent) = &commit.parent {
        writeln!(out, "Parent:  {parent}")?;
    }
    writeln!(out, "ContentChecksum:  {}", commit.content_checksum())?;
    writeln!(out, "Date:  {}", date::utc(commit.timestamp))?;
    if let Some(version) = commit.metadata.get_str(key::VERSION) {
        writeln!(out, "Version: {version}")?;
    }
    if commit.subject.is_empty() {
        writeln!(out, "(no subject)")?;
    } else {
        indented(out, &commit.subject)?;
    }
    if !commit.body.is_empty() {
        indented(out, &commit.body)?;
    }
    writeln!(out)
}

fn indented(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out)?;
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        writeln!(out, "    {line}")?;
    }
    Ok(())
}
