//! `rev-parse --json`.

use std::io::{self, Write};

use osier_object::CommitId;
use serde::Serialize;

use super::document::Document;
use super::schema;

/// A revision and its commit; `--single` is given no revision.
#[derive(Debug, Serialize)]
pub struct Rev {
    rev: Option<String>,
    commit: String,
}

impl Rev {
    #[must_use]
    pub fn new(rev: Option<&str>, commit: &CommitId) -> Self {
        Self {
            rev: rev.map(str::to_owned),
            commit: commit.to_string(),
        }
    }
}

/// Prints what revisions stand for.
pub fn print(out: &mut (dyn Write + Send), revs: impl IntoIterator<Item = Rev>) -> io::Result<()> {
    let mut document = Document::begin(out, schema::REV_PARSE)?;
    document.list("revs", revs)?;
    document.end()
}
