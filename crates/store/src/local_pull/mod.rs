//! Taking commits over from another repository on the same machine.
//!
//! Objects that both repositories keep in the same form become further names of the same files where that is possible,
//! and file-level copies elsewhere; all others are decoded and written in the form of this repository.
//!
//! ```
//! # let dir = tempfile::tempdir().unwrap();
//! # let at = |name: &str| dir.path().join(name);
//! # use osier_store::{CreateOptions, Repo, RepoMode, parallel::Cancel};
//! # let create = |name: &str| Repo::create(&at(name), &CreateOptions { mode: RepoMode::Archive, collection_id: None }).unwrap();
//! use osier_store::local_pull::{LocalPullOptions, pull_local};
//! use osier_store::parallel::NoProgress;
//!
//! let (source, target) = (create("source"), create("target"));
//! let outcome = pull_local(&target, &source, &LocalPullOptions::default(), &NoProgress, &Cancel::default()).unwrap();
//! assert_eq!(outcome.metadata, 0);
//! ```

mod import;
mod targets;

use crate::bindings;
use crate::error::{Error, Result};
use crate::parallel::{self, Cancel, Progress};
use crate::read::ReadObjects;
use crate::refs::RefKey;
use crate::repo::Repo;
use crate::transaction::{Transaction, TransactionOptions};
use crate::traverse::{Depth, Reached};
use import::Importer;
use osier_object::{Commit, CommitId, DirmetaId, Dirtree, DirtreeId, ObjectName, ObjectType, hash};
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use targets::Source;

/// Checks the signatures of a commit: id, the bytes of the object, those of its detached metadata.
pub type VerifyCommit<'a> = dyn Fn(&CommitId, &[u8], Option<&[u8]>) -> Result<()> + Sync + 'a;

/// What to take over, and how.
#[derive(Clone, Copy)]
pub struct LocalPullOptions<'a> {
    /// Refs of the source, or commits as 64 hex digits (for which no ref is written); empty for all refs.
    pub refs: &'a [String],
    /// Write `refs/remotes/REMOTE/REF` instead of `refs/heads/REF`.
    pub remote: Option<&'a str>,
    /// Parents taken over behind each commit.
    pub depth: Depth,
    /// Check each object of the source before it is taken over.
    pub untrusted: bool,
    /// Refuse regular files with mode bits outside 0775. Always on where this repository is bare-user-only.
    pub bareuseronly_files: bool,
    /// Take over the commit objects alone; they stay marked as partial.
    pub commit_metadata_only: bool,
    /// Do not check that commits are bound to the refs they are taken for.
    pub disable_verify_bindings: bool,
    /// Overrides `core.fsync`.
    pub fsync: Option<bool>,
    /// Overrides `core.per-object-fsync`.
    pub per_object_fsync: Option<bool>,
    /// Called for each commit that is taken over, or that the ref led to already.
    pub verify_commit: Option<&'a VerifyCommit<'a>>,
}

impl Default for LocalPullOptions<'_> {
    fn default() -> Self {
        LocalPullOptions {
            refs: &[],
            remote: None,
            depth: Some(0),
            untrusted: false,
            bareuseronly_files: false,
            commit_metadata_only: false,
            disable_verify_bindings: false,
            fsync: None,
            per_object_fsync: None,
            verify_commit: None,
        }
    }
}

impl std::fmt::Debug for LocalPullOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalPullOptions")
            .field("refs", &self.refs)
            .field("remote", &self.remote)
            .field("depth", &self.depth)
            .field("untrusted", &self.untrusted)
            .field("bareuseronly_files", &self.bareuseronly_files)
            .field("commit_metadata_only", &self.commit_metadata_only)
            .finish_non_exhaustive()
    }
}

