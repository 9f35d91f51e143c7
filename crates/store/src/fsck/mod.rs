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

pub use event::{Event, FsckSink, Lines, Stage};
pub use object::verify_object;

use crate::bindings;
use crate::config_edit::set_flag;
use crate::error::{Error, IoContext, Result};
use crate::parallel::{self, Cancel};
use crate::prune::{TOMBSTONES, mark_partial_by_fsck, unlink_object, write_tombstone};
use crate::read::ReadObjects;
use crate::refs::{ListRefs, RefKey};
use crate::repo::Repo;
use crate::traverse::{self, CommitNode, Inspect, Reached, TreeWalk};
use osier_object::{CommitId, ObjectName, ObjectType};
use rayon::prelude::*;
use rustix::io::Errno;
use std::collections::BTreeSet;
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
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
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
    let check = Check {
        repo,
        options: *options,
        sink,
        cancel,
        commits: Vec::new(),
        queue: Mutex::default(),
        reporter: Mutex::default(),
        stopped: AtomicBool::new(false),
    };
    check.run()
}

struct Check<'a> {
    repo: &'a Repo,
    options: FsckOptions,
    sink: &'a dyn FsckSink,
    cancel: &'a Cancel,
    /// The commits whose objects are checked.
    commits: Vec<CommitNode>,
    /// Damaged and missing objects not reported yet.
    queue: Mutex<Vec<(ObjectName, Error)>>,
    reporter: Mutex<Reporter>,
    stopped: AtomicBool,
}

#[derive(Default)]
struct Reporter {
    bad: u64,
    marked: BTreeSet<CommitId>,
}

