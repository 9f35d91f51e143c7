//! Static deltas: parts first, then the superblock that names them, then the index that names it.

use super::upload::{Item, Transfer, blocking};
use crate::error::{Error, Result};
use crate::selection::Selection;
use bytes::Bytes;
use osier_object::{Checksum, CommitId};
use osier_store::Repo;
use osier_store::static_deltas::{DeltaName, index_bytes, index_path};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

/// A delta with the names and sizes of its files.
struct Delta {
    folder: String,
    parts: Vec<(String, u64)>,
    superblock: Bytes,
}

/// Brings the deltas that lead to pushed commits; gives their number. With `dry`, only counts.
pub(super) async fn bring(
    transfer: &Transfer<'_>,
    selection: &Selection,
    dry: bool,
) -> Result<u64> {
    let wanted: HashSet<CommitId> = selection.commits.iter().map(|commit| commit.id).collect();
    let repo = Arc::clone(transfer.repo);
    let digests = blocking(move || Ok(repo.static_delta_digests()?)).await?;
    let mut by_target: BTreeMap<CommitId, Vec<(DeltaName, Checksum)>> = BTreeMap::new();
    for (name, digest) in digests {
        if wanted.contains(&name.to) {
            by_target.entry(name.to).or_default().push((name, digest));
        }
    }
    let mut brought = 0;
    for (to, deltas) in by_target {
        for (name, _) in &deltas {
            let repo = Arc::clone(transfer.repo);
            let name = *name;
            let delta = blocking(move || read(&repo, &name)).await?;
            brought += u64::from(bring_one(transfer, delta, dry).await?);
        }
        if !dry {
            transfer
                .bring_changed(&index_path(&to), index_bytes(&deltas).into())
                .await?;
        }
    }
    Ok(brought)
}

fn read(repo: &Repo, name: &DeltaName) -> Result<Delta> {
    let folder = name.path();
    let reading = || Error::io(format!("reading {folder}"));
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(repo.path().join(&folder)).map_err(reading())? {
        let entry = entry.map_err(reading())?;
        let name = entry.file_name();
        if name.as_bytes().iter().all(u8::is_ascii_digit) {
            let size = entry.metadata().map_err(reading())?.len();
            parts.push((format!("{folder}/{}", name.to_string_lossy()), size));
        }
    }
    let superblock = std::fs::read(repo.path().join(&folder).join("superblock"))
        .map_err(reading())?
        .into();
    Ok(Delta {
        folder,
        parts,
        superblock,
    })
}

async fn bring_one(transfer: &Transfer<'_>, delta: Delta, dry: bool) -> Result<bool> {
    let path = format!("{}/superblock", delta.folder);
    let there = transfer.bucket.get(&path).await?;
    let same = there
        .as_ref()
        .is_some_and(|(bytes, _)| *bytes == delta.superblock);
    let sizes: HashMap<String, u64> = transfer
        .bucket
        .list(&delta.folder)
        .await?
        .into_iter()
        .map(|listed| (listed.path, listed.size))
        .collect();
    let lacking: Vec<Item> = delta
        .parts
        .iter()
        .filter(|(part, size)| !same || sizes.get(part) != Some(size))
        .map(|(part, _)| Item::File(part.clone()))
        .collect();
    if same && lacking.is_empty() {
        return Ok(false);
    }
    if dry {
        return Ok(true);
    }
    // A superblock of other parts must not be seen beside these.
    if there.is_some() && !same {
        transfer.bucket.delete(vec![path.clone()]).await?;
    }
    transfer.bring(lacking).await?;
    transfer.bring_changed(&path, delta.superblock).await?;
    Ok(true)
}
