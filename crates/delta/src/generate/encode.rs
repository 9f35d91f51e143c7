//! How one file is told best: as it is, as pieces of an old one, or as a patch to it.

use super::GenerateOptions;
use super::copies::{self, Match};
use super::plan::{Derived, Source};
use super::windows;
use crate::bsdiff::{self, Triple};
use crate::error::{Context, Error, Result};
use libdeflater::{CompressionLvl, Compressor};
use osier_object::ContentId;
use osier_store::parallel::Cancel;
use osier_store::{ReadObjects, Repo};
use std::collections::HashSet;

/// Suffix arrays of more bytes would need wider numbers.
const PATCHED_MAX: u64 = i32::MAX as u64 - 1;
/// Pieces shorter than this are written out: naming them takes as much.
const PIECE_MIN: usize = 32;
/// If a change of bytes comes less often than once in so many, naming what is equal is shorter than zeros are.
const FEW_CHANGES: usize = 512;
/// Files larger than this are looked at before a suffix array is made for them.
const LOOKED_AT: usize = 64 * 1024;
/// What is compressed to learn how well something does.
const SAMPLE: usize = 1 << 20;

/// What was chosen.
#[derive(Debug)]
pub(super) enum Encoded {
    Plain,
    /// Of pieces found by cutting both files.
    Copied(ContentId, Vec<Match>),
    /// Of the pieces that a patch would leave as they are.
    Kept(ContentId, Vec<Match>),
    Patched(ContentId, Vec<u8>),
}

impl Encoded {
    /// Bytes it takes in memory.
    pub(super) fn size(&self) -> u64 {
        match self {
            Encoded::Plain => 0,
            Encoded::Copied(_, matches) | Encoded::Kept(_, matches) => {
                std::mem::size_of_val(&**matches) as u64
            }
            Encoded::Patched(_, patch) => patch.len() as u64,
        }
    }
}

/// Whether the pair is compared in memory.
fn is_patched(source: &Source, size: u64, options: &GenerateOptions) -> bool {
    let both = source.size.saturating_add(size);
    options.bsdiff
        && both <= options.max_bsdiff_size.min(PATCHED_MAX)
        && patch_memory(source.size, size) <= options.memory()
}

/// A suffix array takes four times the old file; a patch as much as the new one.
fn patch_memory(old: u64, new: u64) -> u64 {
    old.saturating_mul(5).saturating_add(new.saturating_mul(2))
}

/// What encoding a file takes in memory.
pub(super) fn memory(derived: &Derived, options: &GenerateOptions) -> u64 {
    let largest =
        derived.sources.iter().map(
            |source| match is_patched(source, derived.file.size, options) {
                true => patch_memory(source.size, derived.file.size),
                false => 16 << 20,
            },
        );
    largest.max().unwrap_or(0)
}

/// Chooses the smallest of what the sources give.
pub(super) fn encode(
    repo: &Repo,
    derived: &Derived,
    options: &GenerateOptions,
    cancel: &Cancel,
) -> Result<Encoded> {
    let mut best = (Encoded::Plain, u64::MAX);
    let mut new = Vec::new();
    for source in &derived.sources {
        cancel.check()?;
        let (file, size) = (&derived.file, derived.file.size);
        let (encoded, cost) = if is_patched(source, size, options) {
            if new.is_empty() {
                new = read(repo, &file.id)?;
            }
            let old = read(repo, &source.id)?;
            if alike(&old, &new) {
                patch(source, &old, &new)?
            } else {
                continue;
            }
        } else {
            let matches = copies::find(repo, (&source.id, source.size), (&file.id, size), cancel)?;
            let copied: u64 = matches.iter().map(|m| m.size).sum();
            // Naming the source takes its checksum, each piece a few bytes.
            let named = 64 + 8 * matches.len() as u64;
            if copied < named {
                continue;
            }
            let cost = size - copied + named;
            (Encoded::Copied(source.id, matches), cost)
        };
        if cost < best.1 {
            best = (encoded, cost);
        }
    }
    Ok(best.0)
}

