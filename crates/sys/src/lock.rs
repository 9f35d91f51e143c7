//! Open-file-description locks over whole files.
//!
//! These belong to the open file, not to the process: two opens in one process exclude each other, and the lock
//! goes when the last descriptor closes, so a killed process never leaves one behind.

use rustix::fs::{Mode, OFlags};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// How a lock is held.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum LockKind {
    /// Any number of holders.
    Shared,
    /// A single holder.
    Exclusive,
}

/// A file that is locked as a whole. Dropping it releases the lock.
#[derive(Debug)]
pub struct LockFile {
    fd: OwnedFd,
}

impl LockFile {
    /// Opens (creating with `mode` and the process's umask) the file `name` below `dir`.
    pub fn open_at(dir: BorrowedFd<'_>, name: &str, mode: u32) -> io::Result<LockFile> {
        let fd = rustix::fs::openat(
            dir,
            name,
            OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW,
            Mode::from_raw_mode(mode),
        )?;
        Ok(LockFile { fd })
    }

    /// As [`LockFile::open_at`], by path.
    pub fn open_path(path: &Path, mode: u32) -> io::Result<LockFile> {
        let fd = rustix::fs::open(
            path,
            OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW,
            Mode::from_raw_mode(mode),
        )?;
        Ok(LockFile { fd })
    }

    /// Whether `name` below `dir` is still this very file: a lock on a file that was unlinked meanwhile excludes nobody.
    pub fn is_at(&self, dir: BorrowedFd<'_>, name: &str) -> io::Result<bool> {
        let own = rustix::fs::fstat(&self.fd)?;
        match rustix::fs::statat(dir, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW) {
            Ok(st) => Ok((st.st_dev, st.st_ino) == (own.st_dev, own.st_ino)),
            Err(rustix::io::Errno::NOENT) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// Takes the lock, or changes the kind held, without waiting; `false` when somebody else is in the way.
    pub fn try_lock(&self, kind: LockKind) -> io::Result<bool> {
        let ty = match kind {
            LockKind::Shared => libc::F_RDLCK,
            LockKind::Exclusive => libc::F_WRLCK,
        };
        match ofd_setlk(self.fd.as_fd(), ty as libc::c_short) {
            Ok(()) => Ok(true),
            Err(e) if matches!(e.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => Ok(false),
            Err(e) if e.raw_os_error() == Some(libc::EINVAL) => self.try_flock(kind),
            Err(e) => Err(e),
        }
    }

    /// Releases the lock, keeping the file open.
    pub fn unlock(&self) -> io::Result<()> {
        match ofd_setlk(self.fd.as_fd(), libc::F_UNLCK as libc::c_short) {
            Err(e) if e.raw_os_error() == Some(libc::EINVAL) => Ok(rustix::fs::flock(
                &self.fd,
                rustix::fs::FlockOperation::Unlock,
            )?),
            other => other,
        }
    }

    // Some network file systems know only flock.
    fn try_flock(&self, kind: LockKind) -> io::Result<bool> {
        use rustix::fs::FlockOperation as Op;
        let op = match kind {
            LockKind::Shared => Op::NonBlockingLockShared,
            LockKind::Exclusive => Op::NonBlockingLockExclusive,
        };
        match rustix::fs::flock(&self.fd, op) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }
}

impl AsFd for LockFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn ofd_setlk(fd: BorrowedFd<'_>, ty: libc::c_short) -> io::Result<()> {
    // SAFETY: `flock` is a plain C struct of integers, for which all-zero bytes are a valid value
    // (whole file from offset 0, and l_pid 0 as OFD locks require).
    let mut fl: libc::flock = unsafe { std::mem::zeroed() };
    fl.l_type = ty;
    fl.l_whence = libc::SEEK_SET as libc::c_short;
    loop {
        // SAFETY: the descriptor is open for the borrow's lifetime and `fl` outlives the call, which only reads it.
        let r = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_OFD_SETLK, &fl) };
        if r == 0 {
            return Ok(());
        }
        let e = io::Error::last_os_error();
        if e.kind() != io::ErrorKind::Interrupted {
            return Err(e);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_locks_coexist_and_exclude_writers() {
        let dir = tempfile::tempdir().unwrap();
        let p = dir.path().join("l");
        let (a, b, c) = (
            LockFile::open_path(&p, 0o600).unwrap(),
            LockFile::open_path(&p, 0o600).unwrap(),
            LockFile::open_path(&p, 0o600).unwrap(),
        );
        assert!(a.try_lock(LockKind::Shared).unwrap());
        assert!(b.try_lock(LockKind::Shared).unwrap());
        assert!(!c.try_lock(LockKind::Exclusive).unwrap());
        drop(a);
        b.unlock().unwrap();
        assert!(c.try_lock(LockKind::Exclusive).unwrap());
    }
}
