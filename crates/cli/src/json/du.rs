//! `du --json`.

use std::io::{self, Write};

use osier_object::CommitId;
use osier_store::du::{DuOutcome, RevUsage, Usage};
use serde::Serialize;

use super::document::Document;
use super::schema;

#[derive(Debug, Serialize)]
struct Bytes {
    objects: u64,
    unpacked_bytes: u64,
    stored_bytes: u64,
    allocated_bytes: u64,
}

impl From<Usage> for Bytes {
    fn from(usage: Usage) -> Self {
        Self {
            objects: usage.objects,
            unpacked_bytes: usage.unpacked,
            stored_bytes: usage.stored,
            allocated_bytes: usage.allocated,
        }
    }
}

#[derive(Debug, Serialize)]
struct Rev<'a> {
    rev: &'a str,
    commit: String,
    commits: u64,
    all: Bytes,
    exclusive: Bytes,
    shared: Bytes,
}

/// Prints revisions in the order given; `all_refs`: they were, so that nothing leads to the rest.
pub fn print<'a>(
    out: &mut (dyn Write + Send),
    depth: Option<u32>,
    revs: impl IntoIterator<Item = (&'a str, &'a CommitId, &'a RevUsage)>,
    outcome: &DuOutcome,
    all_refs: bool,
) -> io::Result<()> {
    let mut document = Document::begin(out, schema::DU)?;
    document.field("depth", &depth)?;
    document.list(
        "revs",
        revs.into_iter().map(|(rev, commit, usage)| Rev {
            rev,
            commit: commit.to_string(),
            commits: usage.commits,
            all: usage.all.into(),
            exclusive: usage.exclusive.into(),
            shared: usage.all.without(&usage.exclusive).into(),
        }),
    )?;
    document.field("total", &Bytes::from(outcome.total))?;
    document.field(
        "unreferenced",
        &all_refs.then(|| Bytes::from(outcome.unreached)),
    )?;
    document.field("missing_objects", &outcome.missing)?;
    document.end()
}