/// Whether there is any hope: large files of packed data would take long to be found different.
fn alike(old: &[u8], new: &[u8]) -> bool {
    if new.len().min(old.len()) < LOOKED_AT {
        return true;
    }
    let known: HashSet<u64> = windows::samples(old).collect();
    let (mut all, mut same) = (0usize, 0usize);
    for sample in windows::samples(new) {
        all += 1;
        same += usize::from(known.contains(&sample));
    }
    // What has no window that tells it apart is one run.
    all < 64 || same >= all / 32
}

fn patch(source: &Source, old: &[u8], new: &[u8]) -> Result<(Encoded, u64)> {
    let patch = bsdiff::diff(old, new)
        .ok_or_else(|| Error::refused("not enough memory for its suffix array"))
        .at(|| format!("patching object {}.file", source.id))?;
    let told = Told::by(&patch, new.len());
    if told.runs.saturating_mul(FEW_CHANGES) < new.len() {
        let literal = new.len() - told.equal;
        let cost = 64 + 8 * told.matches.len() + literal;
        if literal == 0 || cost < new.len() / 8 || cost < packed(new) {
            return Ok((Encoded::Kept(source.id, told.matches), cost as u64));
        }
        return Ok((Encoded::Plain, u64::MAX));
    }
    // Most patches are obviously better than what they make.
    let rough = 64 + 8 * told.triples + told.changed + told.extra;
    let cost = if rough < new.len() / 8 {
        rough
    } else {
        64 + packed(&patch)
    };
    if cost < new.len() / 8 || cost < packed(new) {
        Ok((Encoded::Patched(source.id, patch), cost as u64))
    } else {
        Ok((Encoded::Plain, u64::MAX))
    }
}

/// What a patch does.
struct Told {
    triples: usize,
    /// Bytes that differ, and runs of them.
    changed: usize,
    runs: usize,
    extra: usize,
    matches: Vec<Match>,
    /// Bytes of the matches.
    equal: usize,
}

impl Told {
    fn by(patch: &[u8], size: usize) -> Told {
        let mut told = Told {
            triples: 0,
            changed: 0,
            runs: 0,
            extra: 0,
            matches: Vec::new(),
            equal: 0,
        };
        for Triple {
            diff,
            extra,
            new,
            old,
        } in bsdiff::triples(patch, size)
        {
            told.triples += 1;
            told.extra += extra;
            told.runs += usize::from(extra > 0);
            let mut equal = 0;
            for (i, byte) in diff.iter().chain([&1]).enumerate() {
                if *byte == 0 {
                    equal += 1;
                    continue;
                }
                if i < diff.len() {
                    told.changed += 1;
                    told.runs += usize::from(equal > 0 || i == 0);
                }
                if equal >= PIECE_MIN {
                    told.equal += equal;
                    let start = i - equal;
                    let next = Match {
                        new: (new + start) as u64,
                        old: (old + start as i64) as u64,
                        size: equal as u64,
                    };
                    copies::push(&mut told.matches, next);
                }
                equal = 0;
            }
        }
        told
    }
}

/// About how small a general compressor makes it.
pub(super) fn packed(data: &[u8]) -> usize {
    let mut compressor = Compressor::new(CompressionLvl::fastest());
    let mut out = vec![0; compressor.deflate_compress_bound(SAMPLE)];
    let mut sum = 0usize;
    // All of a large file need not be looked at.
    let step = data.len().div_ceil(8 * SAMPLE).max(1);
    let (mut seen, mut left) = (0, 0);
    for (i, piece) in data.chunks(SAMPLE).enumerate() {
        if i % step != 0 {
            left += piece.len();
            continue;
        }
        seen += piece.len();
        sum += compressor
            .deflate_compress(piece, &mut out)
            .unwrap_or(piece.len());
    }
    match seen {
        0 => 0,
        seen => sum + (left as u128 * sum as u128 / seen as u128) as usize,
    }
}

/// A file's whole content.
pub(super) fn read(repo: &Repo, id: &ContentId) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    repo.open_content(id)?
        .read_whole(&mut bytes)
        .at(|| format!("reading object {id}.file"))?;
    Ok(bytes)
}
