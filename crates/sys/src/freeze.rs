//! Freezing and thawing a file system, so that its journal is written back completely.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

// From linux/fs.h: _IOWR('X', 119, int) and _IOWR('X', 120, int).
const FIFREEZE: libc::c_ulong = 0xC004_5877;
const FITHAW: libc::c_ulong = 0xC004_5878;

/// Freezes the file system that `fd` is on. Whoever calls this must call [`thaw`] soon after.
pub fn freeze(fd: BorrowedFd<'_>) -> io::Result<()> {
    ioctl_noarg(fd, FIFREEZE)
}

/// Thaws the file system that `fd` is on.
pub fn thaw(fd: BorrowedFd<'_>) -> io::Result<()> {
    ioctl_noarg(fd, FITHAW)
}

fn ioctl_noarg(fd: BorrowedFd<'_>, request: libc::c_ulong) -> io::Result<()> {
    // SAFETY: the descriptor is open for the borrow's lifetime; both requests ignore their argument, so no
    // memory is passed to the kernel.
    let r = unsafe { libc::ioctl(fd.as_raw_fd(), request as _, 0) };
    if r == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
