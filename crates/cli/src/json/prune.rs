//! `prune --json`.

use std::io::{self, Write};

use osier_store::prune::PruneOutcome;

use super::document::Document;
use super::schema;

/// Prints what a prune did, or would do.
pub fn print(
    out: &mut (dyn Write + Send),
    outcome: &PruneOutcome,
    dry_run: bool,
    commit_only: bool,
) -> io::Result<()> {
    let mut document = Document::begin(out, schema::PRUNE)?;
    document.field("dry_run", &dry_run)?;
    document.field("commit_only", &commit_only)?;
    document.field("total_objects", &outcome.total)?;
    document.field("deleted_objects", &outcome.deleted)?;
    document.field("freed_bytes", &outcome.freed)?;
    document.field("deleted_deltas", &outcome.deltas_deleted)?;
    document.end()
}
