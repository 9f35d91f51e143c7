//! A patch's steps, one after another.

use super::{STEP, number};

/// One step of a patch: bytes of the old file that may differ, then new ones.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Triple<'p> {
    /// What is added to the old bytes.
    pub(crate) diff: &'p [u8],
    /// How many new bytes follow.
    pub(crate) extra: usize,
    /// Where the step begins in the new file.
    pub(crate) new: usize,
    /// And in the old one.
    pub(crate) old: i64,
}

/// The steps of a patch that makes a file of so many bytes; ends early where it is no patch.
pub(crate) fn triples(patch: &[u8], size: usize) -> impl Iterator<Item = Triple<'_>> {
    let (mut rest, mut new, mut old) = (patch, 0, 0);
    std::iter::from_fn(move || {
        if new >= size {
            return None;
        }
        let (step, behind) = rest.split_at_checked(STEP)?;
        let at = |i: usize| number(step[8 * i..][..8].try_into().unwrap_or_default());
        let (diff, extra) = (usize::try_from(at(0)).ok()?, usize::try_from(at(1)).ok()?);
        let triple = Triple {
            diff: behind.get(..diff)?,
            extra,
            new,
            old,
        };
        rest = behind.get(diff.checked_add(extra)?..)?;
        new += diff + extra;
        old += diff as i64 + at(2);
        Some(triple)
    })
}
