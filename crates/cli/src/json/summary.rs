//! `summary --view --json` and `remote summary --json`.

use std::io::Write;

use anyhow::Result;
use osier_gv::{Dict, Value};
use osier_object::summary::key;
use osier_object::{Checksum, CommitId, Summary, SummaryRef};
use serde::Serialize;
use serde_json::Value as Json;

use super::document::Document;
use super::schema;
use super::value::{Time, metadata};

#[derive(Debug, Serialize)]
struct Ref {
    name: String,
    collection: Option<String>,
    commit: String,
    commit_size: u64,
    timestamp: Option<i64>,
    date: Option<String>,
    version: Option<String>,
    metadata: Json,
}

impl Ref {
    fn new(collection: Option<&str>, entry: &SummaryRef) -> Self {
        let time = big_endian_time(&entry.metadata, key::COMMIT_TIMESTAMP);
        Self {
            name: entry.name.clone(),
            collection: collection.map(str::to_owned),
            commit: entry.commit.to_string(),
            commit_size: entry.commit_size,
            timestamp: time.map(Time::seconds),
            date: time.and_then(Time::date),
            version: entry
                .metadata
                .get_str(key::COMMIT_VERSION)
                .map(str::to_owned),
            metadata: metadata(&entry.metadata),
        }
    }
}

/// A static delta: from nothing, or from a commit.
#[derive(Debug, Serialize)]
struct Delta {
    from: Option<String>,
    to: String,
    superblock_checksum: Option<String>,
}

/// Prints a summary; `signed` says whether there are signatures beside it, which are not looked at.
pub fn print(out: &mut (dyn Write + Send), summary: &Summary, signed: bool) -> Result<()> {
    let own = summary.metadata.get_str(key::COLLECTION_ID);
    let others = summary.collection_map()?;
    let mut document = Document::begin(out, schema::SUMMARY)?;
    document.begin_list("refs")?;
    for entry in &summary.refs {
        document.element(&Ref::new(own, entry))?;
    }
    for (collection, refs) in &others {
        for entry in refs {
            document.element(&Ref::new(Some(collection), entry))?;
        }
    }
    document.end_list()?;
    let of = &summary.metadata;
    let modified = big_endian_time(of, key::LAST_MODIFIED);
    let expires = big_endian_time(of, key::EXPIRES);
    document.field("last_modified", &modified.map(Time::seconds))?;
    document.field("last_modified_date", &modified.and_then(Time::date))?;
    document.field("expires", &expires.map(Time::seconds))?;
    document.field("expires_date", &expires.and_then(Time::date))?;
    document.field("mode", &of.get_str(key::MODE))?;
    document.field("collection", &own)?;
    document.field("tombstone_commits", &of.get_bool(key::TOMBSTONE_COMMITS))?;
    document.field("indexed_deltas", &of.get_bool(key::INDEXED_DELTAS))?;
    document.field("signed", &signed)?;
    document.list("static_deltas", deltas(of))?;
    document.field("metadata", &without_listed(of))?;
    document.end()?;
    Ok(())
}

/// What is printed in its own fields, and as large as the repository, is not repeated.
fn without_listed(metadata_of: &Dict) -> Json {
    let mut rest = metadata_of.clone();
    rest.remove(key::COLLECTION_MAP);
    rest.remove(key::STATIC_DELTAS);
    metadata(&rest)
}

fn deltas(of: &Dict) -> Vec<Delta> {
    let Some(deltas) = of.get_dict(key::STATIC_DELTAS) else {
        return Vec::new();
    };
    let delta = |(name, digest): (&str, &Value)| {
        let (from, to) = match name.split_once('-') {
            Some((from, to)) => (Some(from.to_owned()), to),
            None => (None, name),
        };
        let digest = digest
            .as_bytes()
            .and_then(|bytes| Checksum::from_bytes(bytes).ok());
        Delta {
            from,
            to: to.to_owned(),
            superblock_checksum: digest.map(|digest| CommitId(digest).to_string()),
        }
    };
    deltas.iter().map(delta).collect()
}

fn big_endian_time(of: &Dict, key: &str) -> Option<Time> {
    match of.get(key) {
        Some(Value::U64(seconds)) => Some(Time(u64::from_be(*seconds))),
        _ => None,
    }
}
