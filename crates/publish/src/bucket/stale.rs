//! Deleting what no ref of the destination needs.

use super::refs::{self, Refs};
use super::store::Listed;
use super::upload::{Transfer, blocking};
use crate::error::{Error, Result};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use osier_object::{Checksum, Commit, CommitId, Dirtree, ObjectName, ObjectType, hash};
use osier_store::ReadObjects;
use std::collections::HashSet;
use std::sync::Arc;

/// What is to be deleted, in this order.
#[derive(Debug, Default)]
pub(super) struct Stale {
    /// Index files, superblocks, then parts.
    delta_files: Vec<String>,
    pub(super) deltas: u64,
    /// Commits and their detached metadata: what is left of one that nothing leads to is nothing to anybody.
    commits: Vec<String>,
    others: Vec<String>,
}

impl Stale {
    pub(super) fn objects(&self) -> u64 {
        (self.commits.len() + self.others.len()) as u64
    }
}

/// Finds what none of the refs needs and nobody wrote after `newest`.
///
/// # Errors
/// When it cannot be told what a ref needs: then nothing may be deleted.
pub(super) async fn find(transfer: &Transfer<'_>, refs: &Refs, newest: i64) -> Result<Stale> {
    let prefixes = (0..=255u8).map(|n| format!("objects/{n:02x}"));
    let listed = transfer.list_all(prefixes).await?;
    let there: HashSet<ObjectName> = listed.iter().filter_map(object).collect();
    let needed = needed(transfer, refs, &there).await?;
    let kept: HashSet<CommitId> = needed
        .iter()
        .filter(|name| name.ty == ObjectType::Commit)
        .map(|name| CommitId(name.checksum))
        .collect();
    let mut stale = Stale::default();
    for file in &listed {
        // What is no object's name is none of ours.
        let Some(name) = object(file) else { continue };
        let owner = match name.ty {
            ObjectType::Commitmeta | ObjectType::TombstoneCommit => ObjectName {
                checksum: name.checksum,
                ty: ObjectType::Commit,
            },
            _ => name,
        };
        if needed.contains(&owner) || file.modified > newest {
            continue;
        }
        match owner.ty {
            ObjectType::Commit => stale.commits.push(file.path.clone()),
            _ => stale.others.push(file.path.clone()),
        }
    }
    deltas(transfer, &kept, newest, &mut stale).await?;
    Ok(stale)
}

fn object(file: &Listed) -> Option<ObjectName> {
    let (prefix, name) = file.path.strip_prefix("objects/")?.split_once('/')?;
    let (object, archive) = ObjectName::from_loose(prefix, name)?;
    (object.ty.is_metadata() || archive).then_some(object)
}

/// Every object that the refs lead to, through all parents that are there.
async fn needed(
    transfer: &Transfer<'_>,
    refs: &Refs,
    there: &HashSet<ObjectName>,
) -> Result<HashSet<ObjectName>> {
    let mut needed = HashSet::new();
    // Listings to read, and whether the commit is one that a ref names.
    let mut listings: Vec<(Checksum, bool)> = Vec::new();
    let mut commits: Vec<(CommitId, bool)> = refs.values().map(|r| (r.commit, true)).collect();
    while let Some((id, tip)) = commits.pop() {
        if !needed.insert(id.object_name()) {
            continue;
        }
        let bytes = metadata(transfer, ObjectType::Commit, id.0).await?;
        let Some(bytes) = bytes else {
            match tip {
                true => return Err(unknown(&format!("commit {id} is missing"))),
                false => continue,
            }
        };
        let commit = Commit::decode(&bytes).map_err(|e| unknown(&format!("commit {id}: {e}")))?;
        needed.insert(commit.root_dirmeta.object_name());
        listings.push((commit.root_dirtree.0, tip));
        if let Some(parent) = commit.parent
            && there.contains(&parent.object_name())
        {
            commits.push((parent, false));
        }
    }
    // Level by level, so that many are asked for at a time.
    while !listings.is_empty() {
        let new: Vec<(Checksum, bool)> = listings
            .drain(..)
            .filter(|(checksum, _)| {
                needed.insert(ObjectName {
                    checksum: *checksum,
                    ty: ObjectType::Dirtree,
                })
            })
            .collect();
        let read: Vec<Vec<(Checksum, bool)>> = stream::iter(new)
            .map(|(checksum, tip)| async move {
                let bytes = metadata(transfer, ObjectType::Dirtree, checksum).await?;
                Ok::<_, Error>((checksum, tip, bytes))
            })
            .buffer_unordered(transfer.jobs * 2)
            .map_ok(|(checksum, tip, bytes)| {
                let Some(bytes) = bytes else {
                    return match tip {
                        true => Err(unknown(&format!("dirtree {checksum} is missing"))),
                        // An older commit that was never whole here.
                        false => Ok(Vec::new()),
                    };
                };
                let listing = Dirtree::decode(&bytes)
                    .map_err(|e| unknown(&format!("dirtree {checksum}: {e}")))?;
                for (_, id) in &listing.files {
                    needed.insert(id.object_name());
                }
                Ok(listing
                    .dirs
                    .iter()
                    .map(|(_, tree, meta)| {
                        needed.insert(meta.object_name());
                        (tree.0, tip)
                    })
                    .collect())
            })
            .try_collect::<Vec<Result<Vec<(Checksum, bool)>>>>()
            .await?
            .into_iter()
            .collect::<Result<_>>()?;
        listings = read.into_iter().flatten().collect();
    }
    Ok(needed)
}

