//! Which delta leads to a commit from here.

use crate::error::Result;
use osier_object::{Checksum, CommitId};
use osier_store::static_deltas::DeltaName;
use osier_store::{ReadObjects, Repo};

/// Where a client stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Choice {
    /// The commit is here as a whole.
    Nothing,
    /// This delta, whose superblock has this digest.
    Delta(DeltaName, Checksum),
    /// No delta helps.
    None,
}

/// Of the deltas offered, the one that starts from the newest commit that is here as a whole; one from nothing only if
/// `from_nothing`, which is when the ref has no value here yet.
///
/// # Errors
/// When the repository cannot be read.
pub fn choose(
    repo: &Repo,
    to: &CommitId,
    offered: &[(DeltaName, Checksum)],
    from_nothing: bool,
) -> Result<Choice> {
    if is_whole(repo, to)? {
        return Ok(Choice::Nothing);
    }
    let mut best: Option<(u64, DeltaName, Checksum)> = None;
    let mut scratch = Choice::None;
    for (name, digest) in offered.iter().filter(|(name, _)| name.to == *to) {
        match &name.from {
            None if from_nothing => scratch = Choice::Delta(*name, *digest),
            None => {}
            Some(from) if is_whole(repo, from)? => {
                let time = repo.load_commit(from)?.timestamp;
                if best.is_none_or(|(newest, ..)| time > newest) {
                    best = Some((time, *name, *digest));
                }
            }
            Some(_) => {}
        }
    }
    Ok(best.map_or(scratch, |(_, name, digest)| Choice::Delta(name, digest)))
}

pub(crate) fn is_whole(repo: &Repo, id: &CommitId) -> Result<bool> {
    Ok(repo.has_object(&id.object_name())? && !repo.commit_state(id)?.partial)
}
