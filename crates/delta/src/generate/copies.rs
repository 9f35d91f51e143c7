//! Pieces that a file shares with an old one, found without having either in memory.
//!
//! Both are cut where their content says so; equal chunks are the pieces. It takes a few MiB whatever the files' sizes, but
//! finds nothing smaller than a chunk: what fits into memory is better patched.

use super::windows::Cutter;
use crate::error::{Context, Result};
use osier_object::{Checksum, ContentId};
use osier_store::parallel::Cancel;
use osier_store::{ReadObjects, Repo};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::Read;

/// Chunks of an average length for which a file has about so many.
const CHUNKS: u64 = 1 << 17;
const SMALLEST: u64 = 512;
const LARGEST: u64 = 1 << 20;

/// A piece of the new file that is in the old one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Match {
    pub(super) new: u64,
    pub(super) old: u64,
    pub(super) size: u64,
}

/// Appends a piece; joins it to the last one if both files go on there.
pub(super) fn push(matches: &mut Vec<Match>, next: Match) {
    match matches.last_mut() {
        Some(last) if last.new + last.size == next.new && last.old + last.size == next.old => {
            last.size += next.size;
        }
        _ => matches.push(next),
    }
}

/// The pieces, ascending in the new file.
pub(super) fn find(
    repo: &Repo,
    old: (&ContentId, u64),
    new: (&ContentId, u64),
    cancel: &Cancel,
) -> Result<Vec<Match>> {
    let average = (old.1 / CHUNKS)
        .clamp(SMALLEST, LARGEST)
        .next_power_of_two() as usize;
    // Of equal chunks the first counts.
    let mut known: HashMap<Checksum, (u64, u64)> = HashMap::new();
    chunks(repo, old.0, average, cancel, |offset, size, digest| {
        known.entry(digest).or_insert((offset, size));
    })?;
    let mut out = Vec::new();
    chunks(repo, new.0, average, cancel, |offset, size, digest| {
        if let Some((old, same)) = known.get(&digest)
            && *same == size
        {
            let next = Match {
                new: offset,
                old: *old,
                size,
            };
            push(&mut out, next);
        }
    })?;
    Ok(out)
}

fn chunks(
    repo: &Repo,
    id: &ContentId,
    average: usize,
    cancel: &Cancel,
    mut found: impl FnMut(u64, u64, Checksum),
) -> Result<()> {
    let mut content = repo.open_content(id)?.into_reader();
    let mut buf = vec![0; 256 * 1024];
    let mut cutter = Cutter::new(average);
    let mut hasher = Sha256::new();
    let (mut start, mut end) = (0u64, 0u64);
    loop {
        cancel.check()?;
        let n = content
            .read(&mut buf)
            .at(|| format!("reading object {id}.file"))?;
        if n == 0 {
            break;
        }
        let mut rest = &buf[..n];
        while !rest.is_empty() {
            let (piece, ends) = match cutter.cut(rest) {
                Some(n) => (n, true),
                None => (rest.len(), false),
            };
            hasher.update(&rest[..piece]);
            end += piece as u64;
            if ends {
                found(start, end - start, Checksum(hasher.finalize_reset().into()));
                start = end;
            }
            rest = &rest[piece..];
        }
    }
    if end > start {
        found(start, end - start, Checksum(hasher.finalize().into()));
    }
    Ok(())
}
