//! The summary of the destination: the local one where it says the same, else one made for it.

use super::upload::Transfer;
use crate::error::{Error, Result};
use crate::options::PushOptions;
use bytes::Bytes;
use osier_gv::{Dict, Value};
use osier_object::commit::key::VERSION;
use osier_object::summary::key;
use osier_object::{Commit, CommitId, ObjectType, Summary, SummaryRef, hash};
use osier_store::{ReadObjects, Repo};
use std::collections::BTreeMap;

const SUMMARY: &str = "summary";
const SIGNATURES: &str = "summary.sig";

/// Where the summary comes from.
pub(super) enum Plan {
    /// The local one, with its signatures if it has any, byte for byte.
    Copy {
        summary: Bytes,
        signatures: Option<Bytes>,
    },
    /// One made of the destination's refs.
    Make(Summary),
}

/// Decides on the summary for the refs that the destination will have.
pub(super) async fn plan(
    transfer: &Transfer<'_>,
    refs: &BTreeMap<String, CommitId>,
    collection: Option<&str>,
    options: &PushOptions,
) -> Result<Plan> {
    let repo = transfer.repo;
    let (summary, signatures) = (local(repo, SUMMARY)?, local(repo, SIGNATURES)?);
    if let Some(summary) = &summary
        && lists(summary, refs)
    {
        return Ok(Plan::Copy {
            summary: summary.clone(),
            signatures,
        });
    }
    let signed = signatures.is_some() || transfer.bucket.size(SIGNATURES).await?.is_some();
    if signed && !options.unsigned_summary {
        return Err(Error::SignedSummary {
            destination: transfer.bucket.name.clone(),
        });
    }
    let made = make(transfer, refs, collection, options.now).await?;
    Ok(Plan::Make(made))
}

fn local(repo: &Repo, name: &str) -> Result<Option<Bytes>> {
    match std::fs::read(repo.path().join(name)) {
        Ok(bytes) => Ok(Some(bytes.into())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io(format!("reading {name}"))(e)),
    }
}

/// Whether a summary lists these refs and no others, and fits an archive.
fn lists(summary: &[u8], refs: &BTreeMap<String, CommitId>) -> bool {
    let Ok(summary) = Summary::decode(summary) else {
        return false;
    };
    // Clients hold the mode against the configuration.
    let archive = summary
        .metadata
        .get_str(key::MODE)
        .is_none_or(|mode| mode.starts_with("archive"));
    archive
        && !summary.metadata.contains_key(key::COLLECTION_MAP)
        && summary.refs.len() == refs.len()
        && summary
            .refs
            .iter()
            .all(|r| refs.get(&r.name) == Some(&r.commit))
}

/// Writes it unless what is there says the same. Whether it did.
pub(super) async fn write(transfer: &Transfer<'_>, plan: Plan) -> Result<bool> {
    match plan {
        Plan::Copy {
            summary,
            signatures,
        } => {
            let written = transfer.bring_changed(SUMMARY, summary).await?;
            match signatures {
                Some(signatures) => {
                    let signed = transfer.bring_changed(SIGNATURES, signatures).await?;
                    Ok(written || signed)
                }
                None => {
                    remove_signatures(transfer).await?;
                    Ok(written)
                }
            }
        }
        Plan::Make(made) => {
            if let Some((there, _)) = transfer.bucket.get(SUMMARY).await?
                && Summary::decode(&there).is_ok_and(|there| same(&there, &made))
            {
                return Ok(false);
            }
            // First the signature, which is of another summary from now on.
            remove_signatures(transfer).await?;
            transfer.bring_changed(SUMMARY, made.encode().into()).await
        }
    }
}

async fn remove_signatures(transfer: &Transfer<'_>) -> Result<()> {
    if transfer.bucket.size(SIGNATURES).await?.is_some() {
        transfer.bucket.delete(vec![SIGNATURES.to_owned()]).await?;
    }
    Ok(())
}

/// Whether two summaries differ in nothing but their time.
fn same(a: &Summary, b: &Summary) -> bool {
    let timeless = |summary: &Summary| {
        let mut summary = summary.clone();
        summary.metadata = summary
            .metadata
            .iter()
            .filter(|(name, _)| *name != key::LAST_MODIFIED)
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect();
        summary
    };
    timeless(a) == timeless(b)
}

/// A summary of these refs.
pub(super) async fn make(
    transfer: &Transfer<'_>,
    refs: &BTreeMap<String, CommitId>,
    collection: Option<&str>,
    now: u64,
) -> Result<Summary> {
    let mut listed = Vec::with_capacity(refs.len());
    for (name, id) in refs {
        let bytes = commit_bytes(transfer, id).await?;
        let commit = Commit::decode(&bytes)
            .map_err(|e| Error::Other(format!("commit {id} of {name}: {e}")))?;
        let mut metadata = Dict::new();
        metadata.insert(key::COMMIT_TIMESTAMP, Value::U64(commit.timestamp.to_be()));
        if let Some(version) = commit.metadata.get_str(VERSION) {
            metadata.insert(key::COMMIT_VERSION, Value::str(version));
        }
        listed.push(SummaryRef {
            name: name.clone(),
            commit_size: bytes.len() as u64,
            commit: *id,
            metadata: metadata.in_glib_order(),
        });
    }
    let mut metadata = Dict::new();
    metadata.insert(key::LAST_MODIFIED, Value::U64(now.to_be()));
    metadata.insert(key::MODE, Value::str("archive-z2"));
    metadata.insert(key::TOMBSTONE_COMMITS, Value::Bool(false));
    // Deltas are found by their index files; the list in a summary would name those of this push only.
    metadata.insert(key::INDEXED_DELTAS, Value::Bool(true));
    if let Some(collection) = collection {
        metadata.insert(key::COLLECTION_ID, Value::str(collection));
    }
    Ok(Summary {
        refs: listed,
        metadata: metadata.in_glib_order(),
    })
}

/// A commit from here, else from the destination.
async fn commit_bytes(transfer: &Transfer<'_>, id: &CommitId) -> Result<Vec<u8>> {
    if let Some(bytes) = transfer.repo.read_metadata_opt(ObjectType::Commit, &id.0)? {
        return Ok(bytes);
    }
    let path = format!("objects/{}", id.object_name().loose_path(true));
    let wrong = |what: &str| {
        Error::Other(format!(
            "A ref of {} leads to commit {id}, and {path} is {what}",
            transfer.bucket.name
        ))
    };
    match transfer.bucket.get(&path).await? {
        Some((bytes, _)) if hash(&bytes) == id.0 => Ok(bytes.to_vec()),
        Some(_) => Err(wrong("damaged")),
        None => Err(wrong("missing")),
    }
}
