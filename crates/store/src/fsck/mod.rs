//! Checking a repository: every object that whole commits need is read once and hashed, on all threads.
//!
//! Not looked at are objects that no commit needs, detached metadata, deltas, the summary, and missing parents.
//!
//! ```
//! # let dir = tempfile::tempdir().unwrap();
//! # let at = |name: &str| dir.path().join(name);
//! # use osier_store::{CreateOptions, Repo, RepoMode, parallel::Cancel};
//! # let create = |name: &str| Repo::create(&at(name), &CreateOptions { mode: RepoMode::Archive, collection_id: None }).unwrap();
//! use osier_store::fsck::{self, FsckOptions, Lines};
//!
//! let lines = Lines::default();
//! let outcome = fsck::fsck(&create("repo"), &FsckOptions::default(), &lines, &Cancel::default()).unwrap();
//! outcome.verdict().unwrap();
//! assert_eq!(lines.take()[0].1, "Validating refs...");
//! ```

mod event;
mod object;
mod refs;
mod repair;
mod report;
mod source;

pub use event::{Event, FsckSink, Lines, Stage};
pub use object::verify_object;
pub use source::{ObjectSource, RepoSource, SourceContent};

use crate::config_edit::set_flag;
use crate::error::{Error, IoContext, Result};
use crate::mode::RepoMode;
use crate::parallel::{self, Cancel};
use crate::prune::{TOMBSTONES, unlink_object, write_tombstone};
use crate::read::ReadObjects;
use crate::refs::{ListRefs, RefKey};
use crate::repo::Repo;
use crate::traverse::{CommitNode, Inspect, Reached, TreeWalk};
use osier_object::{CommitId, DirtreeId, ObjectName, ObjectType};
use rayon::prelude::*;
use repair::Repairer;
use report::{Reporter, shows_damage};
use rustix::io::Errno;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a check does beside looking.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct FsckOptions {
    /// Report every damaged object instead of stopping at the first.
    pub all: bool,
    /// Delete damaged objects and mark the commits that need them as partial. Implies `all`.
    pub delete: bool,
    /// Replace commits whose parent is missing by tombstones, and switch tombstones on in the configuration.
    pub add_tombstones: bool,
    /// Check that each ref may name its commit.
    pub verify_bindings: bool,
    /// Check that the refs a commit says it is for lead to it. Unlike the reference tool's help says, neither program
    /// takes this to imply `verify_bindings`.
    pub verify_back_refs: bool,
}

/// What a check found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FsckOutcome {
    /// Commits whose objects were checked.
    pub commits: u64,
    /// Objects checked.
    pub objects: u64,
    /// Objects damaged or missing.
    pub bad: u64,
    /// Commits not checked because they are partial.
    pub partial: u64,
    /// Of those, commits that an earlier check marked.
    pub partial_by_fsck: u64,
    /// Objects put in the place of damaged and missing ones.
    pub repaired: u64,
    /// Commits that an earlier check marked as partial and that lack nothing any more.
    pub restored: Vec<CommitId>,
}

impl FsckOutcome {
    /// The verdict.
    ///
    /// # Errors
    /// The closing line of a check that found something, in the words of the reference tool.
    pub fn verdict(&self) -> Result<()> {
        if self.bad > 0 {
            return Err(Error::other("Repository corruption encountered"));
        }
        if self.partial_by_fsck > 0 {
            return Err(Error::other(format!(
                "{} partial commits from fsck-detected corruption",
                self.partial_by_fsck
            )));
        }
        Ok(())
    }

    /// The closing line of a check that found nothing.
    pub fn success_text(&self) -> String {
        format!(
            "object fsck of {} commits completed successfully - no errors found.",
            self.commits
        )
    }
}

/// Checks the repository and reports to `sink` as it goes.
///
/// # Errors
/// When a ref's commit or a directory listing is missing, a listing cannot be decoded, a binding is wrong, or, without
/// `all`, at the first damaged object. What [`FsckOutcome::verdict`] says is not an error here.
pub fn fsck(
    repo: &Repo,
    options: &FsckOptions,
    sink: &dyn FsckSink,
    cancel: &Cancel,
) -> Result<FsckOutcome> {
    // A commit that is being published, or pruned, must not pass for one that lacks objects; and a damaged object must
    // not be deleted while somebody takes it for one that need not be written.
    let _lock = match options.delete || options.add_tombstones {
        true => repo.lock_exclusive()?,
        false => repo.lock_shared()?,
    };
    Check::new(repo, repo, options, sink, cancel).run()
}

