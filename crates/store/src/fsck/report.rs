//! Reporting what was found, with the commits concerned.

use super::event::{self, Event};
use super::{Check, object};
use crate::error::{Error, Result};
use crate::prune::{mark_partial_by_fsck, unlink_object};
use crate::traverse;
use osier_object::{CommitId, ObjectName};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

#[derive(Default)]
pub(super) struct Reporter {
    pub(super) bad: u64,
    /// Commits marked as partial.
    marked: BTreeSet<CommitId>,
    /// Commits that need something bad.
    pub(super) concerned: BTreeSet<CommitId>,
}

impl Check<'_> {
    /// Takes note of a damaged or missing object.
    pub(super) fn found(&self, name: &ObjectName, error: Error) -> Result<()> {
        self.queue
            .lock()
            .expect("no panic while locked")
            .push((*name, error));
        self.report(false)
    }

    /// Reports what was found with the commits concerned. Finding those means walking all trees once more, so one
    /// thread does it for all that was found meanwhile, and the others go on checking.
    pub(super) fn report(&self, wait: bool) -> Result<()> {
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
            let owners = traverse::owners(self.objects, &self.commits, &names);
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
        reporter.concerned.extend(commits);
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
                name: *name,
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
}

/// Whether an error says something about the object. Failing to open it (no permission, no memory, too many open files)
/// does not, and must not get it deleted; a sector that cannot be read, or a link where there must be a file, does.
pub(super) fn shows_damage(error: &Error) -> bool {
    match error {
        Error::Io { source, .. } => [Errno::IO, Errno::LOOP]
            .iter()
            .any(|e| source.raw_os_error() == Some(e.raw_os_error())),
        Error::Context { source, .. } => shows_damage(source),
        Error::Cancelled => false,
        _ => true,
    }
}
