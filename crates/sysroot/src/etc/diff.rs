//! Finding what the user changed.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat};

use super::Changes;
use crate::dir::Dir;
use crate::error::{IoAction, Result};

/// Compares the user's `/etc` with the defaults it came from.
pub(crate) fn diff(defaults: &Dir, user: &Dir) -> Result<Changes> {
    let mut changes = Changes::default();
    compare(defaults, user, Path::new(""), &mut changes)?;
    Ok(changes)
}

fn compare(defaults: &Dir, user: &Dir, prefix: &Path, changes: &mut Changes) -> Result<()> {
    for entry in defaults.entries()? {
        let path = prefix.join(OsStr::from_bytes(&entry.name));
        let Some(old) = defaults.stat_entry(&entry.name)? else {
            continue;
        };
        let Some(new) = user.stat_entry(&entry.name)? else {
            changes.removed.push(path);
            continue;
        };
        let is_dir = |stat: &Stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if !same_metadata(&old, &new) || !same_content(defaults, user, &entry.name, &old, &new)? {
            changes.modified.push(path.clone());
        }
        if is_dir(&old) && is_dir(&new) {
            compare(
                &defaults.open_entry(&entry.name)?,
                &user.open_entry(&entry.name)?,
                &path,
                changes,
            )?;
        }
    }
    for entry in user.entries()? {
        if defaults.stat_entry(&entry.name)?.is_none() {
            let path = prefix.join(OsStr::from_bytes(&entry.name));
            added(user, &entry.name, entry.file_type, path, changes)?;
        }
    }
    Ok(())
}

fn added(
    dir: &Dir,
    name: &[u8],
    file_type: FileType,
    path: PathBuf,
    changes: &mut Changes,
) -> Result<()> {
    changes.added.push(path.clone());
    if file_type == FileType::Directory {
        let dir = dir.open_entry(name)?;
        for entry in dir.entries()? {
            let path = path.join(OsStr::from_bytes(&entry.name));
            added(&dir, &entry.name, entry.file_type, path, changes)?;
        }
    }
    Ok(())
}

fn same_metadata(a: &Stat, b: &Stat) -> bool {
    a.st_mode == b.st_mode && a.st_uid == b.st_uid && a.st_gid == b.st_gid
}

/// Whether two entries of one type hold the same.
fn same_content(a: &Dir, b: &Dir, name: &[u8], old: &Stat, new: &Stat) -> Result<bool> {
    if old.st_dev == new.st_dev && old.st_ino == new.st_ino {
        return Ok(true);
    }
    match FileType::from_raw_mode(old.st_mode) {
        FileType::RegularFile => {
            if old.st_size != new.st_size {
                return Ok(false);
            }
            let mut old = a.open_file_entry(name)?;
            let mut new = b.open_file_entry(name)?;
            same_bytes(&mut old, &mut new)
                .action(|| format!("comparing {}/{}", b.path(), crate::dir::lossy(name)))
        }
        FileType::Symlink => Ok(a.read_link(name)? == b.read_link(name)?),
        _ => Ok(true),
    }
}

fn same_bytes(a: &mut impl Read, b: &mut impl Read) -> io::Result<bool> {
    let (mut left, mut right) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let (n, m) = (fill(a, &mut left)?, fill(b, &mut right)?);
        if left[..n] != right[..m] {
            return Ok(false);
        }
        if n == 0 {
            return Ok(true);
        }
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