/// As [`fsck`], and puts good objects from the sources, asked in turn, in the place of damaged and missing ones. Implies
/// `all`.
///
/// Commits that an earlier check marked as partial are looked at, too, and unmarked once nothing of them is missing.
/// Detached metadata that is missing here is taken from the sources. What no source has is reported as by [`fsck`], and
/// stays as it is. What was repaired is published even when the check ends with an error.
///
/// # Errors
/// As [`fsck`], but missing or undecodable listings and commits do not end the check; when the repository cannot be
/// written.
pub fn repair(
    repo: &Repo,
    options: &FsckOptions,
    sources: &[&dyn ObjectSource],
    sink: &dyn FsckSink,
    cancel: &Cancel,
) -> Result<FsckOutcome> {
    if repo.mode() == RepoMode::BareSplitXattrs {
        return Err(Error::NotAllowed(format!(
            "Cannot repair repository {}: mode {} is read-only",
            repo.path().display(),
            repo.mode()
        )));
    }
    if options.add_tombstones {
        return Err(Error::other(
            "Cannot repair and replace commits by tombstones at the same time",
        ));
    }
    let options = FsckOptions {
        all: true,
        ..*options
    };
    let refs = repo.list_ref_keys(ListRefs::default())?.into_values();
    let others = repo.list_collection_refs(true)?.into_values();
    let commits = repair::commits(repo, refs.chain(others), sources, sink, cancel)?;
    let repairer = Repairer::begin(repo, sources, sink)?;
    let mut check = Check::new(repo, &repairer.tx, &options, sink, cancel);
    check.repairer = Some(&repairer);
    let outcome = check.run();
    if matches!(outcome, Err(Error::Cancelled)) {
        return outcome;
    }
    let repaired = commits + repairer.finish()?;
    let outcome = outcome?;
    for id in &outcome.restored {
        sink.event(&Event::Restored(*id));
    }
    Ok(FsckOutcome {
        repaired,
        ..outcome
    })
}

struct Check<'a> {
    repo: &'a Repo,
    /// Where objects are read: the repository, or that with what was repaired in front.
    objects: &'a dyn ReadObjects,
    repairer: Option<&'a Repairer<'a, 'a>>,
    options: FsckOptions,
    sink: &'a dyn FsckSink,
    cancel: &'a Cancel,
    /// The commits whose objects are checked.
    commits: Vec<CommitNode>,
    /// Of these, those that an earlier check marked as partial.
    marked_before: Vec<CommitId>,
    /// Damaged and missing objects not reported yet.
    queue: Mutex<Vec<(ObjectName, Error)>>,
    reporter: Mutex<Reporter>,
    stopped: AtomicBool,
}

impl<'a> Check<'a> {
    fn new(
        repo: &'a Repo,
        objects: &'a dyn ReadObjects,
        options: &FsckOptions,
        sink: &'a dyn FsckSink,
        cancel: &'a Cancel,
    ) -> Self {
        Check {
            repo,
            objects,
            repairer: None,
            options: *options,
            sink,
            cancel,
            commits: Vec::new(),
            marked_before: Vec::new(),
            queue: Mutex::default(),
            reporter: Mutex::default(),
            stopped: AtomicBool::new(false),
        }
    }

    fn keeps_going(&self) -> bool {
        self.options.all || self.options.delete
    }