impl Check<'_> {
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
        outcome.bad = self.reporter.lock().expect("no panic while locked").bad;
        if outcome.partial > 0 {
            self.sink.event(&Event::PartialCommits(outcome.partial));
        }
        Ok(outcome)
    }

    /// The refs of collections; a repository's own refs come again here when it has a collection.
    fn collection_refs(&self) -> Result<Vec<((String, String), CommitId)>> {
        let mut refs = self.repo.list_collection_refs(true)?;
        if let Some(own) = &self.repo.config().collection_id {
            for (key, id) in self.repo.list_ref_keys(ListRefs {
                exclude_remotes: true,
                aliases_only: false,
            })? {
                if let RefKey::Local(name) = key {
                    refs.insert((own.clone(), name), id);
                }
            }
        }
        Ok(refs.into_iter().collect())
    }

    /// Checks the commit object a ref names.
    fn ref_commit(
        &self,
        id: &CommitId,
        shown: &str,
        collection: Option<&str>,
        name: &str,
    ) -> Result<()> {
        self.cancel.check()?;
        let object = id.object_name();
        match verify_object(self.repo, &object) {
            Ok(_) => {}
            Err(e) if e.missing_object() == Some(&object) => {
                self.sink.event(&Event::ObjectMissing(object));
            }
            Err(e) if self.keeps_going() => {
                let e = object::within(e, &object);
                self.sink.event(&Event::Damaged {
                    commits: &[],
                    error: &e,
                });
                if self.options.delete && shows_damage(&e) {
                    unlink_object(self.repo, &object)?;
                }
                let mut reporter = self.reporter.lock().expect("no panic while locked");
                reporter.bad += 1;
            }
            Err(e) => return Err(object::within(e, &object)),
        }
        let commit = self
            .repo
            .load_commit(id)
            .map_err(|e| e.within(format!("Loading commit for ref {shown}")))?;
        if self.options.verify_bindings {
            bindings::verify(id, &commit, collection, name)?;
        }
        Ok(())
    }

    /// Loads all commits and sets partial ones aside; gives those that lack their parent.
    fn enumerate(&mut self, outcome: &mut FsckOutcome) -> Result<Vec<CommitId>> {
        let repo = self.repo;
        let mut orphans = Vec::new();
        for id in repo.list_commits()? {
            self.cancel.check()?;
            let commit = repo
                .load_commit(&id)
                .map_err(|e| e.within(format!("Loading commit {id}")))?;
            if self.options.verify_back_refs {
                self.back_refs(&id, &commit)?;
            }
            if let (true, Some(parent)) = (self.options.add_tombstones, commit.parent)
                && !repo.has_object(&parent.object_name())?
            {
                orphans.push(id);
            }
            let state = repo.commit_state(&id)?;
            if state.partial {
                outcome.partial += 1;
                outcome.partial_by_fsck += u64::from(state.partial_by_fsck);
            } else {
                self.commits.push(CommitNode {
                    id,
                    parent: commit.parent,
                    timestamp: commit.timestamp,
                    root_dirtree: commit.root_dirtree,
                    root_dirmeta: commit.root_dirmeta,
                });
            }
        }
        Ok(orphans)
    }

    fn back_refs(&self, id: &CommitId, commit: &osier_object::Commit) -> Result<()> {
        let collection = commit
            .metadata
            .get_str(osier_object::commit::key::COLLECTION_BINDING);
        for name in bindings::refs(commit).unwrap_or_default() {
            let resolved = match collection {
                Some(collection)
                    if self.repo.config().collection_id.as_deref() != Some(collection) =>
                {
                    let refs = self.repo.list_collection_refs(false)?;
                    refs.get(&(collection.to_owned(), name.to_owned())).copied()
                }
                _ => self.repo.resolve_rev_opt(name)?,
            };
            if resolved != Some(*id) {
                let shown = match collection {
                    Some(collection) => {
                        format!("Collection–ref ({collection}, {name})")
                    }
                    None => format!("Ref ‘{name}’"),
                };
                return Err(Error::other(match resolved {
                    None => format!("{shown} in bindings for commit {id} does not exist"),
                    Some(_) => format!(
                        "{shown} in bindings for commit {id} does not resolve to that commit"
                    ),
                }));
            }
        }
        Ok(())
    }

    /// Checks every object of the commits; gives their number.
    fn objects(&self) -> Result<u64> {
        let reached = Reached::new();
        let walk = TreeWalk::new(self.repo, &reached, self.cancel).inspecting(self);
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
            _ => verify_object(self.repo, name),
        };
        let bytes = match checked {
            Ok(bytes) => bytes,
            Err(e @ Error::Cancelled) => return Err(e),
            Err(e) => {
                self.found(name, e)?;
                0
            }
        };
        self.sink.object_done(bytes);
        Ok(())
    }

    /// Takes note of a damaged or missing object.
    fn found(&self, name: &ObjectName, error: Error) -> Result<()> {
        self.queue
            .lock()
            .expect("no panic while locked")
            .push((*name, error));
        self.report(false)
    }

    /// Reports what was found with the commits concerned. Finding those means walking all trees once more, so one
    /// thread does it for all that was found meanwhile, and the others go on checking.
    fn report(&self, wait: bool) -> Result<()> {
        let mut reporter = match wait {
            true => self.reporter.lock().expect("no panic while locked"),
            false => match self.reporter.try_lock() {
                Ok(reporter) => reporter,
                Err(_) => return Ok(()),
            },
        };
        loop {
            let mut batch = std::mem::take(&mut *self.queue.lock().expect("no panic while locked"));
            if batch.is_empty() {
                return Ok(());
            }
            batch.sort_by_key(|(name, _)| *name);
            let names: Vec<ObjectName> = batch.iter().map(|(name, _)| *name).collect();
            let owners = traverse::owners(self.repo, &self.commits, &names);
            for ((name, error), (_, commits)) in batch.into_iter().zip(owners) {
                self.report_one(&mut reporter, &name, error, &commits)?;
            }
        }
    }

    fn report_one(
        &self,
        reporter: &mut Reporter,
        name: &ObjectName,
        error: Error,
        commits: &[CommitId],
    ) -> Result<()> {
        if self.stopped.load(Ordering::Relaxed) {
            return Ok(());
        }
        reporter.bad += 1;
        if error.missing_object() == Some(name) {
            self.sink.event(&Event::MissingFrom {
                commits,
                name: *name,
            });
        } else {
            let error = object::within(error, name);
            if !self.keeps_going() {
                self.stopped.store(true, Ordering::Relaxed);
                return Err(match event::in_commits(commits) {
                    Some(context) => error.within(context),
                    None => error,
                });
            }
            self.sink.event(&Event::Damaged {
                commits,
                error: &error,
            });
            if !self.options.delete || !shows_damage(&error) {
                return Ok(());
            }
            unlink_object(self.repo, name)?;
        }
        for id in commits {
            if reporter.marked.insert(*id) {
                self.sink.event(&Event::MarkedPartial(*id));
                mark_partial_by_fsck(self.repo, id)?;
            }
        }
        Ok(())
    }

    fn add_tombstones(&self, orphans: &[CommitId]) -> Result<()> {
        self.repo.require_writable()?;
        let _lock = self.repo.lock_exclusive()?;
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

/// Whether an error says something about the object. Failing to open it (no permission, no memory, too many open files)
/// does not, and must not get it deleted; a sector that cannot be read does.
fn shows_damage(error: &Error) -> bool {
    match error {
        Error::Io { source, .. } => source.raw_os_error() == Some(Errno::IO.raw_os_error()),
        Error::Context { source, .. } => shows_damage(source),
        Error::Cancelled => false,
        _ => true,
    }
}

impl Inspect for Check<'_> {
    fn damaged(&self, error: Error) -> Result<()> {
        match &error {
            Error::ChecksumMismatch { name, .. } => self.found(&name.clone(), error),
            _ => Err(error),
        }
    }
}
