//! `push --json`.

use std::io::{self, Write};

use osier_publish::PushOutcome;
use serde::Serialize;

use super::document::Document;
use super::schema;

#[derive(Debug, Serialize)]
struct Moved<'a> {
    name: &'a str,
    old_commit: Option<String>,
    new_commit: Option<String>,
}

/// Prints what was brought.
pub fn print(out: &mut (dyn Write + Send), dry_run: bool, outcome: &PushOutcome) -> io::Result<()> {
    let mut document = Document::begin(out, schema::PUSH)?;
    document.field("dry_run", &dry_run)?;
    document.field("objects", &outcome.objects)?;
    document.field("objects_sent", &outcome.objects_sent)?;
    document.field("bytes_sent", &outcome.bytes_sent)?;
    document.field("deltas_sent", &outcome.deltas_sent)?;
    document.field("summary_written", &outcome.summary_written)?;
    document.field("objects_deleted", &outcome.objects_deleted)?;
    document.field("deltas_deleted", &outcome.deltas_deleted)?;
    document.field("unchanged_refs", &outcome.unchanged_refs)?;
    document.list(
        "refs",
        outcome.refs.iter().map(|change| Moved {
            name: &change.name,
            old_commit: change.old.map(|id| id.to_string()),
            new_commit: change.new.map(|id| id.to_string()),
        }),
    )?;
    document.end()
}
