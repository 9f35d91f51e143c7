//! Copying files of a user's `/etc` with all their metadata.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid};
use rustix::io::Errno;

use crate::dir::{Dir, lossy};
use crate::error::{IoAction, Result};

/// Copies the entry `name` of `from` to the same name in `to`, where nothing is: regular files and
/// links with owner, mode, attributes and times; folders with all in them; sockets, fifos and
/// devices not at all.
pub(super) fn copy_entry(from: &Dir, to: &Dir, name: &[u8]) -> Result<()> {
    let Some(stat) = from.stat_entry(name)? else {
        return Ok(());
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => copy_file(from, to, name),
        FileType::Symlink => copy_link(from, to, name, &stat),
        FileType::Directory => {
            rustix::fs::mkdirat(to, name, Mode::RWXU)
                .action(|| format!("mkdirat({}/{})", to.path(), lossy(name)))?;
            let (source, target) = (from.open_entry(name)?, to.open_entry(name)?);
            for entry in source.entries()? {
                copy_entry(&source, &target, &entry.name)?;
            }
            copy_dir_metadata(&source, &target)
        }
        _ => Ok(()),
    }
}

fn copy_file(from: &Dir, to: &Dir, name: &[u8]) -> Result<()> {
    let action = || format!("copying {}/{}", from.path(), lossy(name));
    let mut input = from.open_file_entry(name)?;
    let stat = rustix::fs::fstat(&input).action(action)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(to, name, flags, Mode::RUSR | Mode::WUSR).action(action)?;
    let mut output = File::from(fd);
    io::copy(&mut input, &mut output).action(action)?;
    set_owner(&output, &stat).action(action)?;
    copy_xattrs(&input, &output).action(action)?;
    // After the owner, whose change clears set-id bits.
    rustix::fs::fchmod(&output, Mode::from_raw_mode(stat.st_mode)).action(action)?;
    rustix::fs::futimens(&output, &times(&stat)).action(action)
}

fn copy_link(from: &Dir, to: &Dir, name: &[u8], stat: &Stat) -> Result<()> {
    let action = || format!("copying {}/{}", from.path(), lossy(name));
    let target = from.read_link(name)?.unwrap_or_default();
    rustix::fs::symlinkat(&*target, to, name).action(action)?;
    let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    let owner = rustix::fs::chownat(to, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW);
    if let Err(error) = owner {
        refused_to_users(error.into()).action(action)?;
    }
    for (key, value) in osier_sys::xattr::read_at(from.as_fd(), name).action(action)? {
        if let Err(error) = osier_sys::xattr::set_at(to.as_fd(), name, &key, &value) {
            refused_to_users(error).action(action)?;
        }
    }
    rustix::fs::utimensat(to, name, &times(stat), AtFlags::SYMLINK_NOFOLLOW).action(action)
}

/// Gives `to` the owner, mode and attributes of `from`.
pub(super) fn copy_dir_metadata(from: &Dir, to: &Dir) -> Result<()> {
    let action = || format!("setting metadata of {}", to.path());
    let stat = from.stat()?;
    let (source, target) = (from.as_file()?, to.as_file()?);
    set_owner(&target, &stat).action(action)?;
    copy_xattrs(&source, &target).action(action)?;
    to.chmod(stat.st_mode & 0o7777)
}

fn copy_xattrs(from: &File, to: &File) -> io::Result<()> {
    for (name, value) in osier_sys::xattr::read_fd(from.as_fd())? {
        if let Err(error) = osier_sys::xattr::set_fd(to.as_fd(), &name, &value) {
            refused_to_users(error)?;
        }
    }
    Ok(())
}

fn set_owner(file: &File, stat: &Stat) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    match rustix::fs::fchown(file, Some(uid), Some(gid)) {
        Ok(()) => Ok(()),
        Err(error) => refused_to_users(error.into()),
    }
}

/// An ordinary user owns all of a sysroot of his own; giving files away is refused him, and so are
/// some attributes.
fn refused_to_users(error: io::Error) -> io::Result<()> {
    let refused = error.raw_os_error() == Some(Errno::PERM.raw_os_error());
    if refused && !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err(error)
}

fn times(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: stat.st_atime as _,
            tv_nsec: stat.st_atime_nsec as _,
        },
        last_modification: Timespec {
            tv_sec: stat.st_mtime as _,
            tv_nsec: stat.st_mtime_nsec as _,
        },
    }
}
