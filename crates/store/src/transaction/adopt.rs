//! Taking a file on disk over as an object, instead of copying it.

use super::Transaction;
use crate::error::{IoContext, Result};
use crate::mode::RepoMode;
use osier_object::{ContentId, FileHeader};
use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

impl Transaction<'_> {
    /// Whether [`Transaction::adopt_file`] can work: the repository keeps files as they are, and `header` is what the
    /// file on disk has (`unmodified`), or the repository keeps the mode alone.
    pub fn can_adopt(&self, unmodified: bool) -> bool {
        match self.repo.mode() {
            RepoMode::Bare => unmodified,
            RepoMode::BareUserOnly => true,
            RepoMode::BareUser | RepoMode::Archive | RepoMode::BareSplitXattrs => false,
        }
    }

    /// Makes the entry `name` of `dir`, opened as `file`, an object by giving it a further name: should the transaction
    /// never be published, the source is still there. Its time stays.
    ///
    /// One that is stored already stays as it is. `None` when the file is to be copied, as it is on another file system.
    ///
    /// # Errors
    /// When the mode cannot hold it, or on I/O failure.
    pub fn adopt_file(
        &self,
        dir: BorrowedFd<'_>,
        name: impl rustix::path::Arg + Copy,
        header: &FileHeader,
        file: &mut File,
    ) -> Result<Option<ContentId>> {
        self.check_storable(header, None)?;
        let mut hasher = HashWriter(Sha256::new_with_prefix(header.hash_framing()));
        io::copy(file, &mut hasher).at(|| "reading content".into())?;
        let id = ContentId(osier_object::Checksum(hasher.0.finalize().into()));
        let path = self.content_name(&id);
        if self.is_stored_at(&path)? {
            return Ok(Some(id));
        }
        if self.repo.mode() == RepoMode::BareUserOnly {
            let mode = Mode::from_raw_mode(header.mode & 0o7777);
            rustix::fs::fchmod(file.as_fd(), mode).at(|| format!("fchmod of object {path}"))?;
        }
        if self.fsync && self.per_object_fsync {
            file.sync_all().at(|| format!("fsync of object {path}"))?;
        }
        let mut made_prefix = false;
        loop {
            let flags = AtFlags::empty();
            match rustix::fs::linkat(dir, name, self.target_dir(), Path::new(&path), flags) {
                Ok(()) => break,
                Err(Errno::NOENT) if !made_prefix => {
                    self.make_prefix(&path)?;
                    made_prefix = true;
                }
                Err(Errno::EXIST | Errno::XDEV | Errno::MLINK | Errno::PERM) => return Ok(None),
                Err(e) => return Err(e).at(|| format!("linkat of object {path}")),
            }
        }
        // Not counted: nothing was written.
        Ok(Some(id))
    }
}

struct HashWriter(Sha256);

impl io::Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
