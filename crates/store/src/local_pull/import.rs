//! Taking over one object, by the cheapest way that is allowed.

use super::LocalPullOptions;
use super::targets::owner_and_device;
use crate::content::{Content, WHOLE_FILE_MAX};
use crate::error::{Error, Result};
use crate::fsck::verify_object;
use crate::mode::RepoMode;
use crate::parallel::Progress;
use crate::read::{ReadObjects, invalid};
use crate::repo::Repo;
use crate::transaction::{Import, Transaction};
use osier_object::{ContentId, FileHeader, ObjectName, ObjectType};
use rustix::io::Errno;
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    /// One buffer a thread for whole small files.
    static WHOLE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

pub(super) struct Importer<'a, 'r> {
    tx: &'a Transaction<'r>,
    source: &'a Repo,
    progress: &'a dyn Progress,
    untrusted: bool,
    /// Objects of the same form may be taken over as they are.
    direct: bool,
    /// They may be so as further names of the same files.
    linkable: bool,
    /// Whether the mode of files matters.
    check_modes: bool,
    pub(super) metadata: AtomicU64,
    pub(super) content: AtomicU64,
    pub(super) linked: AtomicU64,
    pub(super) commitmeta_bytes: AtomicU64,
    /// Bytes of content that was only copied, which does not count as written.
    pub(super) copied_bytes: AtomicU64,
}

impl<'a, 'r> Importer<'a, 'r> {
    pub(super) fn new(
        tx: &'a Transaction<'r>,
        source: &'a Repo,
        options: &LocalPullOptions<'a>,
        progress: &'a dyn Progress,
    ) -> Result<Importer<'a, 'r>> {
        let (own_uid, own_device) = owner_and_device(tx.repo())?;
        let (uid, device) = owner_and_device(source)?;
        Ok(Importer {
            tx,
            source,
            progress,
            untrusted: options.untrusted,
            direct: !options.untrusted || uid == own_uid,
            linkable: uid == own_uid && device == own_device,
            check_modes: options.bareuseronly_files || tx.repo().mode() == RepoMode::BareUserOnly,
            metadata: AtomicU64::new(0),
            content: AtomicU64::new(0),
            linked: AtomicU64::new(0),
            commitmeta_bytes: AtomicU64::new(0),
            copied_bytes: AtomicU64::new(0),
        })
    }

    /// Whether the object is here already. Where it would be linked anyway, that finds out by itself: `false` then.
    pub(super) fn is_present(&self, name: &ObjectName) -> Result<bool> {
        let alike = name.ty.is_metadata() || self.tx.repo().mode() == self.source.mode();
        let links = self.direct && self.linkable && alike;
        match links && !self.untrusted && !self.check_modes && self.tx.repo().parent().is_none() {
            true => Ok(false),
            false => self.tx.has_object(name),
        }
    }

    /// Takes over a commit, listing, directory metadata or tombstone that is not here yet.
    pub(super) fn metadata(&self, name: &ObjectName) -> Result<()> {
        let how = self.metadata_from(self.source, name)?;
        if name.ty != ObjectType::TombstoneCommit {
            self.count(&self.metadata, how);
        }
        self.progress.object_done(0);
        Ok(())
    }

    fn metadata_from(&self, source: &Repo, name: &ObjectName) -> Result<Import> {
        if self.untrusted {
            verify_object(source, name).map_err(|e| e.within(format!("fsck {name}")))?;
        }
        if self.direct && self.linkable {
            match self.tx.import_hardlink(source, name) {
                Ok(Some(how)) => return Ok(how),
                Ok(None) => {}
                Err(Error::MissingObject(_)) => match source.parent() {
                    Some(parent) => return self.metadata_from(parent, name),
                    None => return Err(missing(name)),
                },
                Err(e) => return Err(e),
            }
        }
        let bytes = source
            .read_metadata_opt(name.ty, &name.checksum)?
            .ok_or_else(|| missing(name))?;
        match name.ty {
            ObjectType::TombstoneCommit => {
                osier_object::tombstone::decode(&bytes)
                    .map_err(|e| invalid(name.ty, &name.checksum, e))?;
                self.tx
                    .write_tombstone(&osier_object::CommitId(name.checksum))?;
            }
            ty => {
                self.tx.write_metadata(ty, Some(&name.checksum), &bytes)?;
            }
        }
        Ok(Import::Written)
    }

