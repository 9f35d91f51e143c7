//! The refs of the destination.

use super::store::Bucket;
use super::upload::Transfer;
use crate::error::{Error, Result};
use crate::options::{PushOptions, RefChange};
use crate::selection::{Selection, leads_to};
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::UpdateVersion;
use osier_object::CommitId;
use osier_object::refs::validate_ref_name;
use osier_store::Repo;
use osier_store::parallel::Cancel;
use std::collections::BTreeMap;

/// A ref as it was found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) commit: CommitId,
    version: UpdateVersion,
}

/// The refs of a destination by name.
pub(super) type Refs = BTreeMap<String, Found>;

const HEADS: &str = "refs/heads";

/// Reads all of them.
pub(super) async fn read(transfer: &Transfer<'_>) -> Result<Refs> {
    let listed = transfer.bucket.list(HEADS).await?;
    let names = listed.into_iter().filter_map(|file| {
        let name = file.path.strip_prefix(HEADS)?.strip_prefix('/')?.to_owned();
        // What is no ref's name may be somebody's own file.
        validate_ref_name(&name).is_ok().then_some(name)
    });
    stream::iter(names)
        .map(|name| async move {
            let found = read_one(transfer.bucket, &name).await?;
            Ok::<_, Error>(found.map(|found| (name, found)))
        })
        .buffer_unordered(transfer.jobs * 2)
        .try_filter_map(|found| async move { Ok(found) })
        .try_collect()
        .await
}

async fn read_one(bucket: &Bucket, name: &str) -> Result<Option<Found>> {
    let path = format!("{HEADS}/{name}");
    let Some((bytes, version)) = bucket.get(&path).await? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes);
    let commit = text.trim_end().parse().map_err(|_| {
        Error::Other(format!(
            "reading {}/{path}: it holds no commit's checksum",
            bucket.name
        ))
    })?;
    Ok(Some(Found { commit, version }))
}

/// Which refs are to move, in order of name; those that may not are an error.
pub(super) fn plan(
    repo: &Repo,
    selection: &Selection,
    there: &Refs,
    options: &PushOptions,
    cancel: &Cancel,
) -> Result<Vec<RefChange>> {
    let mut changes = Vec::new();
    for (name, ours) in &selection.refs {
        let old = there.get(name).map(|found| found.commit);
        if old == Some(*ours) {
            continue;
        }
        if let Some(old) = old
            && !options.force
            && !leads_to(repo, ours, &old, cancel)?
        {
            return Err(Error::NotFastForward {
                name: name.clone(),
                there: old,
                ours: *ours,
            });
        }
        changes.push(RefChange {
            name: name.clone(),
            old,
            new: Some(*ours),
        });
    }
    Ok(changes)
}

/// Moves refs, each only if it is where it was found.
pub(super) async fn write(bucket: &Bucket, changes: &[RefChange], there: &Refs) -> Result<()> {
    for change in changes {
        let Some(new) = change.new else { continue };
        let path = format!("{HEADS}/{}", change.name);
        let found = there.get(&change.name);
        if bucket.local {
            // A folder knows no conditions: looked at once more instead.
            let now = read_one(bucket, &change.name).await?.map(|now| now.commit);
            if now != found.map(|found| found.commit) {
                return Err(Error::Moved {
                    name: change.name.clone(),
                });
            }
            bucket
                .put(
                    &path,
                    format!("{new}\n").into(),
                    super::store::Lasting::Changing,
                )
                .await?;
            continue;
        }
        let bytes = format!("{new}\n").into();
        let written = bucket
            .put_over(&path, bytes, found.map(|found| &found.version))
            .await?;
        // A try that broke off may have written it all the same.
        if !written && read_one(bucket, &change.name).await?.map(|now| now.commit) != Some(new) {
            return Err(Error::Moved {
                name: change.name.clone(),
            });
        }
    }
    Ok(())
}

/// Deletes refs.
pub(super) async fn delete(bucket: &Bucket, names: &[String]) -> Result<()> {
    let paths = names.iter().map(|name| format!("{HEADS}/{name}")).collect();
    bucket.delete(paths).await
}
