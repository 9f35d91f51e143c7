//! The tree that an archive is laid over, by paths.

use super::path;
use crate::commit::MutableTree;
use crate::commit::modifier::{Attributes, Modifier};
use crate::error::{Error, Result};
use crate::transaction::Transaction;
use osier_object::header::S_IFDIR;
use osier_object::{ContentId, Xattrs};

pub(super) struct Tree<'a, 't> {
    pub(super) tx: &'a Transaction<'t>,
    pub(super) root: &'a mut MutableTree,
}

impl Tree<'_, '_> {
    /// The directory with these components.
    ///
    /// # Errors
    /// When one of them is not there, or no directory.
    pub(super) fn dir(&mut self, parts: &[&str]) -> Result<&mut MutableTree> {
        let mut dir = &mut *self.root;
        dir.load(self.tx)?;
        for part in parts {
            dir = dir
                .dir_mut(part)
                .ok_or_else(|| Error::other(format!("No such file or directory: {part}")))?;
            dir.load(self.tx)?;
        }
        Ok(dir)
    }

    /// Makes the directory with these components and all above it, with this owner. Those above it that were there get
    /// it as well: that is how the reference tool has it, and checksums depend on it. Of all options only the policy
    /// matters.
    pub(super) fn make_parents(
        &mut self,
        parts: &[&str],
        (uid, gid): (u32, u32),
        modifier: &Modifier,
    ) -> Result<()> {
        let meta = |path: &str| {
            let mut a = Attributes {
                uid,
                gid,
                mode: S_IFDIR | 0o755,
                xattrs: Xattrs::EMPTY,
            };
            modifier.label(path, &mut a)?;
            self.tx.write_dirmeta(&a.into_dirmeta())
        };
        let mut dir = &mut *self.root;
        dir.set_dirmeta(meta("/")?);
        let mut path = String::new();
        for part in parts {
            path.push('/');
            path.push_str(part);
            dir.load(self.tx)?;
            dir = dir.ensure_dir(part)?;
            dir.set_dirmeta(meta(&path)?);
        }
        Ok(())
    }

    /// The file at a path.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn file(&mut self, at: &str) -> Result<ContentId> {
        let (parents, name) = path::split(at)?;
        let dir = self.dir(&parents)?;
        if let Some(id) = dir.files().get(name) {
            return Ok(*id);
        }
        Err(Error::other(match dir.dir_mut(name) {
            Some(_) => format!("Expected hardlink file target at \"{at}\" but found a directory"),
            None => format!("No such file or directory: {name}"),
        }))
    }

    /// Puts a file at a path whose directory is there.
    pub(super) fn put(&mut self, at: &str, id: ContentId) -> Result<()> {
        let (parents, name) = path::split(at)?;
        self.dir(&parents)?.put_file(name, id)
    }
}