/// What a local pull did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LocalPullOutcome {
    /// Metadata objects that were new; detached metadata does not count.
    pub metadata: u64,
    /// Content objects that were new.
    pub content: u64,
    /// Of both, those that became further names of the source's files.
    pub linked: u64,
    /// Bytes of content written in this repository's own form, unpacked.
    pub content_bytes_written: u64,
    /// Bytes of detached metadata read anew for commits that were here already.
    pub commitmeta_bytes: u64,
    /// The refs taken over, by their names in the source.
    pub refs: Vec<(String, CommitId)>,
}

/// Takes commits over from `source` and sets the refs.
///
/// An interrupted pull leaves its objects for the next one and its commits marked as partial; refs change at the end.
///
/// # Errors
/// When a ref is not in the source (if that has a summary, in the summary), an object is missing or damaged, or a
/// commit is not bound to its ref.
pub fn pull_local(
    repo: &Repo,
    source: &Repo,
    options: &LocalPullOptions<'_>,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<LocalPullOutcome> {
    if let Some(remote) = options.remote {
        osier_object::refs::validate_remote_name(remote)
            .map_err(|e| Error::InvalidName(e.to_string()))?;
    }
    let from = Source::open(source)?;
    let targets = from.targets(options.refs)?;
    let tx = repo.begin(&TransactionOptions {
        fsync: options.fsync,
        per_object_fsync: options.per_object_fsync,
    })?;
    let pull = Pull {
        tx: &tx,
        from: &from,
        options,
        importer: Importer::new(&tx, source, options, progress)?,
        done: Reached::new(),
        cancel,
    };
    pull.run(&targets)?;
    let mut outcome = LocalPullOutcome {
        metadata: pull.importer.metadata.load(Ordering::Relaxed),
        content: pull.importer.content.load(Ordering::Relaxed),
        linked: pull.importer.linked.load(Ordering::Relaxed),
        content_bytes_written: tx
            .stats()
            .content_bytes_written
            .saturating_sub(pull.importer.copied_bytes.load(Ordering::Relaxed)),
        commitmeta_bytes: pull.importer.commitmeta_bytes.load(Ordering::Relaxed),
        refs: Vec::new(),
    };
    for target in targets {
        let Some(name) = target.name else { continue };
        let key = match options.remote {
            Some(remote) => RefKey::Remote(remote.to_owned(), name.clone()),
            None => RefKey::Local(name.clone()),
        };
        if tx.resolve_pending(&key)? != Some(target.commit) {
            tx.set_ref(key, Some(target.commit));
        }
        outcome.refs.push((name, target.commit));
    }
    tx.commit()?;
    Ok(outcome)
}

/// The commits that refs of a source lead to, as [`pull_local`] would take them: with the ref's name unless the commit was
/// given itself. No refs means all.
///
/// # Errors
/// When a ref is not there.
pub fn resolve(source: &Repo, refs: &[String]) -> Result<Vec<(Option<String>, CommitId)>> {
    let targets = Source::open(source)?.targets(refs)?;
    Ok(targets.into_iter().map(|t| (t.name, t.commit)).collect())
}

struct Pull<'a, 'r> {
    tx: &'a Transaction<'r>,
    from: &'a Source<'a>,
    options: &'a LocalPullOptions<'a>,
    importer: Importer<'a, 'r>,
    /// Directory listings and their metadata dealt with.
    done: Reached,
    cancel: &'a Cancel,
}

impl Pull<'_, '_> {
    fn run(&self, targets: &[targets::Target]) -> Result<()> {
        // How far each commit's history was followed; a commit asked for again may need more.
        let mut followed: HashMap<CommitId, Depth> = HashMap::new();
        for target in targets {
            let mut next = Some((target.commit, self.options.depth));
            let mut name = target.name.as_deref();
            while let Some((id, depth)) = next.take() {
                self.cancel.check()?;
                let before = followed.get(&id).copied();
                let known = before.is_some();
                // `None` means all parents, more than any number.
                if before.is_some_and(|b| b.is_none() || (depth.is_some() && b >= depth))
                    && name.is_none()
                {
                    break;
                }
                let commit = self.commit(&id, name.take(), known)?;
                followed.insert(id, depth);
                next = match (commit.parent, depth) {
                    (_, Some(0)) | (None, _) => None,
                    (Some(parent), depth) if self.has_parent(&parent)? => {
                        Some((parent, depth.map(|d| d - 1)))
                    }
                    _ => None,
                };
            }
        }
        Ok(())
    }

