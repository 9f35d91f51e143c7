//! `diff --json`.

use std::io::{self, Write};

use osier_store::diff::{Diff, DiffStats, Side};
use serde::Serialize;

use super::document::Document;
use super::schema;

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Compared {
    Commit(String),
    Path(String),
}

impl From<&Side> for Compared {
    fn from(side: &Side) -> Self {
        match side {
            Side::Commit(id) => Compared::Commit(id.to_string()),
            Side::Dir(path) => Compared::Path(path.display().to_string()),
        }
    }
}

#[derive(Debug, Serialize)]
struct Stats {
    from_objects: u64,
    to_objects: u64,
    common_objects: u64,
    common_bytes: u64,
}

/// Prints a comparison; lists that were not asked for are left out.
pub fn print(
    out: &mut (dyn Write + Send),
    [from, to]: [&Side; 2],
    diff: Option<&Diff>,
    stats: Option<&DiffStats>,
) -> io::Result<()> {
    let mut document = Document::begin(out, schema::DIFF)?;
    document.field("from", &Compared::from(from))?;
    document.field("to", &Compared::from(to))?;
    if let Some(diff) = diff {
        document.list("modified", &diff.modified)?;
        document.list("removed", &diff.removed)?;
        document.list("added", &diff.added)?;
    }
    if let Some(stats) = stats {
        let stats = Stats {
            from_objects: stats.a_objects,
            to_objects: stats.b_objects,
            common_objects: stats.common_objects,
            common_bytes: stats.common_bytes,
        };
        document.field("stats", &stats)?;
    }
    document.end()
}
