//! What the worker threads do: check, write, and see what an object needs in turn.

use super::stream::{is_damage, unpacked_size};
use super::{CommitWork, Finished, Found, Job, LocalSource, Needs, TreeAt};
use crate::fetch::Chunk;
use crate::progress::Counters;
use crate::verify::{Signatures, check_age, check_bindings};
use crate::{Error, resolve::RefName};
use osier_delta::format::compression::Decoders;
use osier_object::{Checksum, Commit, CommitId, ContentId, Dirtree, ObjectName, ObjectType};
use osier_store::fsck::verify_object;
use osier_store::{ReadObjects, RepoMode, Transaction};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// What all workers share.
pub(super) struct Shop<'env> {
    pub tx: &'env Transaction<'env>,
    pub caches: &'env [LocalSource<'env>],
    /// Regular files must be fit for a bare-user-only repository.
    pub check_modes: bool,
    /// Content goes into this archive as it comes.
    pub unchecked: bool,
    pub signatures: &'env Signatures,
    pub rules: &'env Rules,
    pub counters: &'env Counters,
    pub seen: Mutex<Seen>,
    pub decoders: Decoders,
}

/// What a pull demands of commits, and how much of them it wants.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub subpaths: Vec<String>,
    pub commit_metadata_only: bool,
    pub verify_bindings: bool,
    /// The collection that the remote's commits must be bound to.
    pub collection: Option<String>,
    pub timestamp_check: bool,
    /// No commit may be older.
    pub not_older_than: Option<(CommitId, Commit)>,
}

/// Objects that were looked for already.
#[derive(Debug, Default)]
pub(super) struct Seen {
    content: HashSet<Checksum>,
    dirmeta: HashSet<Checksum>,
    trees: HashSet<TreeAt>,
}

