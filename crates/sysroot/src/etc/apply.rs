//! Carrying the user's changes over to new defaults.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode};
use rustix::io::Errno;

use super::copy::{copy_dir_metadata, copy_entry};
use super::{Changes, split};
use crate::dir::{Beneath, Dir};
use crate::error::{Error, IoAction, Result};

impl Changes {
    /// Applies the changes, whose new files are in `user`, to `target`, a copy of the new defaults.
    ///
    /// # Errors
    /// A file of the user's that newly defaults to a folder: the two cannot be merged.
    pub(crate) fn apply(&self, user: &Dir, target: &Dir) -> Result<()> {
        for path in &self.removed {
            let (parent, name) = split(path);
            if let Some(parent) = open_parent(target, parent)? {
                parent.remove_tree(name)?;
            }
        }
        for path in &self.modified {
            carry_over(user, target, path)?;
        }
        // A folder that was copied brought all that is in it along.
        let mut copied: Option<&PathBuf> = None;
        for path in &self.added {
            if copied.is_some_and(|top| path.starts_with(top)) {
                continue;
            }
            if carry_over(user, target, path)? {
                copied = Some(path);
            }
        }
        Ok(())
    }
}

/// Puts the user's `path` into `target`; `true` if a folder was copied as a whole.
fn carry_over(user: &Dir, target: &Dir, path: &Path) -> Result<bool> {
    let (parent, name) = split(path);
    let source = walk(user, parent)?;
    let Some(stat) = source.stat_entry(name)? else {
        // Gone since the comparison: the user's last word.
        return Ok(false);
    };
    let is_dir = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    let target = make_parents(user, target, parent)?;
    if let Some(old) = target.stat_entry(name)? {
        if FileType::from_raw_mode(old.st_mode) == FileType::Directory {
            if is_dir {
                return Ok(false);
            }
            return Err(Error::invalid(format!(
                "Modified config file newly defaults to directory '{}', cannot merge",
                path.display()
            )));
        }
        target.remove_tree(name)?;
    }
    copy_entry(&source, &target, name)?;
    Ok(is_dir)
}

/// The user's folder at `path`, without following a link.
fn walk(top: &Dir, path: &Path) -> Result<Dir> {
    path.components().try_fold(top.try_clone()?, |dir, name| {
        dir.open_entry(name.as_os_str().as_bytes())
    })
}

/// Opens the folder `path` of the new defaults, made where missing. It gets the metadata of the
/// user's folder of that name; made ones above it too.
///
/// The new defaults may have a link there. It is followed as long as it stays inside.
fn make_parents(user: &Dir, target: &Dir, path: &Path) -> Result<Dir> {
    let mut source = user.try_clone()?;
    let mut dir = target.try_clone()?;
    let mut reached = PathBuf::new();
    for name in path.components() {
        reached.push(name);
        let name = name.as_os_str().as_bytes();
        source = source.open_entry(name)?;
        if dir.stat_entry(name)?.is_none() {
            rustix::fs::mkdirat(&dir, name, Mode::RWXU)
                .action(|| format!("mkdirat({})", reached.display()))?;
            dir = dir.open_entry(name)?;
            copy_dir_metadata(&source, &dir)?;
        } else {
            dir = open_beneath(target, &reached)?;
        }
    }
    copy_dir_metadata(&source, &dir)?;
    Ok(dir)
}

fn open_parent(target: &Dir, path: &Path) -> Result<Option<Dir>> {
    match open_beneath(target, path) {
        Ok(dir) => Ok(Some(dir)),
        Err(error) if matches!(error.errno(), Some(Errno::NOENT | Errno::NOTDIR)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn open_beneath(target: &Dir, path: &Path) -> Result<Dir> {
    if path.as_os_str().is_empty() {
        return target.try_clone();
    }
    target
        .open_at(Beneath::Sysroot, path)
        .map_err(|error| match error.errno() {
            Some(Errno::XDEV) => Error::invalid(format!(
                "'{}' newly defaults to a link that leads out of /etc, cannot merge",
                path.display()
            )),
            _ => error,
        })
}
