//! What may be changed in place, and giving a name a copy of its own where it may not.

use crate::nodes::{Found, Node, Nodes, identity, lock};
use osier_sys::xattr;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, Timespec, Timestamps};
use rustix::io::{Errno, Result};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Whether a file has other names that would change with it. Directories and special files hold no content of a
/// repository.
pub fn is_shared(stat: &Stat) -> bool {
    let kind = FileType::from_raw_mode(stat.st_mode);
    matches!(kind, FileType::RegularFile | FileType::Symlink) && stat.st_nlink > 1
}

/// How much of a file's content a copy needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// All of it.
    Kept,
    /// None: it is about to be cut to nothing.
    Dropped,
}

/// Gives the node's name a file of its own, equal in everything but its inode. A file with one name is left as it is.
///
/// # Errors
/// `ESTALE` when the name is another file's by now, and whatever the copy runs into; the name then keeps its file.
pub fn copy_up(nodes: &Nodes, node: &Arc<Node>, content: Content) -> Result<Found> {
    let _one_at_a_time = lock(&node.copying);
    let found = nodes.find(node)?;
    if !is_shared(&found.stat) {
        return Ok(found);
    }
    let (parent, name) = node.spot().ok_or(Errno::STALE)?;
    let dir = parent.dir()?;
    let temporary = match FileType::from_raw_mode(found.stat.st_mode) {
        FileType::Symlink => copy_symlink(dir, &name, &found)?,
        _ => copy_file(dir, &found, content)?,
    };
    // The identity of what takes the name, before it can be seen there.
    let made = rustix::fs::statat(dir, &temporary, AtFlags::SYMLINK_NOFOLLOW);
    let moved =
        made.and_then(|stat| rustix::fs::renameat(dir, &temporary, dir, &name).map(|()| stat));
    match moved {
        Ok(stat) => {
            node.becomes(identity(&stat));
            nodes.find(node)
        }
        Err(error) => {
            let _ = rustix::fs::unlinkat(dir, &temporary, AtFlags::empty());
            Err(error)
        }
    }
}

/// A name for the moment between making the copy and giving it its name.
fn temporary_name() -> OsString {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (pid, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    format!(".rofiles-copyup-{pid}-{count}").into()
}

fn copy_file(dir: BorrowedFd<'_>, found: &Found, content: Content) -> Result<OsString> {
    let source = reopen(found.as_fd(), OFlags::RDONLY)?;
    let name = temporary_name();
    let private = Mode::RUSR | Mode::WUSR;
    // Without a name until it is whole, where the file system can do that: a crash leaves nothing behind.
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    let (copy, unnamed) = match rustix::fs::openat(dir, ".", flags | OFlags::TMPFILE, private) {
        Ok(copy) => (copy, true),
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => {
            let made = flags | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
            (rustix::fs::openat(dir, &name, made, private)?, false)
        }
        Err(error) => return Err(error),
    };
    let filled = fill(&source, &copy, &found.stat, content).and_then(|()| {
        if unnamed {
            let path = proc_path(copy.as_fd());
            rustix::fs::linkat(rustix::fs::CWD, path, dir, &name, AtFlags::SYMLINK_FOLLOW)?;
        }
        Ok(())
    });
    match filled {
        Ok(()) => Ok(name),
        Err(error) => {
            if !unnamed {
                let _ = rustix::fs::unlinkat(dir, &name, AtFlags::empty());
            }
            Err(error)
        }
    }
}

fn fill(source: &OwnedFd, copy: &OwnedFd, stat: &Stat, content: Content) -> Result<()> {
    if content == Content::Kept && stat.st_size > 0 {
        // A clone where the file system shares blocks, else a copy that stays in the kernel where it can.
        if rustix::fs::ioctl_ficlone(copy, source).is_err() {
            copy_bytes(source, copy)?;
        }
    }
    rustix::fs::fchown(
        copy,
        Some(rustix::fs::Uid::from_raw(stat.st_uid)),
        Some(rustix::fs::Gid::from_raw(stat.st_gid)),
    )
    .or_else(|error| {
        if owned_alike(copy, stat) {
            Ok(())
        } else {
            Err(error)
        }
    })?;
    rustix::fs::fchmod(copy, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
    for (name, value) in xattr::read_fd(source.as_fd()).map_err(errno)? {
        xattr::set_fd(copy.as_fd(), &name, &value)
            .map_err(errno)
            .or_else(|error| tolerable(&name, error))?;
    }
    rustix::fs::futimens(copy, &times(stat))
}

fn copy_bytes(source: &OwnedFd, copy: &OwnedFd) -> Result<()> {
    loop {
        match rustix::fs::copy_file_range(source, None, copy, None, 1 << 30) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(Errno::INTR) => {}
            Err(Errno::XDEV | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL) => break,
            Err(error) => return Err(error),
        }
    }
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let read = match rustix::io::read(source, &mut buffer[..]) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error),
        };
        let mut left = &buffer[..read];
        while !left.is_empty() {
            left = &left[rustix::io::retry_on_intr(|| rustix::io::write(copy, left))?..];
        }
    }
}

