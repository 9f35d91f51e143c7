//! Writing metadata objects: the bytes are hashed as they are found, never re-encoded.

use super::{Counters, Transaction};
use crate::error::{Error, IoContext, Result};
use crate::read::invalid;
use osier_gv::Dict;
use osier_object::{
    Checksum, Commit, CommitId, Dirmeta, DirmetaId, Dirtree, DirtreeId, MAX_METADATA_SIZE,
    ObjectName, ObjectType, hash,
};
use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;
use std::os::fd::AsFd;

impl Transaction<'_> {
    /// Writes a hashed metadata object (dirtree, dirmeta, commit) and gives its checksum.
    ///
    /// # Errors
    /// [`Error::ChecksumMismatch`] when it should hash to `expected` and does not, [`Error::Invalid`] when its
    /// structure is not that of its type.
    pub fn write_metadata(
        &self,
        ty: ObjectType,
        expected: Option<&Checksum>,
        bytes: &[u8],
    ) -> Result<Checksum> {
        Counters::add(&self.counters.metadata_total, 1);
        let actual = hash(bytes);
        let name = ObjectName {
            checksum: actual,
            ty,
        };
        if let Some(expected) = expected
            && *expected != actual
        {
            return Err(Error::ChecksumMismatch {
                name: ObjectName {
                    checksum: *expected,
                    ty,
                },
                expected: *expected,
                actual,
            });
        }
        let path = name.loose_path(false);
        if self.is_stored_at(&path)? {
            return Ok(actual);
        }
        if bytes.len() as u64 > MAX_METADATA_SIZE {
            return Err(invalid(
                ty,
                &actual,
                format!("{} bytes are more than metadata may have", bytes.len()),
            ));
        }
        osier_object::validate::structure(ty, bytes).map_err(|e| invalid(ty, &actual, e))?;
        self.store_bytes(&path, bytes)?;
        if ty == ObjectType::Commit {
            // A commit that is here again is dead no longer.
            let tombstone = ObjectName {
                checksum: actual,
                ty: ObjectType::TombstoneCommit,
            }
            .loose_path(false);
            match rustix::fs::unlinkat(self.repo.objects_dir(), &tombstone, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(e) => return Err(e).at(|| format!("unlinkat(objects/{tombstone})")),
            }
        }
        Counters::add(&self.counters.metadata_written, 1);
        Ok(actual)
    }

    /// Writes a directory listing.
    pub fn write_dirtree(&self, tree: &Dirtree) -> Result<DirtreeId> {
        self.write_metadata(ObjectType::Dirtree, None, &tree.encode())
            .map(DirtreeId)
    }

    /// Writes a directory's owner, mode and attributes.
    pub fn write_dirmeta(&self, meta: &Dirmeta) -> Result<DirmetaId> {
        self.write_metadata(ObjectType::Dirmeta, None, &meta.encode())
            .map(DirmetaId)
    }

    /// Writes a commit object. No ref is set.
    pub fn write_commit(&self, commit: &Commit) -> Result<CommitId> {
        self.write_metadata(ObjectType::Commit, None, &commit.encode())
            .map(CommitId)
    }

    /// Writes (or replaces) a commit's detached metadata.
    pub fn write_commitmeta(&self, id: &CommitId, meta: &Dict) -> Result<()> {
        self.write_commitmeta_bytes(id, &meta.encode())
    }

    /// As [`Transaction::write_commitmeta`], of bytes fetched from elsewhere, kept as they are.
    ///
    /// # Errors
    /// [`Error::Invalid`] when they are no `a{sv}`.
    pub fn write_commitmeta_bytes(&self, id: &CommitId, bytes: &[u8]) -> Result<()> {
        let name = ObjectName {
            checksum: id.0,
            ty: ObjectType::Commitmeta,
        };
        if !bytes.is_empty() {
            Dict::decode(bytes).map_err(|e| invalid(name.ty, &id.0, e))?;
        }
        self.store_bytes(&name.loose_path(false), bytes)
    }

    /// Writes a tombstone: the word that a commit was deleted on purpose.
    pub fn write_tombstone(&self, id: &CommitId) -> Result<()> {
        let name = ObjectName {
            checksum: id.0,
            ty: ObjectType::TombstoneCommit,
        };
        self.store_bytes(
            &name.loose_path(false),
            &osier_object::tombstone::encode(id),
        )
    }

    /// Marks a commit as lacking objects. At once, so that an interrupted transaction cannot leave it unmarked.
    pub fn mark_partial(&self, id: &CommitId) -> Result<()> {
        let path = format!("state/{id}.commitpartial");
        let flags =
            rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::CREATE | rustix::fs::OFlags::CLOEXEC;
        match rustix::fs::mkdirat(self.repo.dir(), "state", Mode::from_raw_mode(0o775)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(e) => return Err(e).at(|| "mkdirat(state)".into()),
        }
        rustix::fs::openat(self.repo.dir(), &path, flags, Mode::from_raw_mode(0o644))
            .at(|| format!("creating {path}"))?;
        Ok(())
    }

    /// Unmarks a commit as partial once the transaction is committed.
    pub fn mark_complete(&self, id: &CommitId) {
        self.completed
            .lock()
            .expect("no panic while locked")
            .push(*id);
    }

    /// Puts bytes under an object's path, replacing what is there only for detached metadata.
    fn store_bytes(&self, path: &str, bytes: &[u8]) -> Result<()> {
        use std::io::Write;
        let mut tmp = self.new_file(path)?;
        tmp.file
            .write_all(bytes)
            .at(|| format!("writing object {path}"))?;
        rustix::fs::fchmod(tmp.file.as_fd(), Mode::from_raw_mode(0o644))
            .at(|| format!("fchmod of object {path}"))?;
        self.link_into_place(tmp, path, path.ends_with(".commitmeta"))?;
        Ok(())
    }
}
