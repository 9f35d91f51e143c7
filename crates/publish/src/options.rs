//! What to push, and what came of it.

use osier_object::CommitId;
use osier_store::traverse::Depth;

/// How to push.
#[derive(Clone, Debug)]
pub struct PushOptions {
    /// Local refs; none means all of them.
    pub refs: Vec<String>,
    /// Parents of each commit to bring along.
    pub depth: Depth,
    /// Move refs of the destination to commits that do not lead to where they are.
    pub force: bool,
    /// Leave static deltas here.
    pub no_deltas: bool,
    /// Delete what no ref of the destination needs, and, when all refs are pushed, the refs that are not here.
    pub delete_stale: bool,
    /// Seconds since its last change for which an object counts as not stale: another push may be about to need it.
    pub stale_age: u64,
    /// Put an unsigned summary in the place of a signed one that cannot be made anew.
    pub unsigned_summary: bool,
    /// Change nothing at the destination.
    pub dry_run: bool,
    /// Transfers at a time.
    pub jobs: usize,
    /// Now, UTC seconds since 1970.
    pub now: u64,
}

impl Default for PushOptions {
    fn default() -> PushOptions {
        PushOptions {
            refs: Vec::new(),
            depth: Some(0),
            force: false,
            no_deltas: false,
            delete_stale: false,
            stale_age: 3600,
            unsigned_summary: false,
            dry_run: false,
            jobs: 8,
            now: 0,
        }
    }
}

/// A ref that was moved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefChange {
    /// Its name.
    pub name: String,
    /// Where it was; none for a new one.
    pub old: Option<CommitId>,
    /// Where it is; none for one that was deleted.
    pub new: Option<CommitId>,
}

/// What a push did, or with [`PushOptions::dry_run`] would do.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PushOutcome {
    /// Refs that were moved.
    pub refs: Vec<RefChange>,
    /// Refs that were where they should be.
    pub unchanged_refs: u64,
    /// Objects that the pushed commits need.
    pub objects: u64,
    /// Those that the destination lacked.
    pub objects_sent: u64,
    /// Bytes sent, of everything. Zero for a dry run.
    pub bytes_sent: u64,
    /// Static deltas that the destination lacked.
    pub deltas_sent: u64,
    /// Whether the summary was written anew.
    pub summary_written: bool,
    /// Stale objects that were deleted.
    pub objects_deleted: u64,
    /// Stale deltas that were deleted.
    pub deltas_deleted: u64,
}
