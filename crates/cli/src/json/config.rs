//! `config get --json` and `config list --json`.

use std::io::{self, Write};

use serde_json::{Map, Value as Json};

use super::document::Document;
use super::schema;

/// Prints groups with their keys.
pub fn print(out: &mut (dyn Write + Send), groups: Map<String, Json>) -> io::Result<()> {
    let mut document = Document::begin(out, schema::CONFIG)?;
    document.field("groups", &groups)?;
    document.end()
}