fn unknown(cause: &str) -> Error {
    Error::Other(format!(
        "Cannot tell which objects the destination's refs need, so nothing was deleted: {cause}"
    ))
}

/// An object from here, else from the destination, where it must hash to its name.
async fn metadata(
    transfer: &Transfer<'_>,
    ty: ObjectType,
    checksum: Checksum,
) -> Result<Option<Bytes>> {
    transfer.cancel.check()?;
    let repo = Arc::clone(transfer.repo);
    let local = blocking(move || Ok(repo.read_metadata_opt(ty, &checksum)?)).await?;
    if let Some(bytes) = local
        && hash(&bytes) == checksum
    {
        return Ok(Some(bytes.into()));
    }
    let name = ObjectName { checksum, ty };
    let path = format!("objects/{}", name.loose_path(true));
    match transfer.bucket.get(&path).await? {
        Some((bytes, _)) if hash(&bytes) == checksum => Ok(Some(bytes)),
        Some(_) => Err(unknown(&format!("{path} is damaged"))),
        None => Ok(None),
    }
}

/// Deltas to commits that go, and their indexes.
async fn deltas(
    transfer: &Transfer<'_>,
    kept: &HashSet<CommitId>,
    newest: i64,
    stale: &mut Stale,
) -> Result<()> {
    let goes = |to: Option<Checksum>| to.is_some_and(|to| !kept.contains(&CommitId(to)));
    for file in transfer.bucket.list("delta-indexes").await? {
        let to = file
            .path
            .strip_prefix("delta-indexes/")
            .and_then(|path| path.strip_suffix(".index"))
            .and_then(|path| Checksum::from_modified_base64(&path.replacen('/', "", 1)));
        if goes(to) && file.modified <= newest {
            stale.delta_files.push(file.path);
        }
    }
    let (mut superblocks, mut parts) = (Vec::new(), Vec::new());
    for file in transfer.bucket.list("deltas").await? {
        let folder = file
            .path
            .strip_prefix("deltas/")
            .and_then(|path| path.rsplit_once('/'))
            .map(|(folder, name)| (folder.replacen('/', "", 1), name.to_owned()));
        let Some((folder, name)) = folder else {
            continue;
        };
        // `TO` or `FROM-TO`.
        let to = folder.rsplit('-').next().unwrap_or_default();
        if !goes(Checksum::from_modified_base64(to)) || file.modified > newest {
            continue;
        }
        match name.as_str() {
            "superblock" => superblocks.push(file.path),
            _ => parts.push(file.path),
        }
    }
    stale.deltas = superblocks.len() as u64;
    stale.delta_files.extend(superblocks);
    stale.delta_files.extend(parts);
    Ok(())
}

/// Deletes what was found, unless a ref moved since.
pub(super) async fn delete(transfer: &Transfer<'_>, refs: &Refs, stale: Stale) -> Result<()> {
    let now = refs::read(transfer).await?;
    let same = now.len() == refs.len()
        && now
            .iter()
            .all(|(name, found)| refs.get(name).is_some_and(|r| r.commit == found.commit));
    if !same {
        return Err(unknown("another push moved a ref meanwhile"));
    }
    for paths in [stale.delta_files, stale.commits, stale.others] {
        transfer.cancel.check()?;
        transfer.bucket.delete(paths).await?;
    }
    Ok(())
}
