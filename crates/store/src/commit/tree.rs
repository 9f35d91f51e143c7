//! A tree being put together in memory: names and checksums only, never content.

use crate::error::{Error, Result};
use crate::read::ReadObjects;
use crate::transaction::Transaction;
use osier_object::{ContentId, DirmetaId, Dirtree, DirtreeId};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// A directory that knows its entries, or only the checksum of a stored listing.
#[derive(Debug, Default)]
pub struct MutableTree {
    dirmeta: Option<DirmetaId>,
    /// A stored listing that has not been needed yet.
    stored: Option<DirtreeId>,
    files: BTreeMap<Box<str>, ContentId>,
    dirs: BTreeMap<Box<str>, MutableTree>,
}

/// What a directory is made of.
pub(super) type Parts = (
    Option<DirmetaId>,
    BTreeMap<Box<str>, ContentId>,
    BTreeMap<Box<str>, MutableTree>,
);

impl MutableTree {
    /// An empty directory without owner or mode.
    pub fn new() -> MutableTree {
        MutableTree::default()
    }

    /// A directory as it is stored; its listing is read when something is put into it.
    pub fn of_stored(dirtree: DirtreeId, dirmeta: DirmetaId) -> MutableTree {
        MutableTree {
            dirmeta: Some(dirmeta),
            stored: Some(dirtree),
            ..Default::default()
        }
    }

    pub(super) fn of_entries(
        dirmeta: DirmetaId,
        files: Vec<(Box<str>, ContentId)>,
        dirs: Vec<(Box<str>, MutableTree)>,
    ) -> MutableTree {
        MutableTree {
            dirmeta: Some(dirmeta),
            stored: None,
            files: files.into_iter().collect(),
            dirs: dirs.into_iter().collect(),
        }
    }

    /// Owner, mode and attributes.
    pub fn dirmeta(&self) -> Option<DirmetaId> {
        self.dirmeta
    }

    /// Sets owner, mode and attributes.
    pub fn set_dirmeta(&mut self, id: DirmetaId) {
        self.dirmeta = Some(id);
    }

    /// The files, once loaded.
    pub fn files(&self) -> &BTreeMap<Box<str>, ContentId> {
        &self.files
    }

    /// Reads the stored listing, if that was not done.
    pub fn load(&mut self, objects: &(impl ReadObjects + ?Sized)) -> Result<()> {
        if let Some(id) = self.stored.take() {
            let Dirtree { files, dirs } = objects.load_dirtree(&id)?;
            self.files = files.into_iter().collect();
            self.dirs = dirs
                .into_iter()
                .map(|(name, tree, meta)| (name, MutableTree::of_stored(tree, meta)))
                .collect();
        }
        Ok(())
    }

    /// Puts a file in, in place of one of the same name.
    ///
    /// # Errors
    /// When there is a directory of that name.
    pub fn put_file(&mut self, name: &str, id: ContentId) -> Result<()> {
        if self.dirs.contains_key(name) {
            return Err(Error::other(format!(
                "Can't replace directory with file: {name}"
            )));
        }
        self.files.insert(name.into(), id);
        Ok(())
    }

    /// The subdirectory `name`, made when it is not there.
    ///
    /// # Errors
    /// When there is a file of that name.
    pub fn ensure_dir(&mut self, name: &str) -> Result<&mut MutableTree> {
        if self.files.contains_key(name) {
            return Err(Error::other(format!(
                "Can't replace file with directory: {name}"
            )));
        }
        Ok(self.dirs.entry(name.into()).or_default())
    }

    /// The subdirectory `name`.
    pub fn dir_mut(&mut self, name: &str) -> Option<&mut MutableTree> {
        self.dirs.get_mut(name)
    }

    /// Removes an entry; `true` if there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        self.files.remove(name).is_some() | self.dirs.remove(name).is_some()
    }

    /// Puts another tree over this one: its files and its owners and modes win, directories merge.
    pub(super) fn overlay(&mut self, tx: &Transaction<'_>, mut top: MutableTree) -> Result<()> {
        if self.is_blank() {
            *self = top;
            return Ok(());
        }
        if self.stored.is_some() && self.stored == top.stored {
            self.dirmeta = top.dirmeta.or(self.dirmeta);
            return Ok(());
        }
        self.load(tx)?;
        // The reference tool writes each of a commit's files anew here, and counts it.
        let of_commit = top.stored.is_some();
        top.load(tx)?;
        if of_commit {
            tx.count_content(top.files.len() as u64);
        }
        self.dirmeta = top.dirmeta.or(self.dirmeta);
        for (name, id) in top.files {
            self.put_file(&name, id)?;
        }
        for (name, dir) in top.dirs {
            self.ensure_dir(&name)?.overlay(tx, dir)?;
        }
        Ok(())
    }

    fn is_blank(&self) -> bool {
        self.dirmeta.is_none()
            && self.stored.is_none()
            && self.files.is_empty()
            && self.dirs.is_empty()
    }

    /// Owner and mode, files, subdirectories.
    pub(super) fn into_parts(self) -> Parts {
        (self.dirmeta, self.files, self.dirs)
    }

    /// With `now`, writes the listing of this directory, so that only its checksum stays in memory.
    pub(super) fn written_if(self, now: bool, tx: &Transaction<'_>) -> Result<MutableTree> {
        match (now, self.dirmeta) {
            (true, Some(dirmeta)) => Ok(MutableTree::of_stored(self.write(tx)?, dirmeta)),
            _ => Ok(self),
        }
    }

    /// Writes the listing of this directory and all below.
    pub(super) fn write(self, tx: &Transaction<'_>) -> Result<DirtreeId> {
        if let Some(id) = self.stored {
            return Ok(id);
        }
        let dirs: Vec<(Box<str>, MutableTree)> = self.dirs.into_iter().collect();
        let dirs = dirs
            .into_par_iter()
            .map(|(name, dir)| {
                let meta = dir.dirmeta.ok_or_else(|| {
                    Error::other(format!(
                        "Can't commit directory {name}: it has no owner and mode"
                    ))
                })?;
                Ok((name, dir.write(tx)?, meta))
            })
            .collect::<Result<Vec<_>>>()?;
        tx.write_dirtree(&Dirtree {
            files: self.files.into_iter().collect(),
            dirs,
        })
    }
}
