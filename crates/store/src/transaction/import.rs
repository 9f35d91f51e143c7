//! Taking over files of another repository without decoding them.

use super::{Counters, Import, Transaction};
use crate::error::{Error, IoContext, Result};
use crate::repo::Repo;
use osier_object::ContentId;
use rustix::fs::Mode;
use std::os::fd::AsFd;

impl Transaction<'_> {
    /// Copies the `.filez` of another archive as it is, without hashing it: for sources that are trusted or were
    /// checked. Both repositories must be archives.
    ///
    /// # Errors
    /// [`Error::MissingObject`]; an I/O error; [`Error::MinFreeSpace`].
    pub fn import_packed(&self, source: &Repo, id: &ContentId) -> Result<Import> {
        Counters::add(&self.counters.content_total, 1);
        let path = self.content_name(id);
        if self.is_stored_at(&path)? {
            return Ok(Import::Present);
        }
        let mut from = None;
        let mut next = Some(source);
        while let (None, Some(repo)) = (&from, next) {
            from = crate::read::open_object(repo.objects_dir(), &path)?;
            next = repo.parent().filter(|p| p.mode().is_archive());
        }
        let from = from.ok_or_else(|| Error::MissingObject(id.object_name()))?;
        let mut from = std::fs::File::from(from);
        let size = from
            .metadata()
            .at(|| format!("fstat of object {path}"))?
            .len();
        let room = self.take_space(size)?;
        let mut tmp = self.new_file(&path)?;
        // Uses copy_file_range, and so shares blocks where the file system can.
        std::io::copy(&mut from, &mut tmp.file).at(|| format!("copying object {path}"))?;
        rustix::fs::fchmod(tmp.file.as_fd(), Mode::from_raw_mode(0o644))
            .at(|| format!("fchmod of object {path}"))?;
        if self.fsync && self.per_object_fsync {
            tmp.file
                .sync_all()
                .at(|| format!("fsync of object {path}"))?;
        }
        if !self.link_into_place(tmp, &path, false)? {
            return Ok(Import::Present);
        }
        room.keep();
        Counters::add(&self.counters.content_written, 1);
        Ok(Import::Written)
    }
}
