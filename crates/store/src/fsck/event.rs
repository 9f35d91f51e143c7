//! What a check tells while it runs.

use crate::error::Error;
use osier_object::{CommitId, ObjectName};
use std::fmt;

/// The parts of a check, in their order.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Stage {
    /// The commits that refs name.
    Refs,
    /// The same for refs of collections.
    CollectionRefs,
    /// Loading all commits.
    Enumerating,
    /// Every object.
    Content {
        /// How many commits' objects.
        commits: u64,
    },
}

/// Something to show. Its text is the reference tool's line, without the line feed.
#[derive(Debug)]
pub enum Event<'a> {
    /// A part begins. The only event that is no news: left out when quiet.
    Stage(Stage),
    /// The commit object of a ref is not stored; the check ends with an error.
    ObjectMissing(ObjectName),
    /// An object is not stored.
    MissingFrom {
        /// The commits that need it.
        commits: &'a [CommitId],
        /// The object.
        name: ObjectName,
    },
    /// An object is not what its name says.
    Damaged {
        /// The object.
        name: ObjectName,
        /// The commits that need it; none for the commit object of a ref.
        commits: &'a [CommitId],
        /// What is wrong.
        error: &'a Error,
    },
    /// A good object was put in the place of a damaged or missing one.
    Repaired {
        /// The object.
        name: ObjectName,
        /// Where it came from.
        source: &'a str,
        /// Other names of the damaged file, hard links of checkouts as a rule: they keep what is in it.
        other_links: u64,
    },
    /// No source could give a good object.
    NotRepaired {
        /// The object.
        name: ObjectName,
        /// What each source said.
        reasons: &'a [String],
    },
    /// A commit that an earlier check marked as lacking objects is whole again.
    Restored(CommitId),
    /// A commit was marked as lacking objects.
    MarkedPartial(CommitId),
    /// A commit whose parent is missing was replaced by a tombstone.
    TombstoneAdded(CommitId),
    /// So many commits were not checked because they are partial.
    PartialCommits(u64),
}

impl Event<'_> {
    /// Whether this is a finding, which belongs on standard error, and not a message on the way.
    pub fn is_finding(&self) -> bool {
        !matches!(
            self,
            Event::Stage(_)
                | Event::TombstoneAdded(_)
                | Event::PartialCommits(_)
                | Event::Repaired { .. }
                | Event::Restored(_)
        )
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Stage(Stage::Refs) => f.write_str("Validating refs..."),
            Event::Stage(Stage::CollectionRefs) => f.write_str("Validating refs in collections..."),
            Event::Stage(Stage::Enumerating) => f.write_str("Enumerating commits..."),
            Event::Stage(Stage::Content { commits }) => {
                write!(
                    f,
                    "Verifying content integrity of {commits} commit objects..."
                )
            }
            Event::ObjectMissing(name) => write!(f, "Object missing: {name}"),
            Event::MissingFrom { commits, name } => {
                write!(f, "Object missing in commits {}: {name}", list(commits))
            }
            Event::Damaged { commits, error, .. } => match in_commits(commits) {
                Some(context) => write!(f, "{context}: {error}"),
                None => error.fmt(f),
            },
            Event::Repaired {
                name,
                source,
                other_links,
            } => {
                write!(f, "Repaired {name} from {source}")?;
                match other_links {
                    0 => Ok(()),
                    1 => f.write_str(" (another hard link keeps the damaged file)"),
                    n => write!(f, " ({n} other hard links keep the damaged file)"),
                }
            }
            Event::NotRepaired { name, reasons } => {
                write!(f, "Cannot repair {name}: {}", reasons.join("; "))
            }
            Event::Restored(id) => write!(f, "Commit is whole again: {id}"),
            Event::MarkedPartial(id) => write!(f, "Marking commit as partial: {id}"),
            Event::TombstoneAdded(id) => write!(f, "Adding tombstone for commit {id}"),
            Event::PartialCommits(n) => write!(f, "{n} partial commits not verified"),
        }
    }
}

fn list(commits: &[CommitId]) -> String {
    let ids: Vec<String> = commits.iter().map(CommitId::to_string).collect();
    ids.join(", ")
}

/// `In commits A, B`; nothing when there is none.
pub(super) fn in_commits(commits: &[CommitId]) -> Option<String> {
    match commits {
        [] => None,
        commits => Some(format!("In commits {}", list(commits))),
    }
}

/// Where a check reports. Called from many threads.
pub trait FsckSink: Sync {
    /// Something to show.
    fn event(&self, event: &Event<'_>);
    /// The number of objects there will be, once known.
    fn total(&self, _objects: u64) {}
    /// One more object is done; `bytes` of content were read.
    fn object_done(&self, _bytes: u64) {}
}

/// Collects the lines, and whether each is a finding: for tests and for callers that show them later.
#[derive(Debug, Default)]
pub struct Lines(std::sync::Mutex<Vec<(bool, String)>>);

impl Lines {
    /// The lines so far.
    pub fn take(&self) -> Vec<(bool, String)> {
        std::mem::take(&mut *self.0.lock().expect("no panic while locked"))
    }
}

impl FsckSink for Lines {
    fn event(&self, event: &Event<'_>) {
        self.0
            .lock()
            .expect("no panic while locked")
            .push((event.is_finding(), event.to_string()));
    }
}