fn copy_symlink(dir: BorrowedFd<'_>, old: &OsStr, found: &Found) -> Result<OsString> {
    let target = rustix::fs::readlinkat(found.as_fd(), "", Vec::new())?;
    let name = temporary_name();
    rustix::fs::symlinkat(&target, dir, &name)?;
    let filled = (|| {
        let (uid, gid) = (
            rustix::fs::Uid::from_raw(found.stat.st_uid),
            rustix::fs::Gid::from_raw(found.stat.st_gid),
        );
        rustix::fs::chownat(dir, &name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
        for (key, value) in xattr::read_at(dir, old.as_bytes()).map_err(errno)? {
            xattr::set_at(dir, name.as_bytes(), &key, &value)
                .map_err(errno)
                .or_else(|error| tolerable(&key, error))?;
        }
        rustix::fs::utimensat(dir, &name, &times(&found.stat), AtFlags::SYMLINK_NOFOLLOW)
    })();
    match filled {
        Ok(()) => Ok(name),
        Err(error) => {
            let _ = rustix::fs::unlinkat(dir, &name, AtFlags::empty());
            Err(error)
        }
    }
}

/// Someone who is not root copies what is his own; asking for the owner it has already may be refused all the same.
fn owned_alike(copy: &OwnedFd, stat: &Stat) -> bool {
    rustix::fs::fstat(copy)
        .is_ok_and(|made| (made.st_uid, made.st_gid) == (stat.st_uid, stat.st_gid))
}

/// Labels and trusted attributes are the system's to set: without the right to, the copy has those of a new file.
fn tolerable(name: &[u8], error: Errno) -> Result<()> {
    let system = name.starts_with(b"security.") || name.starts_with(b"trusted.");
    if system && matches!(error, Errno::PERM | Errno::ACCESS | Errno::OPNOTSUPP) {
        Ok(())
    } else {
        Err(error)
    }
}

fn times(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: stat.st_atime,
            tv_nsec: stat.st_atime_nsec as _,
        },
        last_modification: Timespec {
            tv_sec: stat.st_mtime,
            tv_nsec: stat.st_mtime_nsec as _,
        },
    }
}

/// The path by which the kernel reaches exactly what a handle names.
pub fn proc_path(fd: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

/// Opens what a handle names, whatever has its name by now.
///
/// # Errors
/// Those of `open`.
pub fn reopen(fd: BorrowedFd<'_>, flags: OFlags) -> Result<OwnedFd> {
    rustix::fs::open(proc_path(fd), flags | OFlags::CLOEXEC, Mode::empty())
}

/// The number of an I/O error.
pub fn errno(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}