impl Shop<'_> {
    pub fn run(&self, job: Job) -> Result<Found, Finished> {
        match job {
            Job::Commit(work) => self.commit(*work),
            Job::Tree { tree, fetched } => self.tree(&tree, fetched.as_deref()),
            Job::Part {
                superblock,
                index,
                body,
            } => self.part(&superblock, index, body),
            Job::Dirmeta { id, bytes } => {
                self.write_checked(ObjectType::Dirmeta, &id, &bytes)?;
                Ok(Found::default())
            }
            Job::Content { id, chunks, pieces } => {
                let joined;
                let bytes: &[u8] = match &chunks[..] {
                    [one] => one,
                    many => {
                        joined = many.concat();
                        &joined
                    }
                };
                let written = match self.unchecked {
                    true => self.tx.write_archive_unchecked(&id, &mut &*bytes),
                    false => {
                        let size = unpacked_size(&chunks);
                        let written = self.tx.write_archive_bytes(&id, bytes);
                        written.map(|_| self.counters.wrote_content(size))
                    }
                };
                match written {
                    Err(cause) if pieces && is_damage(&cause) => Ok(Found {
                        again: Some(id),
                        ..Found::default()
                    }),
                    Err(cause) => Err(Finished::Refused(cause)),
                    Ok(()) => Ok(Found::default()),
                }
            }
        }
    }

    fn write_checked(&self, ty: ObjectType, id: &Checksum, bytes: &[u8]) -> Result<(), Finished> {
        self.tx
            .write_metadata(ty, Some(id), bytes)
            .map(drop)
            .map_err(Finished::Refused)
    }

    fn commit(&self, work: CommitWork) -> Result<Found, Finished> {
        let CommitWork {
            id,
            fetched,
            meta,
            names,
            delta,
        } = work;
        let name = ObjectName {
            checksum: id.0,
            ty: ObjectType::Commit,
        };
        let stored;
        let (bytes, commit): (&[u8], _) = match &fetched {
            Some(bytes) => (bytes, self.decode_commit(&id, bytes)?),
            None => {
                stored = self.tx.read_metadata(ObjectType::Commit, &id.0)?;
                (&stored, self.tx.load_commit(&id)?)
            }
        };
        // Nothing vouches for detached metadata. What cannot be read proves nothing and is not kept, but it is no reason
        // to refuse a commit that needs no proof.
        let (meta, known_meta) = match meta.map(|bytes| (osier_gv::Dict::decode(&bytes), bytes)) {
            Some((_, bytes)) if bytes.is_empty() => (Some(bytes), None),
            Some((Ok(dict), bytes)) => (Some(bytes), Some(dict)),
            Some((Err(cause), _)) => {
                tracing::warn!(commit = %id, %cause, "passing over damaged detached metadata");
                (None, None)
            }
            None => (None, self.tx.load_commitmeta(&id)?),
        };
        self.signatures
            .check_commit(&id, bytes, known_meta.as_ref())?;
        // A commit that no repository published is only as whole as the pull that left it behind.
        let published = self.tx.repo().has_object(&name)?;
        if !published {
            self.tx.mark_partial(&id)?;
        }
        if let Some(bytes) = &fetched {
            self.write_checked(ObjectType::Commit, &id.0, bytes)?;
        }
        if let Some(bytes) = &meta {
            self.tx
                .write_commitmeta_bytes(&id, bytes)
                .map_err(Finished::Refused)?;
        }
        if self.rules.verify_bindings {
            let collection = self.rules.collection.as_deref();
            if names.is_empty() {
                check_bindings(&id, &commit, None, collection)?;
            }
            for RefName { name, .. } in &names {
                check_bindings(&id, &commit, Some(name), collection)?;
            }
        }
        for RefName { name, .. } in &names {
            if self.rules.timestamp_check
                && let Some(old_id) = self.tx.repo().resolve_rev_opt(name)?
                && let Some(old) = self.stored_commit(&old_id)?
            {
                check_age((&id, &commit), (&old_id, &old))?;
            }
        }
        if let Some((old_id, old)) = &self.rules.not_older_than {
            check_age((&id, &commit), (old_id, old))?;
        }
        if let Some(superblock) = delta {
            return self.delta_needs(&superblock);
        }
        let mut found = Found {
            parent: commit.parent,
            ..Found::default()
        };
        if !self.rules.commit_metadata_only && self.tx.commit_state(&id)?.partial {
            found.whole = self.rules.subpaths.is_empty().then_some(id);
            let root = TreeAt {
                id: commit.root_dirtree,
                path: self.root_path(),
            };
            self.check_room(&commit)?;
            let mut needs = Needs::default();
            self.need_dirmeta(commit.root_dirmeta.0, &mut needs)?;
            self.need_tree(root, &mut needs)?;
            found.needs = needs;
        }
        Ok(found)
    }

    /// A commit that says how large its objects are is refused where those that are not here have no room. What a local
    /// repository has may cost none, and some paths are not the whole.
    fn check_room(&self, commit: &Commit) -> Result<(), Finished> {
        if !self.caches.is_empty() || !self.rules.subpaths.is_empty() {
            self.counters.expect_anything();
            return Ok(());
        }
        let sizes = commit.metadata.get(osier_object::commit::key::SIZES);
        let Some(Ok(entries)) = sizes.map(osier_object::sizes::decode) else {
            // After a delta most of it is here.
            let root = ObjectName {
                checksum: commit.root_dirtree.0,
                ty: ObjectType::Dirtree,
            };
            if !self.tx.has_object(&root)? {
                self.counters.expect_anything();
            }
            return Ok(());
        };
        let archive = self.tx.repo().mode().is_archive();
        let (mut room, mut bytes) = (0u64, 0u64);
        for entry in entries {
            if !self.tx.has_object(&entry.name)? {
                bytes = bytes.saturating_add(entry.archived);
                room = room.saturating_add(if archive {
                    entry.archived
                } else {
                    entry.unpacked
                });
            }
        }
        self.tx.check_space(room)?;
        self.counters.expect(bytes);
        Ok(())
    }

    fn stored_commit(&self, id: &CommitId) -> Result<Option<Commit>, Finished> {
        match self.tx.repo().load_commit(id) {
            Ok(commit) => Ok(Some(commit)),
            Err(e) if e.missing_object().is_some() => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn decode_commit(&self, id: &CommitId, bytes: &[u8]) -> Result<Commit, Finished> {
        let actual = osier_object::hash(bytes);
        if actual != id.0 {
            let name = ObjectName {
                checksum: id.0,
                ty: ObjectType::Commit,
            };
            return Err(Finished::Refused(osier_store::Error::ChecksumMismatch {
                name,
                expected: id.0,
                actual,
            }));
        }
        Commit::decode(bytes).map_err(|e| invalid(ObjectType::Commit, id, &e))
    }

    fn root_path(&self) -> Option<String> {
        (!self.rules.subpaths.is_empty()).then(|| "/".to_owned())
    }

    fn tree(&self, tree: &TreeAt, fetched: Option<&[u8]>) -> Result<Found, Finished> {
        let decoded = match fetched {
            Some(bytes) => {
                self.write_checked(ObjectType::Dirtree, &tree.id.0, bytes)?;
                Dirtree::decode(bytes).map_err(|e| refused_tree(tree, &e))?
            }
            None => self.tx.load_dirtree(&tree.id)?,
        };
        decoded.check_order().map_err(|e| refused_tree(tree, &e))?;
        let mut needs = Needs::default();
        for (name, id) in &decoded.files {
            let wanted = tree
                .path
                .as_ref()
                .is_none_or(|dir| self.wants_file(&child(dir, name)));
            if wanted {
                self.need_content(*id, &mut needs)?;
            }
        }
        for (name, id, meta) in &decoded.dirs {
            let path = tree.path.as_ref().map(|dir| child(dir, name));
            if path.as_ref().is_none_or(|path| self.wants_dir(path)) {
                self.need_dirmeta(meta.0, &mut needs)?;
                // Below a path that is wanted all is, and one listing may be there under any number of names.
                let path = path.filter(|path| !self.wants_file(path));
                self.need_tree(TreeAt { id: *id, path }, &mut needs)?;
            }
        }
        Ok(Found {
            needs,
            ..Found::default()
        })
    }

    /// A file is wanted at or below one of the paths.
    fn wants_file(&self, path: &str) -> bool {
        self.rules
            .subpaths
            .iter()
            .any(|wanted| is_at_or_below(path, wanted))
    }

    /// A folder is wanted there, and on the way there.
    fn wants_dir(&self, path: &str) -> bool {
        self.rules
            .subpaths
            .iter()
            .any(|wanted| is_at_or_below(path, wanted) || is_at_or_below(wanted, path))
    }

    fn first_time(&self, insert: impl FnOnce(&mut Seen) -> bool) -> bool {
        insert(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn need_content(&self, id: ContentId, needs: &mut Needs) -> Result<(), Finished> {
        if !self.first_time(|seen| seen.content.insert(id.0)) {
            return Ok(());
        }
        let name = ObjectName {
            checksum: id.0,
            ty: ObjectType::File,
        };
        if self.tx.has_object(&name)? {
            return Ok(());
        }
        for cache in self.caches {
            if self.import(cache, &name)? {
                needs.content_from_cache += 1;
                return Ok(());
            }
        }
        needs.content.push(id);
        Ok(())
    }

    fn need_dirmeta(&self, id: Checksum, needs: &mut Needs) -> Result<(), Finished> {
        if self.first_time(|seen| seen.dirmeta.insert(id))
            && !self.is_here(ObjectType::Dirmeta, id, needs)?
        {
            needs.dirmeta.push(id);
        }
        Ok(())
    }

    fn need_tree(&self, tree: TreeAt, needs: &mut Needs) -> Result<(), Finished> {
        if !self.first_time(|seen| seen.trees.insert(tree.clone())) {
            return Ok(());
        }
        // That a listing is here says nothing of what it lists: an earlier pull may have ended between the two.
        if self.is_here(ObjectType::Dirtree, tree.id.0, needs)? {
            needs.scan.push(tree);
        } else {
            needs.trees.push(tree);
        }
        Ok(())
    }

    fn is_here(
        &self,
        ty: ObjectType,
        checksum: Checksum,
        needs: &mut Needs,
    ) -> Result<bool, Finished> {
        let name = ObjectName { checksum, ty };
        if self.tx.has_object(&name)? {
            return Ok(true);
        }
        for cache in self.caches {
            if self.import(cache, &name)? {
                needs.metadata_from_cache += 1;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A commit that a local repository has.
    pub fn cached_commit(
        &self,
        from: &LocalSource<'_>,
        id: &CommitId,
    ) -> Result<Option<Vec<u8>>, Error> {
        let failed = |cause| Error::Import {
            path: from.repo.path().to_owned(),
            cause: Box::new(cause),
        };
        from.repo
            .read_metadata_opt(ObjectType::Commit, &id.0)
            .map_err(failed)
    }

    /// Takes an object from a local repository, if it is there: as a further name of the same file where both keep it
    /// in the same form, else as if it came from the network. It is checked unless it is trusted, and what is not trusted
    /// stays one file only where nobody else may alter it.
    fn import(&self, from: &LocalSource<'_>, name: &ObjectName) -> Result<bool, Finished> {
        let source = from.repo;
        let failed = |cause| {
            Finished::Failed(Error::Import {
                path: source.path().to_owned(),
                cause: Box::new(cause),
            })
        };
        let alike = self.may_link(from, name).map_err(failed)?;
        if alike {
            match self.tx.import_hardlink(source, name) {
                Ok(Some(_)) => return Ok(true),
                Ok(None) => {}
                // Its parent may have it.
                Err(e) if e.missing_object().is_some() => {}
                Err(e) => return Err(failed(e)),
            }
        }
        if name.ty.is_metadata() {
            let Some(bytes) = source
                .read_metadata_opt(name.ty, &name.checksum)
                .map_err(failed)?
            else {
                return Ok(false);
            };
            self.tx
                .write_metadata(name.ty, Some(&name.checksum), &bytes)
                .map_err(failed)?;
            return Ok(true);
        }
        let id = ContentId(name.checksum);
        let content = match source.open_content(&id) {
            Ok(content) => content,
            Err(e) if e.missing_object().is_some() => return Ok(false),
            Err(e) => return Err(failed(e)),
        };
        let (header, size) = (content.header.clone(), content.size);
        self.tx
            .write_content(Some(&id), &header, size, &mut content.into_reader())
            .map_err(failed)?;
        // A copy in the same form is none that counts.
        if !alike {
            self.counters.wrote_content(size);
        }
        Ok(true)
    }

    /// Whether an object may become a further name of the file that a local repository has.
    fn may_link(&self, from: &LocalSource<'_>, name: &ObjectName) -> osier_store::Result<bool> {
        if name.ty.is_metadata() {
            return Ok(from.trusted);
        }
        let source = from.repo;
        let alike = source.mode() == self.tx.repo().mode();
        if !alike
            || source.mode() == RepoMode::BareSplitXattrs
            || !(from.trusted || from.same_owner)
        {
            return Ok(false);
        }
        let id = ContentId(name.checksum);
        if self.check_modes {
            match source.open_content(&id) {
                Ok(content) => self.tx.check_storable(&content.header, Some(&id))?,
                Err(e) if e.missing_object().is_some() => return Ok(false),
                Err(e) => return Err(e),
            }
        }
        if from.trusted {
            return Ok(true);
        }
        match verify_object(source, name) {
            Ok(_) => Ok(true),
            Err(e) if e.missing_object().is_some() => Ok(false),
            Err(e) => Err(e),
        }
    }
}

fn invalid(ty: ObjectType, id: &CommitId, cause: &dyn std::fmt::Display) -> Finished {
    let name = ObjectName { checksum: id.0, ty };
    Finished::Refused(osier_store::Error::Invalid {
        name,
        cause: cause.to_string(),
    })
}

fn refused_tree(tree: &TreeAt, cause: &osier_object::Error) -> Finished {
    let name = ObjectName {
        checksum: tree.id.0,
        ty: ObjectType::Dirtree,
    };
    Finished::Refused(osier_store::Error::Invalid {
        name,
        cause: cause.to_string(),
    })
}

fn child(dir: &str, name: &str) -> String {
    format!("{}/{name}", dir.trim_end_matches('/'))
}

fn is_at_or_below(path: &str, top: &str) -> bool {
    let top = top.trim_end_matches('/');
    path.strip_prefix(top)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Size of what waits for a worker.
pub(super) fn size_of(chunks: &[Chunk]) -> usize {
    chunks.iter().map(|c| c.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(child("/", "a"), "/a");
        assert_eq!(child("/a", "b"), "/a/b");
        assert!(is_at_or_below("/a/b", "/a"));
        assert!(is_at_or_below("/a", "/a/"));
        assert!(is_at_or_below("/anything", "/"));
        assert!(!is_at_or_below("/ab", "/a"));
    }
}
