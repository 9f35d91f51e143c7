//! `remote list --json`.

use std::io::{self, Write};

use serde::Serialize;

use super::document::Document;
use super::schema;

/// A remote. One that is configured without a URL has none.
#[derive(Debug, Serialize)]
pub struct Remote {
    pub name: String,
    pub url: Option<String>,
}

/// Prints the remotes.
pub fn print(
    out: &mut (dyn Write + Send),
    remotes: impl IntoIterator<Item = Remote>,
) -> io::Result<()> {
    let mut document = Document::begin(out, schema::REMOTES)?;
    document.list("remotes", remotes)?;
    document.end()
}
