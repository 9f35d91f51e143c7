//! What each ref takes of the disk, alone and together with others.
//!
//! An object belongs to every revision that reaches it, through as much of its history as asked for. What only one
//! reaches is exclusive: deleting that ref and pruning to the same depth frees it.
//!
//! ```
//! # let dir = tempfile::tempdir().unwrap();
//! # let at = |name: &str| dir.path().join(name);
//! # use osier_store::{CreateOptions, Repo, RepoMode, parallel::Cancel};
//! # let create = |name: &str| Repo::create(&at(name), &CreateOptions { mode: RepoMode::Archive, collection_id: None }).unwrap();
//! use osier_store::du;
//! use osier_store::parallel::NoProgress;
//!
//! let repo = create("repo");
//! let found = du::usage(&repo, &[], None, &NoProgress, &Cancel::default()).unwrap();
//! assert_eq!(found.total.objects, 0);
//! ```

mod graph;
mod sizes;

use crate::error::Result;
use crate::parallel::{Cancel, Progress};
use crate::repo::Repo;
use crate::traverse::Depth;
use graph::Graph;
use osier_object::CommitId;
use sizes::Sizes;

/// Objects and the bytes they take.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Usage {
    /// Number of objects: commits, listings, directory metadata, files.
    pub objects: u64,
    /// Bytes of the files' content, unpacked; links and metadata have none.
    pub unpacked: u64,
    /// Bytes of the objects' files, as `prune` counts them.
    pub stored: u64,
    /// Bytes of the blocks those files take.
    pub allocated: u64,
}

impl Usage {
    fn add(&mut self, one: Usage) {
        self.objects = self.objects.saturating_add(one.objects);
        // Sizes in a damaged repository may be anything.
        self.unpacked = self.unpacked.saturating_add(one.unpacked);
        self.stored = self.stored.saturating_add(one.stored);
        self.allocated = self.allocated.saturating_add(one.allocated);
    }

    /// What is left without a part.
    #[must_use]
    pub fn without(&self, part: &Usage) -> Usage {
        Usage {
            objects: self.objects.saturating_sub(part.objects),
            unpacked: self.unpacked.saturating_sub(part.unpacked),
            stored: self.stored.saturating_sub(part.stored),
            allocated: self.allocated.saturating_sub(part.allocated),
        }
    }
}

/// What one revision takes.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct RevUsage {
    /// Commits stored here that its history was followed through.
    pub commits: u64,
    /// All objects it reaches.
    pub all: Usage,
    /// Those that no other of the revisions reaches.
    pub exclusive: Usage,
}

/// What was found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DuOutcome {
    /// For each revision asked for, in the same order.
    pub revs: Vec<RevUsage>,
    /// What they take together.
    pub total: Usage,
    /// Stored objects that none of them reaches.
    pub unreached: Usage,
    /// Objects that are reached and not stored, here or in the parent repository.
    pub missing: u64,
}

/// Measures revisions against each other. `depth` is that of their histories.
///
/// Objects of the parent repository count with their content, but take nothing of this disk. Payload links and detached
/// metadata are not counted. Missing objects are no error.
///
/// # Errors
/// When the repository cannot be read, or a listing cannot be decoded.
pub fn usage(
    repo: &Repo,
    revs: &[CommitId],
    depth: Depth,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<DuOutcome> {
    let mut graph = Graph::default();
    let mut histories = Vec::with_capacity(revs.len());
    for id in revs {
        histories.push(graph.history(repo, id, depth)?);
    }
    graph.load_trees(repo, cancel)?;
    let sizes = Sizes::measure(repo, &graph, progress, cancel)?;
    let mut outcome = DuOutcome {
        unreached: sizes.unreached,
        missing: sizes.missing,
        ..DuOutcome::default()
    };
    // The one revision that reaches an object.
    const NOBODY: u32 = u32::MAX;
    const SEVERAL: u32 = u32::MAX - 1;
    let mut owner = vec![NOBODY; graph.len()];
    let mut walk = graph.walk();
    for (at, history) in (0..SEVERAL).zip(&histories) {
        cancel.check()?;
        let mut rev = RevUsage {
            commits: history
                .iter()
                .filter(|id| graph.is_commit_stored(**id))
                .count() as u64,
            ..RevUsage::default()
        };
        walk.from(history, |object| {
            rev.all.add(sizes.of(object));
            let owner = &mut owner[object as usize];
            *owner = if *owner == NOBODY { at } else { SEVERAL };
        });
        outcome.revs.push(rev);
    }
    for (object, owner) in (0..).zip(&owner) {
        let size = sizes.of(object);
        if *owner != NOBODY {
            outcome.total.add(size);
        }
        if let Some(rev) = outcome.revs.get_mut(*owner as usize) {
            rev.exclusive.add(size);
        }
    }
    Ok(outcome)
}
