//! `pull-local --json`.

use std::io::{self, Write};

use osier_store::local_pull::LocalPullOutcome;
use serde::Serialize;

use super::document::Document;
use super::schema;

#[derive(Debug, Serialize)]
struct Pulled<'a> {
    name: &'a str,
    commit: String,
}

/// Prints what was copied.
pub fn print(out: &mut (dyn Write + Send), outcome: &LocalPullOutcome) -> io::Result<()> {
    let mut document = Document::begin(out, schema::PULL_LOCAL)?;
    document.field("metadata_objects", &outcome.metadata)?;
    document.field("content_objects", &outcome.content)?;
    document.field("linked_objects", &outcome.linked)?;
    document.field("content_bytes_written", &outcome.content_bytes_written)?;
    document.field("detached_metadata_bytes", &outcome.commitmeta_bytes)?;
    document.list(
        "refs",
        outcome.refs.iter().map(|(name, commit)| Pulled {
            name,
            commit: commit.to_string(),
        }),
    )?;
    document.end()
}