    /// Copies a commit's detached metadata; where the source has none, what is here stays.
    pub(super) fn commitmeta(&self, id: &osier_object::CommitId, stored: bool) -> Result<()> {
        let Some(bytes) = self
            .source
            .read_metadata_opt(ObjectType::Commitmeta, &id.0)?
        else {
            return Ok(());
        };
        if stored {
            self.commitmeta_bytes
                .fetch_add(bytes.len() as u64, Ordering::Relaxed);
            let own = self.tx.read_metadata_opt(ObjectType::Commitmeta, &id.0)?;
            if own.as_deref() == Some(&bytes[..]) {
                return Ok(());
            }
        }
        self.tx.write_commitmeta_bytes(id, &bytes)
    }

    /// Takes over a file or symbolic link that is not here yet.
    pub(super) fn content(&self, id: &ContentId) -> Result<()> {
        let (how, bytes) = self.content_from(self.source, id)?;
        self.count(&self.content, how);
        self.progress.object_done(bytes);
        Ok(())
    }

    fn content_from(&self, source: &Repo, id: &ContentId) -> Result<(Import, u64)> {
        let name = id.object_name();
        if self.untrusted && self.direct {
            verify_object(source, &name)
                .map_err(|e| e.within(format!("fsck content object {id}")))?;
        }
        let mut opened = None;
        if self.check_modes {
            let content = source.open_content(id)?;
            check_mode(id, &content.header)?;
            opened = Some(content);
        }
        let alike = self.direct && self.same_form(source, id, &mut opened)?;
        if alike {
            if self.linkable {
                match self.tx.import_hardlink(source, &name) {
                    Ok(Some(how)) => return Ok((how, 0)),
                    Ok(None) => {}
                    Err(Error::MissingObject(_)) => match source.parent() {
                        Some(parent) => return self.content_from(parent, id),
                        None => return Err(missing(&name)),
                    },
                    Err(e) => return Err(e),
                }
            }
            if source.mode().is_archive() {
                return Ok((self.tx.import_packed(source, id)?, 0));
            }
        }
        let content = match opened {
            Some(content) => content,
            None => source.open_content(id)?,
        };
        let size = content.size;
        self.convert(id, content)
            .map_err(|e| e.within("Writing content object"))?;
        if alike {
            self.copied_bytes.fetch_add(size, Ordering::Relaxed);
        }
        Ok((Import::Written, size))
    }

    /// Whether this repository would store the object's file as the source has it.
    fn same_form(
        &self,
        source: &Repo,
        id: &ContentId,
        opened: &mut Option<Content>,
    ) -> Result<bool> {
        let own = self.tx.repo().mode();
        if own == source.mode() {
            return Ok(own != RepoMode::BareSplitXattrs);
        }
        if (source.mode(), own) != (RepoMode::BareUser, RepoMode::BareUserOnly) {
            return Ok(false);
        }
        // Of these two, only regular files are alike.
        if opened.is_none() {
            *opened = Some(source.open_content(id)?);
        }
        Ok(opened.as_ref().is_some_and(|c| !c.header.is_symlink()))
    }

    fn convert(&self, id: &ContentId, content: Content) -> Result<()> {
        let header = content.header.clone();
        let size = content.size;
        if size > WHOLE_FILE_MAX {
            let from = &mut content.into_reader();
            return match self.untrusted {
                true => self
                    .tx
                    .write_content(Some(id), &header, size, from)
                    .map(drop),
                false => self.tx.write_trusted_content(id, &header, size, from),
            };
        }
        WHOLE.with_borrow_mut(|whole| {
            content
                .read_whole(whole)
                .map_err(|e| invalid(ObjectType::File, &id.0, e))?;
            match self.untrusted {
                true => self
                    .tx
                    .write_content_bytes(Some(id), &header, whole)
                    .map(drop),
                false => self.tx.write_trusted_bytes(id, &header, whole),
            }
        })
    }

    fn count(&self, counter: &AtomicU64, how: Import) {
        match how {
            Import::Present => return,
            Import::Hardlink => {
                self.linked.fetch_add(1, Ordering::Relaxed);
            }
            Import::Written => {}
        }
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

fn check_mode(id: &ContentId, header: &FileHeader) -> Result<()> {
    let bits = header.mode & 0o7777 & !0o775;
    if header.is_symlink() || bits == 0 {
        return Ok(());
    }
    Err(Error::NotAllowed(format!(
        "Content object {id}: invalid mode 0{:04o} with bits 0{bits:04o}",
        header.mode
    )))
}

fn missing(name: &ObjectName) -> Error {
    Error::Io {
        action: format!("Importing {name}: linkat"),
        source: Errno::NOENT.into(),
    }
}