    /// Whether to go on to a parent. Where the source leaves tombstones, a missing parent must have one.
    fn has_parent(&self, parent: &CommitId) -> Result<bool> {
        let name = parent.object_name();
        if self.from.repo.has_object(&name)? {
            return Ok(true);
        }
        if self.from.tombstones && !self.tx.has_object(&name)? {
            self.importer
                .metadata(&ObjectName::new(parent.0, ObjectType::TombstoneCommit))?;
        }
        Ok(false)
    }

    /// Takes one commit over with its tree.
    fn commit(&self, id: &CommitId, name: Option<&str>, known: bool) -> Result<Commit> {
        let object = id.object_name();
        let stored = self.tx.has_object(&object)?;
        if !known {
            // The mark comes first: a commit must never be there unmarked while its objects are not.
            if !stored {
                self.tx.mark_partial(id)?;
            }
            self.importer.commitmeta(id, stored)?;
            if !stored {
                self.importer.metadata(&object)?;
            }
        }
        let bytes = self.tx.read_metadata(ObjectType::Commit, &id.0)?;
        if !stored {
            check_hash(&object, &bytes)?;
        }
        let commit = Commit::decode(&bytes)
            .map_err(|e| crate::read::invalid(ObjectType::Commit, &id.0, e))?;
        if let (Some(verify), false) = (self.options.verify_commit, known) {
            let meta = self.tx.read_metadata_opt(ObjectType::Commitmeta, &id.0)?;
            verify(id, &bytes, meta.as_deref())?;
        }
        if !self.options.disable_verify_bindings {
            let collection = self.from.repo.config().collection_id.as_deref();
            bindings::verify(id, &commit, collection, name)?;
        }
        if known || self.options.commit_metadata_only || !self.tx.commit_state(id)?.partial {
            return Ok(commit);
        }
        parallel::run(|| self.dir(&commit.root_dirtree, &commit.root_dirmeta))?;
        self.tx.mark_complete(id);
        Ok(commit)
    }

    fn dir(&self, tree: &DirtreeId, meta: &DirmetaId) -> Result<()> {
        if self.done.insert(meta.object_name()) && !self.importer.is_present(&meta.object_name())? {
            self.importer.metadata(&meta.object_name())?;
        }
        if !self.done.insert(tree.object_name()) {
            return Ok(());
        }
        self.cancel.check()?;
        let Dirtree { files, dirs } = self.dirtree(tree)?;
        files.par_iter().try_for_each(|(_, id)| {
            let name = id.object_name();
            if !self.done.insert(name) || self.importer.is_present(&name)? {
                return Ok(());
            }
            self.cancel.check()?;
            self.importer.content(id)
        })?;
        dirs.par_iter()
            .try_for_each(|(_, tree, meta)| self.dir(tree, meta))
    }

    fn dirtree(&self, id: &DirtreeId) -> Result<Dirtree> {
        let name = id.object_name();
        let stored = self.tx.has_object(&name)?;
        if !stored {
            self.importer.metadata(&name)?;
        }
        let bytes = self.tx.read_metadata(ObjectType::Dirtree, &id.0)?;
        if !stored {
            check_hash(&name, &bytes)?;
        }
        Dirtree::decode(&bytes).map_err(|e| crate::read::invalid(ObjectType::Dirtree, &id.0, e))
    }
}

/// What is read anyway is hashed, even where the source is trusted.
fn check_hash(name: &ObjectName, bytes: &[u8]) -> Result<()> {
    let actual = hash(bytes);
    match actual == name.checksum {
        true => Ok(()),
        false => Err(Error::ChecksumMismatch {
            name: *name,
            expected: name.checksum,
            actual,
        }),
    }
}