    fn run(mut self) -> Result<FsckOutcome> {
        self.sink.event(&Event::Stage(Stage::Refs));
        for (key, id) in self.repo.list_ref_keys(ListRefs::default())? {
            let name = match &key {
                RefKey::Local(name) | RefKey::Remote(_, name) | RefKey::Mirror(_, name) => name,
            };
            // Collections are looked at in the next part.
            self.ref_commit(&id, &key.display(), None, name)?;
        }
        self.sink.event(&Event::Stage(Stage::CollectionRefs));
        for ((collection, name), id) in self.collection_refs()? {
            let shown = format!("({collection}, {name})");
            self.ref_commit(&id, &shown, Some(&collection), &name)?;
        }
        self.sink.event(&Event::Stage(Stage::Enumerating));
        let mut outcome = FsckOutcome::default();
        let tombstones = self.enumerate(&mut outcome)?;
        outcome.commits = self.commits.len() as u64;
        self.sink.event(&Event::Stage(Stage::Content {
            commits: outcome.commits,
        }));
        outcome.objects = self.objects()?;
        if !tombstones.is_empty() {
            self.add_tombstones(&tombstones)?;
        }
        let reporter = self.reporter.lock().expect("no panic while locked");
        outcome.bad = reporter.bad;
        for id in &self.marked_before {
            if reporter.concerned.contains(id) {
                outcome.partial += 1;
                outcome.partial_by_fsck += 1;
            } else if let Some(repairer) = self.repairer {
                repairer.tx.mark_complete(id);
                outcome.restored.push(*id);
            }
        }
        drop(reporter);
        if outcome.partial > 0 && !self.options.add_tombstones {
            self.sink.event(&Event::PartialCommits(outcome.partial));
        }
        Ok(outcome)
    }

    /// Checks every object of the commits; gives their number.
    fn objects(&self) -> Result<u64> {
        let reached = Reached::new();
        let walk = TreeWalk::new(self.objects, &reached, self.cancel).inspecting(self);
        walk.commits(&self.commits)?;
        let objects = reached.into_sorted();
        self.sink.total(objects.len() as u64);
        let result = parallel::run(|| {
            objects.par_iter().try_for_each(|name| {
                if self.stopped.load(Ordering::Relaxed) {
                    return Ok(());
                }
                self.cancel.check()?;
                self.object(name)
            })
        });
        // What was found while another thread reported.
        let flushed = self.report(true);
        result.and(flushed)?;
        Ok(objects.len() as u64)
    }

    fn object(&self, name: &ObjectName) -> Result<()> {
        // Listings were hashed while they were walked.
        let checked = match name.ty {
            ObjectType::Dirtree => Ok(0),
            _ => verify_object(self.objects, name),
        };
        let bytes = match checked {
            Ok(bytes) => bytes,
            Err(e @ Error::Cancelled) => return Err(e),
            Err(e) => {
                if !self.repaired(name, &e)? {
                    self.found(name, e)?;
                }
                0
            }
        };
        self.sink.object_done(bytes);
        Ok(())
    }

    /// Whether a bad object was repaired.
    fn repaired(&self, name: &ObjectName, error: &Error) -> Result<bool> {
        match self.repairer {
            // Commits had their turn before everything else.
            Some(repairer) if name.ty != ObjectType::Commit && shows_damage(error) => {
                repairer.repair(name)
            }
            _ => Ok(false),
        }
    }

    fn add_tombstones(&self, orphans: &[CommitId]) -> Result<()> {
        self.repo.require_writable()?;
        set_flag(self.repo, TOMBSTONES)?;
        for id in orphans {
            self.sink.event(&Event::TombstoneAdded(*id));
            write_tombstone(self.repo, id)?;
            unlink_object(self.repo, &ObjectName::new(id.0, ObjectType::Commitmeta))?;
            unlink_object(self.repo, &id.object_name())?;
            let path = format!("state/{id}.commitpartial");
            match rustix::fs::unlinkat(self.repo.dir(), &path, rustix::fs::AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(e) => return Err(e).at(|| format!("unlinkat({path})")),
            }
        }
        Ok(())
    }
}

impl Inspect for Check<'_> {
    fn damaged(&self, id: &DirtreeId, error: Error) -> Result<Option<Vec<u8>>> {
        let name = id.object_name();
        if self.repaired(&name, &error)? {
            return self.objects.read_metadata_opt(name.ty, &name.checksum);
        }
        match &error {
            // What a missing or unreadable listing needs is not known; without it, the reference tool stops.
            Error::ChecksumMismatch { .. } => {}
            _ if self.repairer.is_some() && shows_damage(&error) => {}
            _ => return Err(error),
        }
        self.found(&name, error)?;
        Ok(None)
    }
}
