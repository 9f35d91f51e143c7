//! A summary for people, as `summary --view` and `remote summary` print it.

use std::io::{self, Write};

use anyhow::{Result, bail};
use osier_gv::{Dict, Type, Value};
use osier_object::summary::key;
use osier_object::{Summary, SummaryRef};
use osier_store::size_text::si;

use crate::render::{date, variant};

/// `--raw`: the whole summary as one GVariant.
pub fn raw(out: &mut dyn Write, bytes: &[u8]) -> Result<()> {
    let value = Value::decode(&Type::parse("(a(s(taya{sv}))a{sv})")?, bytes)?;
    writeln!(out, "{}", variant::swapped(&value))?;
    Ok(())
}

/// `--list-metadata-keys`: sorted, one a line.
pub fn list_keys(out: &mut dyn Write, metadata: &Dict) -> io::Result<()> {
    let mut keys: Vec<&str> = metadata.keys().collect();
    keys.sort_unstable();
    for key in keys {
        writeln!(out, "{key}")?;
    }
    Ok(())
}

/// `--print-metadata-key`.
///
/// # Errors
/// When there is no such key.
pub fn print_key(out: &mut dyn Write, metadata: &Dict, key: &str) -> Result<()> {
    let Some(value) = metadata.get(key) else {
        bail!("No such metadata key '{key}'")
    };
    writeln!(out, "{}", variant::swapped(value))?;
    Ok(())
}

/// All refs, then the metadata.
pub fn view(out: &mut dyn Write, summary: &Summary) -> Result<()> {
    let own = summary.metadata.get_str(key::COLLECTION_ID);
    for entry in &summary.refs {
        reference(out, own, entry)?;
    }
    for (collection, refs) in summary.collection_map()? {
        for entry in &refs {
            reference(out, Some(&collection), entry)?;
        }
    }
    for (key, value) in summary.metadata.iter() {
        metadata(out, key, value)?;
    }
    Ok(())
}

fn reference(out: &mut dyn Write, collection: Option<&str>, entry: &SummaryRef) -> io::Result<()> {
    match collection {
        Some(collection) => writeln!(out, "* ({collection}, {})", entry.name)?,
        None => writeln!(out, "* {}", entry.name)?,
    }
    writeln!(out, "    Latest Commit ({}):", si(entry.commit_size))?;
    writeln!(out, "      {}", entry.commit)?;
    for (key, value) in entry.metadata.iter() {
        match key {
            key::COMMIT_TIMESTAMP => writeln!(out, "    Timestamp ({key}): {}", time(value))?,
            key::COMMIT_VERSION => writeln!(out, "    Version ({key}): {}", text(value))?,
            _ => writeln!(out, "    {key}: {}", variant::plain(value))?,
        }
    }
    writeln!(out)
}

fn metadata(out: &mut dyn Write, key: &str, value: &Value) -> io::Result<()> {
    match key {
        key::MODE => writeln!(out, "Repository Mode ({key}): {}", text(value)),
        key::LAST_MODIFIED => writeln!(out, "Last-Modified ({key}): {}", time(value)),
        key::EXPIRES => writeln!(out, "Expires ({key}): {}", time(value)),
        key::TOMBSTONE_COMMITS => {
            let answer = if *value == Value::Bool(true) {
                "Yes"
            } else {
                "No"
            };
            writeln!(out, "Has Tombstone Commits ({key}): {answer}")
        }
        key::STATIC_DELTAS => writeln!(out, "Static Deltas ({key}): {}", variant::native(value)),
        key::COLLECTION_ID => writeln!(out, "Collection ID ({key}): {}", text(value)),
        key::COLLECTION_MAP => writeln!(out, "Collection Map ({key}): (printed above)"),
        _ => writeln!(out, "{key}: {}", variant::plain(value)),
    }
}

/// A string as it is; anything else, which only a broken writer makes, as a GVariant.
fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| variant::native(value), str::to_owned)
}

/// A big-endian time.
fn time(value: &Value) -> String {
    match value {
        Value::U64(seconds) => {
            date::local_iso(u64::from_be(*seconds)).unwrap_or_else(|| "invalid".to_owned())
        }
        other => variant::native(other),
    }
}
