//! Checking the commits that refs name, and loading all others.

use super::event::Event;
use super::object::{self, verify_object};
use super::report::shows_damage;
use super::{Check, FsckOutcome};
use crate::bindings;
use crate::error::{Error, Result};
use crate::prune::unlink_object;
use crate::read::ReadObjects;
use crate::refs::{ListRefs, RefKey};
use crate::traverse::CommitNode;
use osier_object::CommitId;

impl Check<'_> {
    /// The refs of collections; a repository's own refs come again here when it has a collection.
    pub(super) fn collection_refs(&self) -> Result<Vec<((String, String), CommitId)>> {
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
    pub(super) fn ref_commit(
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
                    name: object,
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
        let commit = match self.repo.load_commit(id) {
            Ok(commit) => commit,
            // Reported already; there may be more to repair.
            Err(e) if self.repairer.is_some() && shows_damage(&e) => {
                let mut reporter = self.reporter.lock().expect("no panic while locked");
                reporter.bad += u64::from(e.missing_object().is_some());
                return Ok(());
            }
            Err(e) => return Err(e.within(format!("Loading commit for ref {shown}"))),
        };
        if self.options.verify_bindings {
            bindings::verify(id, &commit, collection, Some(name))?;
        }
        Ok(())
    }

    /// Loads all commits and sets partial ones aside; gives those that lack their parent.
    pub(super) fn enumerate(&mut self, outcome: &mut FsckOutcome) -> Result<Vec<CommitId>> {
        let repo = self.repo;
        let mut orphans = Vec::new();
        // Those of the parent repository are this one's too.
        let own = repo.list_commits()?;
        let mut ids = own.clone();
        let mut above = repo.parent();
        while let Some(parent) = above {
            ids.extend(parent.list_commits()?);
            above = parent.parent();
        }
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            self.cancel.check()?;
            let commit = match repo.load_commit(&id) {
                Ok(commit) => commit,
                Err(e) if self.repairer.is_some() && shows_damage(&e) => {
                    self.found(&id.object_name(), e)?;
                    continue;
                }
                Err(e) => return Err(e.within(format!("Loading commit {id}"))),
            };
            if self.options.verify_back_refs {
                self.back_refs(&id, &commit)?;
            }
            if let (true, Some(parent)) = (self.options.add_tombstones, commit.parent)
                && !repo.has_object(&parent.object_name())?
                && own.binary_search(&id).is_ok()
            {
                orphans.push(id);
            }
            let state = repo.commit_state(&id)?;
            if state.partial_by_fsck && self.repairer.is_some() {
                self.marked_before.push(id);
            } else if state.partial {
                outcome.partial += 1;
                outcome.partial_by_fsck += u64::from(state.partial_by_fsck);
                continue;
            }
            self.commits.push(CommitNode {
                id,
                parent: commit.parent,
                timestamp: commit.timestamp,
                root_dirtree: commit.root_dirtree,
                root_dirmeta: commit.root_dirmeta,
            });
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
}
